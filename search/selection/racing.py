"""Race configurations: after two rounds, and after each round that follows, drop those that can no longer win.

All have been cross-validated on the same fresh splits and are drawn alike (`search/statistics/bootstrap.py`), so that a rival's
draws are paired with the leader's: pits that are hard for both cancel. They are compared by their mean acceptance over low
false-positive rates, which orders configurations as the acceptance at the working point does, with less noise
(`benchmarks/replay/resolution.py`). A rival is dropped where the leader's lies above its own beyond chance, by the standard
deviation of the paired differences. What a bootstrap over few repeats leaves out of their variance is added. A race makes that
comparison at most once for every rival and round after the first; each is made at ERROR over their number (Bonferroni), so
that the best configuration is dropped in at most ERROR of the races. A configuration is also dropped where it cannot pass the
bar of reliability any more, whatever comes: there is no error in that. Knows nothing of training.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import norm

from search.selection.confirmations import Drawn
from search.statistics.bootstrap import BootstrapShare
from search.statistics.intervals import reliability

ERROR = 0.05
# Rounds that all entrants run before any is compared: one repeat says nothing of what seeds do.
FIRST = 2


@dataclass(frozen=True)
class Lag:
    """The difference of a rival from the leader."""

    # How far the rival's mean acceptance lies under the leader's.
    gap: float
    # The chance of as much where the rival is no worse.
    p: float


def lag(leader: BootstrapShare, rival: BootstrapShare) -> Lag:
    """Compare two configurations that were drawn alike, over as many repeats."""
    variance = float((leader.draws - rival.draws).var())
    repeats = np.subtract(leader.by_repeat, rival.by_repeat)
    if len(repeats) > 1:
        # A bootstrap over n repeats has (n - 1) / n of the variance of their mean.
        variance += float(repeats.var(ddof=1)) / len(repeats) ** 2
    gap = leader.value - rival.value
    return Lag(gap, float(norm.sf(gap / max(math.sqrt(variance), 1 / leader.signals))))


def error_of_each(rivals: int, rounds: int) -> float:
    """Give the error of one comparison in a race with so many rivals and rounds."""
    return ERROR / max(rivals * max(rounds - FIRST + 1, 1), 1)


def optimism(entrants: Sequence[Drawn]) -> float:
    """Give by how much choosing the best of these flatters it: its acceptance in a draw above its own as measured, the mean.

    The best of a draw is that with the highest mean acceptance in it, as a selection chooses. Measured acceptances take the
    place of the true ones, and draws that of measurements (the bootstrap's estimate of bias, Efron & Tibshirani 1993, of the
    best of several; cf. Tibshirani & Tibshirani 2009, Annals of Applied Statistics 3).
    """
    if len(entrants) < 2:
        return 0.0
    best = np.stack([one.mean.draws for one in entrants]).argmax(0)
    draws, values = np.stack([one.acceptance.draws for one in entrants]), np.array([one.acceptance.value for one in entrants])
    return max(float((draws[best, np.arange(len(best))] - values[best]).mean()), 0.0)


def is_lost(learned: int, trainings: int, left: int, bar: float) -> bool:
    """Tell whether a configuration's reliability cannot pass the bar any more, even if all trainings that are left learn."""
    return reliability(learned + left, trainings + left).low < bar
