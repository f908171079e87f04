"""Open regular files alone: no link is followed, and no pipe or device is waited for. Knows nothing of what they hold."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path
from typing import BinaryIO


def open_regular(path: Path) -> BinaryIO:
    """Open a regular file for reading. Raises OSError for anything else, a link to one among it."""
    # Without waiting: a pipe in the file's place would never open.
    opened = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    if not stat.S_ISREG(os.fstat(opened).st_mode):
        os.close(opened)
        raise OSError(errno.EINVAL, "it is no regular file", str(path))
    return os.fdopen(opened, "rb")


def read_regular(path: Path) -> bytes:
    """Read a regular file. Raises OSError for anything else, a link to one among it."""
    with open_regular(path) as stream:
        return stream.read()
