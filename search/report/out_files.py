"""Try a file of results before anything is trained for it: what a command worked for must not be lost to where it is written.

Knows nothing of what is written.
"""

from __future__ import annotations

import secrets
from pathlib import Path

from pitsearch.errors import reason
from search.errors import StudyError

# Room that must be free on the disk: a page with a figure holds a library of 5 MB.
ROOM = 8 * 2**20


def try_out(path: Path, option: str = "--out", *, room: int = ROOM) -> None:
    """Raise StudyError where a file cannot be written: its folder is missing or read-only, the disk is full, or it is no file.

    Writes `room` bytes under a name of its own and removes them; the file itself stays as it is.
    """
    if path.is_dir():
        raise StudyError(f"{option} must be a file, but got the folder {path}; write a file's name behind it.")
    if path.exists() and not path.is_file():
        raise StudyError(f"{option} must be a file, but got {path}, which is a device or the like; choose another {option}.")
    if not path.parent.is_dir():
        raise StudyError(f"{option} must lie in an existing folder, but got {path}; make the folder first.")
    trial = path.with_name(f".pitsearch-{secrets.token_hex(8)}")
    try:
        with trial.open("xb") as stream:
            stream.write(bytes(room))
    except OSError as error:
        raise StudyError(f"{path}: {option} must be writable, but: {reason(error)}; choose another {option}.") from None
    finally:
        trial.unlink(missing_ok=True)
