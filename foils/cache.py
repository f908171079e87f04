"""Keep files in the cache, each closed by a hash of its content and of the key that it is kept under.

A file counts only where the hash is right, no link leads to it, and this user or root owns it: neither damage nor another user
changes a number. Anything else is as if it were missing. Knows nothing of what is kept.
"""

from __future__ import annotations

import hashlib
import os
import re
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, BinaryIO, cast

import numpy as np
import numpy.typing as npt
import platformdirs

from foils.atomic_write import write_whole
from foils.errors import DataError
from pitsearch.regular_file import open_regular

# What ends a file of the cache: these bytes, then the hash.
MARK = b"pitsearch cache 1\n"
END = len(MARK) + hashlib.sha256().digest_size
# Temporary names of the cache, and the seconds after which one is left over from a process that died.
TEMPORARY, LEFT_OVER_S = re.compile(r"(pixels|members|result)-[\w.-]+\.(npy|safetensors|json)\.[0-9a-f]+"), 24 * 3600.0
BLOCK = 2**20

# The files that this process has checked already, by key and what would change with their content.
_checked: set[tuple[object, ...]] = set()


class _HashingStream:
    """A file that hashes what is written to it."""

    def __init__(self, stream: BinaryIO, key: str) -> None:
        self._stream, self.digest = stream, _digest_of(key)

    def write(self, content: Any) -> int:
        """Write bytes, or whatever holds some."""
        self.digest.update(content)
        return self._stream.write(content)


def cache_folder() -> Path:
    """Name the folder of packed arrays and trained members: `PITSEARCH_CACHE`, or the user's cache."""
    return Path(os.environ.get("PITSEARCH_CACHE") or platformdirs.user_cache_dir("pitsearch", appauthor=False))


def write_cached(path: Path, key: str, write: Callable[[BinaryIO], object]) -> None:
    """Write a file of the cache, whole or not at all; no other user may read it.

    `key`: stands for all that the content follows from. Raises DataError where the cache cannot be written.
    """

    def closed(stream: BinaryIO) -> None:
        hashing = _HashingStream(stream, key)
        write(cast(BinaryIO, hashing))
        stream.write(MARK + hashing.digest.digest())

    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        _remove_left_over(path.parent)
        write_whole(path, closed, mode=0o600)
    except OSError as error:
        raise DataError(
            f"{path.parent}: the cache folder must be writable, but: {error.strerror}; free space there, or set "
            "PITSEARCH_CACHE to another folder."
        ) from None


def read_cached(path: Path, key: str) -> bytes | None:
    """Read a file of the cache; None where it is missing, or not what was written under this key."""
    try:
        with _open(path) as stream:
            content = stream.read()
    except OSError:
        return None
    digest = _digest_of(key)
    digest.update(memoryview(content)[:-END])
    return content[:-END] if content[-END:] == MARK + digest.digest() else None


def map_cached(path: Path, key: str) -> npt.NDArray[Any] | None:
    """Map an array of the cache into memory; None where its file is missing, or not what was written under this key.

    A process hashes a file once. What is written to the array changes this process's copy alone.
    """
    try:
        with _open(path) as stream:
            state = os.fstat(stream.fileno())
            known = (key, state.st_dev, state.st_ino, state.st_size, state.st_mtime_ns, state.st_ctime_ns)
            if known not in _checked:
                if not _is_whole(stream, state.st_size, key):
                    return None
                _checked.add(known)
            stream.seek(0)
            np.lib.format.read_magic(stream)
            shape, by_column, dtype = np.lib.format.read_array_header_1_0(stream)
            if by_column or dtype.hasobject:
                return None
            return np.memmap(stream, dtype, "c", stream.tell(), shape)
    except (OSError, ValueError):
        return None


def _open(path: Path) -> BinaryIO:
    """Open a regular file of this user's or of root's. Raises OSError for anything else, a link among it."""
    stream = open_regular(path)
    if os.fstat(stream.fileno()).st_uid not in (os.geteuid(), 0):
        stream.close()
        raise PermissionError
    return stream


def _is_whole(stream: BinaryIO, size: int, key: str) -> bool:
    """Tell whether an open file of so many bytes ends with the hash of its content and key."""
    digest, left = _digest_of(key), size - END
    while left > 0 and (block := stream.read(min(BLOCK, left))):
        digest.update(block)
        left -= len(block)
    return left == 0 and stream.read() == MARK + digest.digest()


def _digest_of(key: str) -> Any:
    return hashlib.sha256(hashlib.sha256(key.encode()).digest())


def _remove_left_over(folder: Path) -> None:
    """Remove what processes that died left half written."""
    for file in folder.iterdir():
        with suppress(OSError):
            if TEMPORARY.fullmatch(file.name) and file.lstat().st_mtime < time.time() - LEFT_OVER_S:
                file.unlink()
