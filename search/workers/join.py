"""Join a study that was launched: what a worker needs, from the study alone and the folders that it can see."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from search import defaults
from search.errors import StudyError
from search.storage.checkpoints import open_runs
from search.studies.launch_record import LaunchRecord, last_launch
from search.studies.study import Study, check_version, study_data
from search.workers.devices import check_device
from search.workers.stop_signal import StopSignal, StopSource, stop_after
from search.workers.worker import Job, work


def join(
    study: Study,
    *,
    data: str | Path | None = None,
    runs: str | Path | None = None,
    device: str = defaults.DEVICE,
    order: StopSource = lambda: None,
) -> Iterator[int]:
    """Work on a study until the budget of its last launch is done, or an order comes; give each trial's number when it ends.

    `data`, `runs`: where the data set and the folder of checkpoints are, if not where the launch had them. Raises StudyError
    where the study was never launched, or was made by another version or from other data.
    """
    check_device(device)
    job, launched = job_of(study, data=data, runs=runs, device=device)
    yield from work(job, StopSignal([order, stop_after(launched.left_s(study))]))


def job_of(
    study: Study, *, data: str | Path | None = None, runs: str | Path | None = None, device: str = defaults.DEVICE
) -> tuple[Job, LaunchRecord]:
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
    return Job(study, plan, plan.search_set(loaded), "", open_runs(root, study.name, study.uid), device), launched
