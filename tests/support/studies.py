"""Small studies on tiny pits: launch one, take a trial of it, run one more."""

from __future__ import annotations

from pathlib import Path

from foils import Dataset
from search.launcher.launch import launch
from search.storage.leases import LAUNCH, claim
from search.studies.study import Study
from search.trials.records import TrialOrigin
from search.workers.stop_signal import StopSignal
from search.workers.worker import Job, run_trial
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


def job_of(study: Study, data: Dataset, folder: Path) -> Job:
    """Make the job of a worker that joins a study in a folder; its budget has room for whatever is asked."""
    plan, opened = study.plan, study.optuna
    opened.set_user_attr(LAUNCH, {**opened.user_attrs.get(LAUNCH, {}), "trials": 1000, "failed": 0})
    return Job(study, plan, plan.search_set(data), "", folder / "runs" / study.name)


def one_more(job: Job, orders: StopSignal | None = None) -> int:
    """Run one more trial, and give its number."""
    lease = claim(job.study.backend, job.study.id, TrialOrigin(job.launch, "host:1"))
    assert lease is not None
    run_trial(job, lease, orders or StopSignal())
    return lease.number
