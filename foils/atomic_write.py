"""Write a file so that no reader ever sees half of it. Knows nothing of what is written.

Temporary names are drawn at random and opened for this writer alone: process numbers repeat between containers that share a
folder.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO


def write_whole(path: Path, write: Callable[[BinaryIO], object], *, synced: bool = False, mode: int = 0o666) -> None:
    """Write a file under a temporary name and rename it; `write` is given the open file.

    `synced`: return only when the file and its name are on the disk, whatever becomes of the machine; `mode`: who may read and
    write it, of what the user's mask allows. Raises OSError, with nothing left behind, where that is not possible.
    """
    temporary = temporary_name(path)
    try:
        with open_new(temporary, mode) as stream:
            write(stream)
            if synced:
                stream.flush()
                os.fsync(stream.fileno())
        temporary.replace(path)
        if synced:
            sync_folder(path.parent)
    except BaseException:  # Ctrl-C, too
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
        raise


def temporary_name(path: Path) -> Path:
    """Name a temporary file or folder beside `path`, which no other writer has."""
    return path.with_name(f"{path.name}.{secrets.token_hex(8)}")


def open_new(path: Path, mode: int = 0o666) -> BinaryIO:
    """Open a file for writing that must not be there yet; links are not followed. Raises OSError where it is there."""
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, mode), "wb")


def make_folders(folder: Path) -> None:
    """Make a folder, and those above it that are missing, and bring their names to the disk."""
    missing = [place for place in (folder, *folder.parents) if not place.exists()]
    for place in reversed(missing):
        place.mkdir(exist_ok=True)
        sync_folder(place.parent)
    folder.mkdir(exist_ok=True)  # which says what is wrong where something else has its name


def sync_folder(folder: Path) -> None:
    """Bring the names in a folder to the disk, where the system can."""
    with suppress(OSError):  # some network file systems know no such thing; they keep names by themselves
        opened = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(opened)
        finally:
            os.close(opened)
