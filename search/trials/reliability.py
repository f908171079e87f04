"""Count the trainings of a configuration and how many of them learned: folds, reseeds and confirmations alike.

A reseed counts twice: the training that collapsed, and the one that took its place; one that was not needed, because the second
started as slowly and learned, counts once. A training that a pruner cut short tells
nothing of how it would have ended and is not counted. Trials of one configuration are counted together: the best of them alone
would be the one that had luck.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from optuna.trial import FrozenTrial, TrialState

from models.training.verdicts import Verdict
from search.statistics.intervals import Share, reliability
from search.trials.records import Recipe, RungResult


class TrainingOutcomes(Protocol):
    """Trainings that were judged, one value a fold."""

    @property
    def verdicts(self) -> Sequence[str]: ...
    @property
    def reseeds(self) -> Sequence[int]: ...
    @property
    def needless(self) -> Sequence[int]: ...


@dataclass(frozen=True)
class Tally:
    """Trainings, and how many of them learned or overtrained."""

    learned: int
    overtrained: int
    trainings: int

    @property
    def reliability(self) -> Share | None:
        """The probability that a training learns, with its interval; None where no training has ended yet."""
        return reliability(self.learned, self.trainings) if self.trainings else None

    def __str__(self) -> str:
        return f"{self.reliability}, {self.learned} of {self.trainings}" if self.trainings else "unknown"


def trainings_of(trial: FrozenTrial, trials: Iterable[FrozenTrial]) -> list[RungResult]:
    """Give what every complete trial of the same configuration as one complete trial recorded, its own first."""
    key = Recipe.demand(trial).key
    others = [one for one in trials if one.state == TrialState.COMPLETE and one.number != trial.number]
    return [RungResult.demand(one) for one in (trial, *(other for other in others if Recipe.demand(other).key == key))]


def twins_of(trial: FrozenTrial, trials: Iterable[FrozenTrial]) -> tuple[int, ...]:
    """Number the other trials of the same configuration as a complete trial."""
    key = Recipe.demand(trial).key
    recipes = ((one.number, Recipe.read(one)) for one in trials if one.number != trial.number)
    return tuple(number for number, recipe in recipes if recipe is not None and recipe.key == key)


def tally(judged: Iterable[TrainingOutcomes]) -> Tally:
    """Count the trainings of some cross-validations of one configuration."""
    verdicts, reseeds = [], 0
    for one in judged:
        verdicts += [verdict for verdict in one.verdicts if verdict != Verdict.UNFINISHED]
        reseeds += sum(one.reseeds) - sum(one.needless)
    return Tally(verdicts.count(Verdict.LEARNED), verdicts.count(Verdict.OVERTRAINED), len(verdicts) + reseeds)
