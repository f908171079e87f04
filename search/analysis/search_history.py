"""Tell the history of a search: when each trial ended and how, the best at every moment, the rungs, what pruning saved.

Knows nothing of how it is shown.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from optuna.trial import FrozenTrial, TrialState

from search.statistics.intervals import Share
from search.trials.ladder import Ladder
from search.trials.records import PAUSED, RungResult, is_done, is_paused


class Fate(StrEnum):
    """How a trial ended, or how it stands."""

    COMPLETE = "complete"
    # Paused, taken up again, and complete.
    REVIVED = "revived, complete"
    PAUSED = "paused"
    PRUNED = "pruned"
    FAILED = "failed"
    RUNNING = "running or waiting"


@dataclass(frozen=True)
class TrialPoint:
    """A trial in the history of its search."""

    number: int
    fate: Fate
    # Hours from the start of the first trial to its end; of a paused one to where it was last taken up.
    hours: float
    # Its place among the trials that have ended or are paused, from 1.
    place: int
    # The acceptance of the folds that it has trained; None where it reached no rung.
    acceptance: Share | None


@dataclass(frozen=True)
class BestPoint:
    """The best complete trial from one moment on."""

    number: int
    hours: float
    place: int
    acceptance: Share


@dataclass(frozen=True)
class RungCount:
    """The trials that reached a rung."""

    rung: str
    # Those that ended or stand there, by fate.
    here: Mapping[Fate, int]
    # Those that climbed on.
    climbed: int

    @property
    def reached(self) -> int:
        """All that reached it."""
        return sum(self.here.values()) + self.climbed


@dataclass(frozen=True)
class Saving:
    """What ending trials early saved."""

    # Trials that were paused or pruned.
    trials: int
    # Fold-epochs of the rungs that they did not climb.
    fold_epochs: int
    # Fold-epochs of whole cross-validations, of as many trials as have ended or are paused.
    whole: int
    # Seconds of training that the saved fold-epochs would have taken, each trial at its own pace.
    seconds: float


@dataclass(frozen=True)
class SearchHistory:
    """The history of a search."""

    # When the first trial started, and when the last one ended; None before.
    began: datetime | None
    ended: datetime | None
    # In the order of their ends.
    trials: tuple[TrialPoint, ...]
    best: tuple[BestPoint, ...]
    rungs: tuple[RungCount, ...]
    saving: Saving

    def count(self, *fates: Fate) -> int:
        """Count the trials of some fates."""
        return sum(trial.fate in fates for trial in self.trials)


def search_history(trials: Sequence[FrozenTrial], ladder: Ladder) -> SearchHistory:
    """Tell the history of a search from its trials."""
    results = {trial.number: RungResult.read(trial) for trial in trials}
    began, ended = span_of(trials)
    shown = [(trial, when) for trial in trials if (when := trial.datetime_complete or trial.datetime_start) is not None]
    points, place = [], 0
    for trial, when in sorted(shown, key=lambda one: (one[1], one[0].number)):
        place += is_done(trial) or trial.state == TrialState.FAIL
        result = results[trial.number]
        hours = (when - began).total_seconds() / 3600 if began is not None else 0.0
        share = result.quoted.share if result is not None else None
        points.append(TrialPoint(trial.number, fate_of(trial), hours, place, share))
    return SearchHistory(
        began=began,
        ended=ended,
        trials=tuple(points),
        best=_best(points),
        rungs=_rungs(trials, results, ladder),
        saving=_saving(trials, results, ladder),
    )


def span_of(trials: Sequence[FrozenTrial]) -> tuple[datetime | None, datetime | None]:
    """Say when the first trial started, and when the last one ended; None before."""
    starts = [trial.datetime_start for trial in trials if trial.datetime_start is not None]
    ends = [trial.datetime_complete for trial in trials if trial.datetime_complete is not None]
    return min(starts, default=None), max(ends, default=None)


def fate_of(trial: FrozenTrial) -> Fate:
    """Say how a trial ended, or how it stands."""
    if trial.state == TrialState.COMPLETE:
        return Fate.REVIVED if PAUSED.read(trial) == "" else Fate.COMPLETE
    if is_paused(trial):
        return Fate.PAUSED
    return {TrialState.PRUNED: Fate.PRUNED, TrialState.FAIL: Fate.FAILED}.get(trial.state, Fate.RUNNING)


def _best(points: Sequence[TrialPoint]) -> tuple[BestPoint, ...]:
    """Follow the best complete trial, by the lower bound of its acceptance as everywhere."""
    best: list[BestPoint] = []
    for point in points:
        if point.fate not in (Fate.COMPLETE, Fate.REVIVED) or point.acceptance is None:
            continue
        if not best or point.acceptance.low > best[-1].acceptance.low:
            best.append(BestPoint(point.number, point.hours, point.place, point.acceptance))
    return tuple(best)


def _rungs(trials: Sequence[FrozenTrial], results: Mapping[int, RungResult | None], ladder: Ladder) -> tuple[RungCount, ...]:
    here: dict[int, Counter[Fate]] = {rung.cost: Counter() for rung in ladder.rungs}
    reached: Counter[int] = Counter()
    for trial in trials:
        result = results[trial.number]
        # As `on_rungs` says, which would read the record again.
        steps = result.steps if result is not None and result.steps else trial.intermediate_values
        costs = [cost for cost in steps if cost in here]
        reached.update(costs)
        if costs:
            here[max(costs)][fate_of(trial)] += 1
    return tuple(
        RungCount(str(rung), dict(here[rung.cost]), reached[rung.cost] - here[rung.cost].total()) for rung in ladder.rungs
    )


def _saving(trials: Sequence[FrozenTrial], results: Mapping[int, RungResult | None], ladder: Ladder) -> Saving:
    whole = ladder.rungs[-1].cost
    costs = {str(rung): rung.cost for rung in ladder.rungs}
    early = [trial for trial in trials if is_paused(trial) or trial.state == TrialState.PRUNED]
    saved, seconds = 0, 0.0
    for trial in early:
        result = results[trial.number]
        left = whole - (costs.get(result.rung, 0) if result is not None else 0)
        saved += left
        seconds += left * result.pace if result is not None else 0.0
    return Saving(len(early), saved, whole * sum(map(is_done, trials)), seconds)
