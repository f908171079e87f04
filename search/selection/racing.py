"""Race configurations: after every round, drop those that can no longer win.

All have been cross-validated on the same fresh splits, so that each rival's folds are paired with the leader's. A rival is
dropped where the leader's mean acceptance lies above its own beyond chance: a one-sided, corrected t-test over folds times
repeats (`search/statistics/paired_tests.py`). A race runs that test at most once for every rival and round; each is run at
ERROR over their number (Bonferroni), so that the best configuration is dropped in at most ERROR of the races, as far as that
test's variance is right. A configuration is also dropped where it cannot pass the bar of reliability any more, whatever comes:
there is no error in that. Knows nothing of training.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from search.statistics.intervals import reliability
from search.statistics.paired_tests import compare_paired

ERROR = 0.05

Counts = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Lag:
    """The difference of a rival from the leader."""

    # How far the rival's mean acceptance lies under the leader's.
    gap: float
    # The chance of as much where the rival is no worse.
    p: float


def lag(leader: Counts, rival: Counts, signals: Counts) -> Lag:
    """Compare accepted signal pits, `[repeats, folds]` each, of so many `signals`."""
    difference = compare_paired(leader, rival, signals)
    return Lag(difference.share.value, difference.p)


def error_of_each(rivals: int, rounds: int) -> float:
    """Give the error of one comparison in a race with so many rivals and rounds."""
    return ERROR / max(rivals * rounds, 1)


def is_lost(learned: int, trainings: int, left: int, bar: float) -> bool:
    """Tell whether a configuration's reliability cannot pass the bar any more, even if all trainings that are left learn."""
    return reliability(learned + left, trainings + left).low < bar
