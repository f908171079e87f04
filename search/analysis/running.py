"""What runs in a study, what waits on rungs, what pruning spares, and how long a search will still take.

Times follow from measured costs. Knows nothing of how it is shown.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from optuna.trial import FrozenTrial, TrialState

from search.pruning.promotion import PROMOTION, seconds_left
from search.storage.optuna_internals import trial_id_of
from search.storage.progress_table import read_progress
from search.storage.rung_table import Standing, read_standings
from search.studies.launch_record import LaunchRecord
from search.studies.plan import Plan
from search.studies.study import Study
from search.trials.progress import TrialProgress
from search.trials.records import PAUSED, RungResult, TrialOrigin, is_done, is_paused


@dataclass(frozen=True)
class Tables:
    """What the tables of ours beside Optuna's say of a study."""

    # By the id of a trial, of those that run.
    progress: Mapping[int, TrialProgress] = field(default_factory=dict)
    standings: Collection[Standing] = ()


@dataclass(frozen=True)
class RunningTrial:
    """A trial that a worker trains."""

    trial: FrozenTrial
    # Host and process of the worker.
    worker: str
    # The last rung that it reached; None before the first.
    rung: str | None
    # None until its worker has said how far it is.
    progress: TrialProgress | None


def read_tables(study: Study) -> Tables:
    """Read how far running trials are, and how trials stand on rungs."""
    number = study.id
    texts, standings = study.backend.transact(
        lambda session: (read_progress(session, number), read_standings(session, number)), reads=True
    )
    read = {trial_id: TrialProgress.read(text) for trial_id, text in texts.items()}
    return Tables({trial_id: progress for trial_id, progress in read.items() if progress is not None}, standings)


def running_trials(trials: Sequence[FrozenTrial], tables: Tables) -> list[RunningTrial]:
    """Give the trials that run, in the order of their numbers."""
    running = []
    for trial in trials:
        if trial.state == TrialState.RUNNING:
            reached, origin = RungResult.read(trial), TrialOrigin.read(trial)
            worker, rung = origin.worker if origin else "", reached.rung if reached else None
            running.append(RunningTrial(trial, worker, rung, tables.progress.get(trial_id_of(trial))))
    return running


def paused_on_rungs(trials: Sequence[FrozenTrial], plan: Plan) -> list[tuple[str, int]]:
    """Count the trials that are paused on each rung, the highest rung first; rungs without one are left out."""
    paused = Counter(PAUSED.read(trial) for trial in trials if is_paused(trial))
    return [(str(rung), paused[str(rung)]) for rung in reversed(plan.ladder.rungs) if paused[str(rung)]]


def spared(trials: Sequence[FrozenTrial], plan: Plan) -> float | None:
    """Give the share of the epochs of whole cross-validations that trials were spared so far; None where none is done."""
    costs = {str(rung): rung.cost for rung in plan.ladder.rungs}
    done = [reached for trial in trials if is_done(trial) and (reached := RungResult.read(trial)) is not None]
    if not done:
        return None
    return 1 - sum(costs.get(reached.rung, 0) for reached in done) / (len(done) * plan.ladder.rungs[-1].cost)


def time_left(
    launched: LaunchRecord | None, now: tuple[str, float], trials: Sequence[FrozenTrial], plan: Plan, tables: Tables
) -> float | None:
    """Estimate the seconds left, never past the deadline; None where that is not known. `now`: by the database's clock.

    Where trials are promoted, by what new trials and the climb of the best to the top cost; under a pruner by the pace at which
    trials ended since the launch.
    """
    done, running = sum(map(is_done, trials)), sum(trial.state == TrialState.RUNNING for trial in trials)
    if launched is None or not running:  # nothing is left where nothing runs
        return 0.0 if launched and done >= (launched.trials or 0) else None
    clock, seconds = now
    if clock != launched.clock:
        return None  # the machine was started again, and its clock with it
    estimates = [] if launched.deadline is None else [max(launched.deadline - seconds, 0.0)]
    if launched.trials is not None:
        estimate = _promoting(launched.trials, running, plan, tables) if plan.options.pruner == PROMOTION else None
        if plan.options.pruner != PROMOTION and done > launched.finished:
            pace = (seconds - launched.started) / (done - launched.finished)
            estimate = pace * max(launched.trials - done, 0)
        estimates += [estimate] if estimate else []  # nothing is left of the estimate, and yet a trial runs: nobody knows
    return min(estimates) if estimates else None


def _promoting(trials: int, workers: int, plan: Plan, tables: Tables) -> float | None:
    epochs = {trial_id: progress.epochs_run for trial_id, progress in tables.progress.items()}
    return seconds_left(tables.standings, [rung.cost for rung in plan.ladder.rungs], trials, workers, epochs)
