"""Open and read regular files alone: no pipe is waited for, and no more is read than is allowed. Imports nothing of ours."""

from __future__ import annotations

import errno
import os
import stat
from io import BufferedReader
from pathlib import Path
from typing import BinaryIO

# Bytes that are read at once.
BLOCK = 2**20


def open_regular(path: Path, *, links: bool = False) -> BufferedReader:
    """Open a regular file for reading; `links`: also through a link.

    Raises FileNotFoundError where it is missing, IsADirectoryError for a folder, and OSError for a pipe, a device or a link.
    """
    # Without O_NONBLOCK, opening a pipe waits until somebody writes into it.
    flags = os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | (0 if links else os.O_NOFOLLOW)
    descriptor = os.open(path, flags)
    mode = os.fstat(descriptor).st_mode
    if not stat.S_ISREG(mode):
        os.close(descriptor)
        if stat.S_ISDIR(mode):
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
        raise OSError("it is a pipe or a device, and a regular file is needed")
    return os.fdopen(descriptor, "rb")


def read_regular(path: Path, most: int, *, links: bool = True) -> bytes:
    """Read a file of at most `most` bytes.

    Raises OSError as `open_regular` does, and for a larger file, before anything of it is read.
    """
    with open_regular(path, links=links) as stream:
        size = os.fstat(stream.fileno()).st_size
        if size > most:
            raise OSError(f"it has {size} bytes, and at most {most} are read")
        content = read_up_to(stream, most + 1)
    if len(content) > most:  # it grew meanwhile
        raise OSError(f"it has more than {most} bytes, and no more are read")
    return content


def read_up_to(stream: BinaryIO, most: int) -> bytes:
    """Read at most so many bytes, in no more memory than there are.

    Python's own `read` takes memory for as many as it is asked for, whether the file has them or not.
    """
    parts: list[bytes] = []
    while most > 0 and (part := stream.read(min(most, BLOCK))):
        parts.append(part)
        most -= len(part)
    return b"".join(parts)
