"""Open the files of images, and know them again: what was hashed once must be what is decoded later.

Small files are read into memory. Of larger ones, such as frames of 200 million pixels, no more is read than is decoded. Knows
nothing of formats, but that JPEG is lossy.
"""

from __future__ import annotations

import errno
import hashlib
import os
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import BinaryIO

from foils.image_faults import ImageFault
from foils.open_image import damage
from pitsearch.regular_file import open_regular, read_regular

JPEG = b"\xff\xd8\xff"
# A file of no more is read whole. A data set has thousands of small files, and one pit or slide is open at a time.
IN_MEMORY = 2**24
# No file is larger: ten channels of 500 million pixels of 16 bits have as much.
MOST_BYTES = 10 * 2**30


@dataclass(frozen=True)
class HashedFile:
    """What is known of a file whose bytes were hashed."""

    digest: bytes
    # What changes when it is written to: device, number, size, and the times of writing.
    state: tuple[int, ...]
    # Whether its values were rounded where it was written.
    lossy: bool


def hash_file(path: Path, most: int) -> HashedFile | None:
    """Hash a file's bytes; None where it is missing, no regular file, or larger than `most`."""
    try:
        with open_regular(path, links=True) as stream:
            state = _state(stream)
            if os.fstat(stream.fileno()).st_size > most:
                return None
            lossy = stream.read(len(JPEG)) == JPEG
            stream.seek(0)
            return HashedFile(hashlib.file_digest(stream, "sha256").digest(), state, lossy)
    except OSError:
        return None


def open_file(path: Path, most: int) -> BinaryIO:
    """Open an image file for reading. Raises ImageFault where it is missing, no regular file, or larger than `most`."""
    try:
        size = path.stat().st_size
        if size <= IN_MEMORY or size > most:
            return BytesIO(read_regular(path, most))  # raises for the larger one
        return open_regular(path, links=True)
    except FileNotFoundError:
        raise ImageFault("the file is missing") from None
    except OSError as error:
        ours = error.errno in (None, errno.EINVAL)  # no regular file, or too large: the reading of regular files says so
        raise (ImageFault(error.strerror or str(error)) if ours else damage(error)) from None


def check_unchanged(stream: BinaryIO, hashed: HashedFile | None) -> None:
    """Raise ImageFault where an open file is not what was hashed: by its bytes in memory, else by its state."""
    if isinstance(stream, BytesIO):
        same = hashed is not None and hashlib.sha256(stream.getbuffer()).digest() == hashed.digest
    else:
        same = hashed is not None and _state(stream) == hashed.state
    if not same:
        raise ImageFault("the file was written while the data set was read")


def size_of(stream: BinaryIO) -> int:
    """Give the number of a file's bytes."""
    return stream.seek(0, os.SEEK_END)


def _state(stream: BinaryIO) -> tuple[int, ...]:
    status = os.fstat(stream.fileno())
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns
