"""Write a file so that no reader ever sees half of it. Knows nothing of what is written."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO


def write_whole(path: Path, write: Callable[[BinaryIO], object], *, synced: bool = False) -> None:
    """Write a file under a temporary name and rename it; `write` is given the open file.

    `synced`: return only when the file and its name are on the disk, whatever becomes of the machine. Raises OSError, with
    nothing left behind, where that is not possible.
    """
    temporary = path.with_name(f"{path.name}.{os.getpid()}")
    try:
        with temporary.open("wb") as stream:
            write(stream)
            if synced:
                stream.flush()
                os.fsync(stream.fileno())
        temporary.replace(path)
        if synced:
            _sync_folder(path.parent)
    except OSError:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
        raise


def _sync_folder(folder: Path) -> None:
    """Bring the names in a folder to the disk, where the system can."""
    opened = os.open(folder, os.O_RDONLY)
    try:
        with suppress(OSError):  # some network file systems know no such thing; they keep names by themselves
            os.fsync(opened)
    finally:
        os.close(opened)
