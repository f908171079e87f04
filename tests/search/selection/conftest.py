"""The finished study with a folder of checkpoints of its own: selections write models into it."""

from __future__ import annotations

from pathlib import Path

import pytest

from search.storage.checkpoints import open_runs
from search.storage.places import LAUNCH
from search.studies.study import Study


@pytest.fixture
def finished(finished: Study, tmp_path: Path) -> Study:
    """A study of three complete trials, free to be changed, with `runs` beside its database."""
    launched, runs = finished.optuna.user_attrs[LAUNCH], open_runs(tmp_path / "runs", finished.name, finished.uid)
    finished.optuna.set_user_attr(LAUNCH, {**launched, "runs": str(runs)})
    return finished
