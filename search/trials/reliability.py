"""Count the trainings of a configuration and how many of them learned: folds, reseeds and confirmations alike.

A reseed counts twice: the training that collapsed, and the one that took its place. A training that a pruner cut short tells
nothing of how it would have ended and is not counted.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from models.training.verdicts import Verdict
from search.statistics.intervals import Share, reliability


class TrainingOutcomes(Protocol):
    """Trainings that were judged, one value a fold."""

    @property
    def verdicts(self) -> Sequence[str]: ...
    @property
    def reseeds(self) -> Sequence[int]: ...


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


def tally(judged: Iterable[TrainingOutcomes]) -> Tally:
    """Count the trainings of some cross-validations of one configuration."""
    verdicts, reseeds = [], 0
    for one in judged:
        verdicts += [verdict for verdict in one.verdicts if verdict != Verdict.UNFINISHED]
        reseeds += sum(one.reseeds)
    return Tally(verdicts.count(Verdict.LEARNED), verdicts.count(Verdict.OVERTRAINED), len(verdicts) + reseeds)
