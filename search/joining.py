"""Join a study that was launched: what a worker needs, from the study alone and the folders that it can see."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from search import defaults
from search.errors import StudyError
from search.keeping import Order, Orders, by_time
from search.launches import Launched, last_launch
from search.launching import check_device
from search.runs import open_runs
from search.studies import Study, check_version, study_data
from search.worker import Job, work


def join(
    study: Study,
    *,
    data: str | Path | None = None,
    runs: str | Path | None = None,
    device: str = defaults.DEVICE,
    order: Order = lambda: None,
) -> Iterator[int]:
    """Work on a study until the budget of its last launch is done, or an order comes; give each trial's number when it ends.

    `data`, `runs`: where the data set and the folder of checkpoints are, if not where the launch had them. Raises StudyError
    where the study was never launched, or was made by another version or from other data.
    """
    check_device(device)
    job, launched = job_of(study, data=data, runs=runs, device=device)
    yield from work(job, Orders([order, by_time(launched.left_s(study))]))


def job_of(
    study: Study, *, data: str | Path | None = None, runs: str | Path | None = None, device: str = defaults.DEVICE
) -> tuple[Job, Launched]:
    """Make the job of a worker that joins a study, and give the launch that it joins."""
    launched, plan = last_launch(study), study.plan
    if launched is None:
        raise StudyError(
            f"a study must have been launched before workers join it, but {study.name!r} was not; run pitsearch launch first."
        )
    check_version(study)
    loaded = study_data(study, data)
    # Where the folder of the launch is not to be seen, this makes one of its own, and trials start anew.
    root = Path(runs) if runs is not None else Path(launched.runs).parent
    return Job(study, plan, plan.searched(loaded), "", open_runs(root, study.name, study.uid), device), launched
