"""Read a regular file whole: no pipe or device is waited for, and no more is read than is allowed. Imports nothing of ours."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path


def read_regular(path: Path, most: int) -> bytes:
    """Read a file of at most `most` bytes.

    Raises FileNotFoundError where it is missing, IsADirectoryError for a folder, and OSError for a pipe, a device or a larger
    file, before anything of it is read.
    """
    # Without O_NONBLOCK, opening a pipe waits until somebody writes into it.
    descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    try:
        status = os.fstat(descriptor)
        if stat.S_ISDIR(status.st_mode):
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
        if not stat.S_ISREG(status.st_mode):
            raise OSError("it is a pipe or a device, and a regular file is needed")
        if status.st_size > most:
            raise OSError(f"it has {status.st_size} bytes, and at most {most} are read")
        with os.fdopen(descriptor, "rb", closefd=False) as stream:
            content = stream.read(most + 1)
    finally:
        os.close(descriptor)
    if len(content) > most:  # it grew meanwhile
        raise OSError(f"it has more than {most} bytes, and no more are read")
    return content
