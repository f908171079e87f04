"""The score by which trials on a rung are compared where they are promoted, and confirmed ones in a race.

Knows nothing of the rule of promotion.
"""

from __future__ import annotations

import math

from models.metrics import mean_acceptance
from search.trials.stored_scores import RungScores

# The mean acceptance is taken over false-positive rates of 0 to so many times the working point.
REACH = 2.0


def reach(working_point: float) -> float:
    """Give the highest false-positive rate that a mean acceptance is taken over."""
    return min(REACH * working_point, 1.0)


def rung_score(scores: RungScores, working_point: float) -> tuple[float, float | None]:
    """Give the mean acceptance over low rates, the mean of the folds, and its standard error over the pits.

    Acceptance at one rate is mostly chance on a rung of one fold, with some forty signal pits; trials are still
    quoted by it. The error is None where a fold has a single pit of a kind.
    """
    folds = [mean_acceptance(*fold, reach(working_point)) for fold in scores.by_fold() if fold[1].any()]
    error = math.hypot(*(error for _, error in folds)) / len(folds)
    return sum(mean for mean, _ in folds) / len(folds), None if math.isnan(error) else error
