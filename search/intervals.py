"""Shares of pits, or of trials: their intervals, by scipy, and their standard errors."""

from __future__ import annotations

import math
from dataclasses import dataclass

from scipy.stats import binomtest

LEVEL = 0.9


@dataclass(frozen=True)
class Share:
    """A share with its 90 % Wilson score interval (Wilson 1927)."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.value:.3f} [{self.low:.3f}, {self.high:.3f}]"


def wilson(hits: int, of: int) -> Share:
    """Give the share `hits / of` with its interval; `of` must be above 0."""
    interval = binomtest(hits, of).proportion_ci(confidence_level=LEVEL, method="wilson")
    return Share(hits / of, float(interval.low), float(interval.high))


def standard_error(hits: int, of: int) -> float:
    """Give the standard error of the share `hits / of`, with two hits and two misses added (Agresti & Coull 1998).

    Without them a share of 0 or 1 would have none.
    """
    share = (hits + 2) / (of + 4)
    return math.sqrt(share * (1 - share) / (of + 4))
