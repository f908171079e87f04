"""Join a study that was launched: what a worker needs, from the study alone and the folders that it can see."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from search import defaults
from search.errors import StudyError
from search.storage.checkpoints import open_runs
from search.studies.launch_record import LaunchRecord, last_launch
from search.studies.study import Study, study_data
from search.workers.context import WorkerContext
from search.workers.devices import check_device
from search.workers.stop_signal import StopSignal, StopSource, stop_after
from search.workers.worker import work


def join(
    study: Study,
    *,
    data: str | Path | None = None,
    runs: str | Path | None = None,
    device: str = defaults.DEVICE,
    stop: StopSource = lambda: None,
) -> Iterator[int]:
    """Work on a study until the budget of its last launch is done, or a reason to stop; give each trial's number when it ends.

    `data`, `runs`: where the data set and the folder of checkpoints are, if not where the launch had them. Raises StudyError
    where the study was never launched, or was made from other data.
    """
    check_device(device)
    context, record = join_study(study, data=data, runs=runs, device=device)
    yield from work(context, StopSignal([stop, stop_after(record.left_s(study))]))


def join_study(
    study: Study, *, data: str | Path | None = None, runs: str | Path | None = None, device: str = defaults.DEVICE
) -> tuple[WorkerContext, LaunchRecord]:
    """Give what a worker that joins a study works on, and the launch that it joins."""
    study = study.pinned()
    record, plan = last_launch(study), study.plan
    if record is None:
        raise StudyError(
            f"a study must have been launched before workers join it, but {study.name!r} was not; run pitsearch launch first."
        )
    search_set = plan.search_set(study_data(study, data))
    # Where the folder of the launch is not visible, this makes one, and trials start anew.
    root = Path(runs) if runs is not None else Path(record.runs).parent
    return WorkerContext(study, plan, search_set, "", open_runs(root, study.name, study.uid), device), record
