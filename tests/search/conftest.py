"""One small finished study, made once and copied to whoever changes it."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from foils import Dataset
from search.keeping import Orders
from search.launching import launch
from search.leases import LAUNCH, claim
from search.records import Start
from search.studies import Study
from search.worker import Job, run_trial
from spaces import Range, Space

# Learns the tiny pits within a second, and still varies a name, a whole number and a rate.
SMALL_SPACE = Space(
    {
        "labelling.scheme": ("binary",),
        "channels.mode": ("stacked",),
        "network.name": ("pitnet",),
        "network.depth": (2,),
        "network.width": (4, 8),
        "optimiser.name": ("adam", "adamw"),
        "optimiser.learning_rate": Range(3e-3, 3e-2, log=True),
        "optimiser.batch_size": (16,),
        "normalisation": ("dataset",),
    }
)
SHORT = "1x1,5x1,5x6"


def start(data: Dataset, folder: Path, **options: object) -> Study:
    """Launch a small study in a folder, in this process unless told otherwise."""
    given = {"trials": 3, "workers": 1, "ladder": SHORT, "pruner": "none", "working_point": 0.1, **options}
    space = given.pop("space", SMALL_SPACE)
    return launch(data, space, storage=f"sqlite:///{folder}/studies.db", **given)  # type: ignore[arg-type]  # a table of options


@pytest.fixture(params=["sqlite", "postgresql"])
def storage_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of a new database of either kind."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/studies.db"
    url: str = request.getfixturevalue("postgres_url")
    return url


def job_of(study: Study, data: Dataset, folder: Path) -> Job:
    """Make the job of a worker that joins a study in a folder; its budget has room for whatever is asked."""
    plan, opened = study.plan, study.optuna
    opened.set_user_attr(LAUNCH, {**opened.user_attrs.get(LAUNCH, {}), "trials": 1000, "failed": 0})
    return Job(study, plan, plan.searched(data), "", folder / "runs" / study.name)


def one_more(job: Job, orders: Orders | None = None) -> int:
    """Run one more trial, and give its number."""
    lease = claim(job.study.backend, job.study.id, Start(job.launch, "host:1"))
    assert lease is not None
    run_trial(job, lease, orders or Orders())
    return lease.number


@pytest.fixture(scope="session")
def finished_folder(tiny: Dataset, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("finished")
    start(tiny, folder)
    return folder


@pytest.fixture
def finished(finished_folder: Path, tmp_path: Path) -> Study:
    """A study of three complete trials, free to be changed."""
    shutil.copy(finished_folder / "studies.db", tmp_path / "studies.db")
    return Study("tiny", f"sqlite:///{tmp_path}/studies.db")
