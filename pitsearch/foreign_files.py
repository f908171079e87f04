"""Read files that another person or program wrote: regular files alone, never larger than expected, JSON and TOML in bounds.

Imports nothing of ours, so that every package can import it. Faults are OSError and ValueError, whose text is one clause; the
caller adds the file, the rule and the remedy in its own exception.
"""

from __future__ import annotations

import errno
import json
import os
import stat
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

# The largest text that people or programs are expected to write: bytes.
MOST_TEXT = 64 * 2**20
# The largest file of settings that people write: bytes.
MOST_TOML = 2**20
# The deepest nesting of lists and tables that is read; ours go eight deep.
MOST_DEEP = 64


@contextmanager
def open_regular(path: Path, most: int) -> Iterator[BinaryIO]:
    """Open a regular file of at most so many bytes for reading. Raises OSError for anything else."""
    # Opening a pipe waits for its writer unless told not to; a regular file is read the same either way.
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    state = os.fstat(descriptor)
    if not stat.S_ISREG(state.st_mode):
        os.close(descriptor)  # Python opens no stream on a folder
        raise OSError(errno.EINVAL, f"it must be a regular file, and is {_kind(state.st_mode)}", str(path))
    with os.fdopen(descriptor, "rb") as stream:
        if state.st_size > most:
            raise OSError(errno.EFBIG, f"it may have {most} bytes at most, and has {state.st_size}", str(path))
        yield stream


def read_regular(path: Path, most: int = MOST_TEXT) -> bytes:
    """Read a regular file of at most so many bytes. Raises OSError for anything else."""
    with open_regular(path, most) as stream:
        content = stream.read(most + 1)
    if len(content) > most:  # it grew while it was read
        raise OSError(errno.EFBIG, f"it may have {most} bytes at most, and has more", str(path))
    return content


def read_text(path: Path, most: int = MOST_TEXT) -> str:
    """Read a regular file of UTF-8 text, with a byte-order mark or without. Raises OSError or UnicodeDecodeError."""
    return read_regular(path, most).decode("utf-8-sig")


def parse_json(text: str | bytes) -> Any:
    """Parse JSON: finite numbers, no key twice, no deep nesting. Raises ValueError."""
    try:
        value = json.loads(text, parse_constant=_refuse_constant, object_pairs_hook=_distinct)
    except RecursionError:
        raise ValueError("it nests too deep") from None
    check_depth(value)
    return value


def parse_toml(text: str) -> dict[str, Any]:
    """Parse TOML without deep nesting. Raises ValueError."""
    try:
        table = tomllib.loads(text)
    except RecursionError:
        raise ValueError("it nests too deep") from None
    check_depth(table)
    return table


def check_depth(value: object, most: int = MOST_DEEP) -> None:
    """Raise ValueError where lists and tables nest deeper than what recursive readers can follow."""
    level = [value]
    for _ in range(most):
        level = [
            item
            for group in level
            if isinstance(group, dict | list)
            for item in (group.values() if isinstance(group, dict) else group)
        ]
        if not level:
            return
    raise ValueError(f"it nests more than {most} deep")


def _refuse_constant(text: str) -> None:
    raise ValueError(f"numbers must be finite, and {text} is not")


def _distinct(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    table = dict(pairs)
    if len(table) < len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for key in keys if keys.count(key) > 1)
        raise ValueError(f"keys must differ, and {twice[:40]!r} stands twice")
    return table


def _kind(mode: int) -> str:
    for is_kind, words in (
        (stat.S_ISDIR, "a folder"),
        (stat.S_ISFIFO, "a pipe"),
        (stat.S_ISCHR, "a device"),
        (stat.S_ISBLK, "a device"),
        (stat.S_ISSOCK, "a socket"),
    ):
        if is_kind(mode):
            return words
    return "something else"
