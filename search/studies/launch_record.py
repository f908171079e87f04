"""What the last launch of a study asked for, kept in the study: the budget that workers share, the deadline, the checkpoints.

Times are by the clock of the study's database, so that no machine's own clock matters. Knows nothing of how trials are run.
"""

from __future__ import annotations

import uuid
from dataclasses import asdict, dataclass
from pathlib import Path

from optuna.trial import TrialState

from search import defaults
from search.storage.checkpoints import open_runs
from search.storage.clock import read_clock
from search.storage.leases import FINISHED, LAUNCH
from search.storage.urls import is_file, parse_address
from search.studies.study import Study


@dataclass(frozen=True)
class LaunchRecord:
    """A launch.

    `launch_id`: tells it from others; `trials`: finished ones that the study is to have; `finished`, `failed`: those there were
    before; `clock`: what `started` and `deadline`, in seconds, are counted by; `runs`: the study's folder of checkpoints.
    """

    launch_id: str
    trials: int
    finished: int
    failed: int
    workers: int
    clock: str
    started: float
    deadline: float | None
    runs: str

    def left_s(self, study: Study) -> float | None:
        """Give the seconds until the deadline; None where there is none, or the clock is another's."""
        clock, now = now_of(study)
        return None if self.deadline is None or clock != self.clock else self.deadline - now


def now_of(study: Study) -> tuple[str, float]:
    """Read the clock of a study's database: its name, and seconds."""
    return study.backend.transact(read_clock, reads=True)


def write_launch_record(study: Study, *, trials: int, minutes: float | None, workers: int, runs: Path) -> LaunchRecord:
    """Write down what a launch asks for. Raises StudyError where the folder of checkpoints cannot be written to."""
    there = study.optuna.get_trials(deepcopy=False)
    clock, now = now_of(study)
    launched = LaunchRecord(
        launch_id=uuid.uuid4().hex,
        trials=trials,
        finished=sum(trial.state in FINISHED for trial in there),
        failed=sum(trial.state == TrialState.FAIL for trial in there),
        workers=workers,
        clock=clock,
        started=now,
        deadline=None if minutes is None else now + 60 * minutes,
        runs=str(open_runs(runs, study.name, study.uid)),
    )
    study.optuna.set_user_attr(LAUNCH, asdict(launched))
    return launched


def last_launch(study: Study) -> LaunchRecord | None:
    """Read what the last launch of a study asked for; None where there was none."""
    stored = study.optuna.user_attrs.get(LAUNCH)
    # Version 0.1.0 wrote `mark` for `launch_id`.
    return None if stored is None else LaunchRecord(**{"launch_id" if key == "mark" else key: stored[key] for key in stored})


def place_runs(runs: str | Path | None, storage: str) -> Path:
    """Say where the checkpoints of all studies go: beside the database where that is a file, else in the current folder."""
    if runs is not None:
        return Path(runs)
    url = parse_address(storage)
    return (Path(str(url.database)).parent if is_file(url) else Path()) / defaults.RUNS
