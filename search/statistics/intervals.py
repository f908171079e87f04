"""Shares of pits, of trials or of trainings at a threshold fixed before: their intervals, and their standard errors.

An acceptance whose threshold the same sample fixed is of `search/statistics/fitted.py`. From scipy.special: scipy.stats takes a
second to import, and `status` needs no more than this.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from functools import lru_cache

import numpy as np
import numpy.typing as npt
from scipy.special import betaincinv, ndtri

LEVEL = 0.9


@dataclass(frozen=True)
class Share:
    """A share with its 90 % interval."""

    value: float
    low: float
    high: float
    # Whether one threshold over all folds gave it, for single folds are too small to fix their own.
    is_pooled: bool = field(default=False, compare=False)

    def __str__(self) -> str:
        return f"{self.value:.3f} [{self.low:.3f}, {self.high:.3f}]"


@lru_cache(maxsize=4096)  # of thousands of trials few have counts of their own
def wilson(hits: int, of: int) -> Share:
    """Give the share `hits / of` with its score interval (Wilson 1927); `of` must be above 0."""
    return score_interval(hits / of, of)


def score_interval(share: float, size: float) -> Share:
    """Give a share with the score interval of so many pits; `size`, above 0, need not be a whole number."""
    square = float(ndtri((1 + LEVEL) / 2)) ** 2 / size
    centre = (share + square / 2) / (1 + square)
    half = math.sqrt(square * (share * (1 - share) + square / 4)) / (1 + square)
    return Share(share, max(centre - half, 0.0) if share else 0.0, min(centre + half, 1.0) if share < 1 else 1.0)


def worth_of(groups: npt.NDArray[np.int64]) -> int:
    """Give the number of independent pits that carry as much as pits in these groups, `[pits]`.

    Pits of a group may all agree: the design effect is then the sum of the groups' squared sizes over the number of pits (Kish
    1965), and so many times fewer pits carry as much.
    """
    sizes = np.unique(groups, return_counts=True)[1]
    return max(1, round(len(groups) ** 2 / int((sizes**2).sum())))


def grouped_wilson(hits: npt.NDArray[np.bool_], groups: npt.NDArray[np.int64]) -> Share:
    """Give the share of pits that are hits with Wilson's interval, for as many pits as the groups are worth.

    `hits`, `groups`: `[pits]`.
    """
    worth, value = worth_of(groups), float(hits.mean())
    return replace(wilson(round(value * worth), worth), value=value)


def reliability(learned: int, trainings: int) -> Share:
    """Give the share of trainings that learned with the equal-tailed interval of the probability to learn.

    Beta-binomial: the number that learned is binomial in that probability, whose prior is Jeffreys's, Beta(1/2, 1/2), so that
    its posterior is Beta(learned + 1/2, failed + 1/2). Where none or all learned, that end is 0 or 1 (Brown, Cai & DasGupta
    2001, Statistical Science 16). `trainings` must be above 0.
    """
    failed = trainings - learned
    low, high = betaincinv(learned + 0.5, failed + 0.5, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return Share(learned / trainings, float(low) if learned else 0.0, float(high) if failed else 1.0)


def standard_error(hits: int, of: int) -> float:
    """Give the standard error of the share `hits / of`, with two hits and two misses added (Agresti & Coull 1998).

    Without them a share of 0 or 1 would have none.
    """
    share = (hits + 2) / (of + 4)
    return math.sqrt(share * (1 - share) / (of + 4))
