"""Export the selected model: copy the bundle that `select` kept into a new folder. Trains nothing, and opens nothing.

Writes under a temporary name and renames, so that a bundle is whole or absent.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

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
    unfinished = folder.with_name(f"{folder.name}.unfinished")
    try:
        unfinished.mkdir(parents=True)
        for name, content in files.items():
            (unfinished / name).write_bytes(content)
        unfinished.rename(folder)
    except OSError as error:
        shutil.rmtree(unfinished, ignore_errors=True)
        raise StudyError(f"{folder}: the folder must be writable, but: {reason(error)}; choose another.") from None
    return folder


def check_new(folder: Path) -> None:
    """Raise StudyError where a bundle's folder exists already."""
    if folder.exists():
        raise StudyError(f"{folder}: a bundle goes into a new folder, but this one exists; choose another name or remove it.")
