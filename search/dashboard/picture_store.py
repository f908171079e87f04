"""The files of trials, as Optuna's artifact store: pictures that are drawn when somebody looks, and files in a folder.

Nothing is kept for the pictures, neither on disk nor in the database: they are of every study, whatever its age and wherever it
ran. Knows nothing of HTTP.
"""

from __future__ import annotations

import io
from pathlib import Path
from threading import Lock
from typing import BinaryIO

from optuna.artifacts import FileSystemArtifactStore
from optuna.artifacts.exceptions import ArtifactNotFound
from optuna.trial import FrozenTrial

from search.dashboard.pictures import PICTURE_ID, PICTURES, draw_png
from search.dashboard.view import StudyView
from search.trials.records import RungResult

# Pictures that are kept in memory, of some 50 kB.
KEPT = 200
Key = tuple[int, int, str, int]


class PictureStore:
    """Optuna's artifact store of the studies that a view shows; `folder` holds what else is attached to their trials."""

    def __init__(self, view: StudyView, folder: Path | None = None) -> None:
        self.view = view
        self.files = None if folder is None else FileSystemArtifactStore(folder)
        self._lock, self._drawn = Lock(), dict[Key, bytes]()

    def open_reader(self, artifact_id: str) -> BinaryIO:
        """Open a picture or a file. Raises ArtifactNotFound where there is none."""
        name = PICTURE_ID.fullmatch(artifact_id)
        if name is not None:
            return io.BytesIO(self._picture(int(name[1]), int(name[2])))
        if self.files is None:
            raise ArtifactNotFound("not found")
        return self.files.open_reader(artifact_id)

    def write(self, artifact_id: str, content_body: BinaryIO) -> None:
        """Keep a file in the folder."""
        if self.files is None:
            raise ArtifactNotFound("no folder for files")
        self.files.write(artifact_id, content_body)

    def remove(self, artifact_id: str) -> None:
        """Remove a file; a picture is not kept, and goes with its trial. A file that is gone is gone."""
        if self.files is not None and PICTURE_ID.fullmatch(artifact_id) is None:
            try:
                self.files.remove(artifact_id)
            except ArtifactNotFound:
                return

    def _picture(self, number: int, trial_id: int) -> bytes:
        try:
            trial, picture = self.view.recorded.get_trial(trial_id), PICTURES[number]
        except LookupError:
            raise ArtifactNotFound("not found") from None
        reached = RungResult.read(trial)
        if reached is None or not picture.can_draw(trial):
            raise ArtifactNotFound("not found")
        key = (number, trial_id, *_state(trial, reached))
        with self._lock:
            drawn = self._drawn.get(key)
        if drawn is None:
            drawn = draw_png(picture, trial, reached)
            with self._lock:
                self._drawn[key] = drawn
                while len(self._drawn) > KEPT:
                    del self._drawn[next(iter(self._drawn))]
        return drawn


def _state(trial: FrozenTrial, reached: RungResult) -> tuple[str, int]:
    """Tell one moment of a trial from another, and from a later trial that was given the number of a deleted one."""
    return f"{trial.datetime_start} {trial.state.name} {reached.rung}", reached.epochs_run
