"""Export the selected model: copy the bundle that `select` kept into a new folder. Trains nothing, and opens nothing.

Writes into a folder under a random name and renames it, so that a bundle is whole or absent.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from foils.atomic_write import open_new, temporary_name
from pitsearch.errors import reason
from search.errors import StudyError
from search.selection.model_store import read_model
from search.selection.selection_record import selected_key
from search.studies.study import Study

if TYPE_CHECKING:
    from search.selection.outcome import Selection  # imports torch, which a copy does not need


def export(selected: Selection | Study, folder: str | Path, *, runs: str | Path | None = None) -> Path:
    """Copy a selected model, or that of a study's last selection, into a new folder.

    `runs`: the folder of checkpoints, if it has moved since the selection. Raises StudyError where there is no selection, its
    model is missing or has been changed, or the new folder exists or cannot be written.
    """
    folder = Path(folder)
    check_new(folder)
    study = selected if isinstance(selected, Study) else selected.study
    key = selected_key(study) if isinstance(selected, Study) else selected.key
    files = read_model(study, key, runs)
    unfinished = temporary_name(folder)
    try:
        unfinished.mkdir(parents=True)
        try:
            for name, content in files.items():
                with open_new(unfinished / name) as stream:
                    stream.write(content)
            unfinished.rename(folder)
        finally:
            shutil.rmtree(unfinished, ignore_errors=True)  # this export's own, where it was not renamed
    except OSError as error:
        raise StudyError(f"{folder}: the folder must be writable, but: {reason(error)}; choose another.") from None
    return folder


def check_new(folder: Path) -> None:
    """Raise StudyError where a bundle's folder exists already."""
    if folder.exists() or folder.is_symlink():
        raise StudyError(f"{folder}: a bundle goes into a new folder, but this one exists; choose another name or remove it.")
