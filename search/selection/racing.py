"""Race configurations: after every round, drop those that can no longer win.

All have been cross-validated on the same fresh splits, so that each rival's folds are paired with the leader's. A rival is
dropped where the leader's mean acceptance lies above its own beyond chance: a one-sided t-test over folds times repeats with
the variance of Nadeau and Bengio (2003, Machine Learning 52), for trainings share pits: 1 / trainings + validation / training
pits in place of 1 / trainings. A race asks that question at most once for every rival and round; each is asked at ERROR over
their number (Bonferroni), so that the best configuration is dropped in at most ERROR of the races, as far as that variance is
right. A configuration is also dropped where it cannot pass the bar of reliability any more, whatever comes: there is no error
in that. Knows nothing of training.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.stats import t as student

from search.statistics.intervals import reliability

ERROR = 0.05

Counts = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Lag:
    """How far a rival lies under the leader, `gap`, and the chance of as much where it is no worse, `p`."""

    gap: float
    p: float


def lag(leader: Counts, rival: Counts, signals: Counts) -> Lag:
    """Compare accepted signal pits, `[repeats, folds]` each, of so many `signals`.

    The variance is never less than if one fold had judged one pit otherwise: folds that agree by chance make nothing sure.
    """
    differences = ((leader - rival) / signals).ravel()
    trainings, folds = len(differences), leader.shape[1]
    variance = max(float(differences.var(ddof=1)), 1 / (trainings * float(signals.mean()) ** 2))
    deviation = math.sqrt(variance * (1 / trainings + 1 / (folds - 1)))
    gap = float(differences.mean())
    return Lag(gap, float(student.sf(gap / deviation, trainings - 1)))


def error_of_each(rivals: int, rounds: int) -> float:
    """Give the error of one comparison in a race with so many rivals and rounds."""
    return ERROR / max(rivals * rounds, 1)


def is_lost(learned: int, trainings: int, left: int, bar: float) -> bool:
    """Tell whether a configuration's reliability cannot pass the bar any more, even if all trainings that are left learn."""
    return reliability(learned + left, trainings + left).low < bar
