"""What the last launch of a study asked for, kept in the study: the budget that workers share, the deadline, the checkpoints.

Times are by the clock of the study's database, so that no machine's own clock matters. Knows nothing of how trials are run.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from optuna.trial import FrozenTrial, TrialState

from search import defaults
from search.errors import StudyError
from search.storage.checkpoints import open_runs
from search.storage.clock import read_clock
from search.storage.places import LAUNCH
from search.studies.options import Budget
from search.studies.study import Study
from search.trials.formats import Migration, from_plain, to_plain, upgrade
from search.trials.records import is_done, is_interrupted


@dataclass(frozen=True)
class LaunchRecord:
    """What one launch of a study asked for."""

    # Tells it from other launches.
    launch_id: str
    # Trials that the study is to have, finished or paused; None for as many as fit into the time.
    trials: int | None
    # Those that it had before.
    finished: int
    # Failed trials that it had before.
    failed: int
    workers: int
    # The name of the clock that `started` and `deadline` are counted by.
    clock: str
    # In seconds.
    started: float
    # In seconds; None where there is no limit.
    deadline: float | None
    # The study's folder of checkpoints.
    runs: str

    def left_s(self, study: Study) -> float | None:
        """Give the seconds until the deadline; None where there is none, or the clock is another's."""
        clock, now = now_of(study)
        return None if self.deadline is None or clock != self.clock else self.deadline - now


def now_of(study: Study) -> tuple[str, float]:
    """Read the clock of a study's database: its name, and seconds."""
    return study.backend.transact(read_clock, reads=True)


def write_launch_record(study: Study, budget: Budget, workers: int, runs: Path) -> LaunchRecord:
    """Write down what a launch asks for. Raises StudyError where the folder of checkpoints cannot be written to."""
    trials = study.optuna.get_trials(deepcopy=False)
    clock, now = now_of(study)
    record = LaunchRecord(
        launch_id=uuid.uuid4().hex,
        trials=budget.trials,
        finished=sum(is_done(trial) for trial in trials),
        failed=sum(trial.state == TrialState.FAIL for trial in trials),
        workers=workers,
        clock=clock,
        started=now,
        deadline=None if budget.minutes is None else now + 60 * budget.minutes,
        runs=str(open_runs(runs, study.name, study.uid)),
    )
    _write(study, record)
    return record


def begin_no_more(study: Study, record: LaunchRecord, trials: Sequence[FrozenTrial]) -> None:
    """Let a launch begin no further trials than those that are there; what another launch asked for since stays."""
    newest = last_launch(study)
    if newest is not None and newest.launch_id == record.launch_id:
        begun = [trial for trial in trials if is_done(trial) or is_interrupted(trial) or trial.state == TrialState.RUNNING]
        _write(study, replace(newest, trials=len(begun)))


def _write(study: Study, record: LaunchRecord) -> None:
    study.optuna.set_user_attr(LAUNCH, {"format": len(MIGRATIONS) + 1, **to_plain(record)})


def last_launch(study: Study) -> LaunchRecord | None:
    """Read what the last launch of a study asked for; None where there was none."""
    stored, what = study.optuna.user_attrs.get(LAUNCH), f"the last launch of study {study.name!r}"
    return None if stored is None else from_plain(LaunchRecord, upgrade(stored, MIGRATIONS, what), what)


def target_of(name: str, storage: str) -> int:
    """Give the trials that the last launch of the study of this name asked for; the default where it named no number."""
    try:
        launched = last_launch(Study(name, storage))
    except (StudyError, KeyError):  # Optuna's word for a study that is not there
        launched = None
    return defaults.TRIALS if launched is None or launched.trials is None else launched.trials


def _name_launch_id(stored: dict[str, Any]) -> dict[str, Any]:
    """Format 1, of version 0.1.0, to 2: `mark` is `launch_id`."""
    return {("launch_id" if name == "mark" else name): value for name, value in stored.items()}


# Each takes the format of its place, counted from 1, to the next.
MIGRATIONS: tuple[Migration, ...] = (_name_launch_id,)
