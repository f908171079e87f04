"""Shares and rates with their intervals, for numbers that a scan is quoted by. Knows nothing of hits."""

from __future__ import annotations

from dataclasses import dataclass

LEVEL = 0.95


@dataclass(frozen=True)
class Estimate:
    """A number with its 95 % interval."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.value:.3f} [{self.low:.3f}, {self.high:.3f}]"


def share(count: int, of: int) -> Estimate | None:
    """Give the share `count / of` with the exact interval of a binomial (Clopper & Pearson 1934); None of nothing."""
    from scipy.stats import binomtest

    if of == 0:
        return None
    interval = binomtest(count, of).proportion_ci(LEVEL, method="exact")
    return Estimate(count / of, float(interval.low), float(interval.high))


def rate(count: int, area: float) -> Estimate:
    """Give `count / area` with the exact interval of a Poisson number (Garwood 1936); `area` must be above 0."""
    from scipy.special import chdtri

    low = float(chdtri(2 * count, (1 + LEVEL) / 2)) / 2 if count else 0.0
    high = float(chdtri(2 * count + 2, (1 - LEVEL) / 2)) / 2
    return Estimate(count / area, low / area, high / area)
