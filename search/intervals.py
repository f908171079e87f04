"""Intervals of shares of pits, by scipy."""

from __future__ import annotations

from dataclasses import dataclass

from scipy.stats import binomtest

LEVEL = 0.9


@dataclass(frozen=True)
class Share:
    """A share of pits with its 90 % Wilson score interval (Wilson 1927)."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.value:.3f} [{self.low:.3f}, {self.high:.3f}]"


def wilson(hits: int, pits: int) -> Share:
    """Give the share `hits / pits` with its interval; `pits` must be above 0."""
    interval = binomtest(hits, pits).proportion_ci(confidence_level=LEVEL, method="wilson")
    return Share(hits / pits, float(interval.low), float(interval.high))
