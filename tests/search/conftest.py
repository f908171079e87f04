"""One small finished study, made once and copied to whoever changes it."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from foils import Dataset
from search.studies.study import Study
from tests.support.studies import start


@pytest.fixture(params=["sqlite", "postgresql"])
def storage_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of a new database of either kind."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/studies.db"
    url: str = request.getfixturevalue("postgres_url")
    return url


@pytest.fixture(scope="session")
def finished_folder(tiny: Dataset, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("finished")
    start(tiny, folder)
    return folder


@pytest.fixture(scope="session")
def two_folder(tiny: Dataset, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("two")
    start(tiny, folder, study="two", trials=4, objectives=("acceptance", "cost"), pruner="median", ladder="1x1,5x2", audit=0.0)
    return folder


@pytest.fixture
def two(two_folder: Path, tmp_path: Path) -> Study:
    """A study of four trials with two objectives, free to be changed."""
    shutil.copy(two_folder / "studies.db", tmp_path / "two.db")
    return Study("two", f"sqlite:///{tmp_path}/two.db")


@pytest.fixture
def finished(finished_folder: Path, tmp_path: Path) -> Study:
    """A study of three complete trials, free to be changed."""
    shutil.copy(finished_folder / "studies.db", tmp_path / "studies.db")
    return Study("tiny", f"sqlite:///{tmp_path}/studies.db")
