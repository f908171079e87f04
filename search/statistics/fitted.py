"""Acceptance at a threshold that background pits of the same sample fixed: its interval and its standard error.

Two chances make the figure: which signal pits were looked at, p (1 - p) / n_s, and where the background pits put the
threshold, slope^2 a (1 - a) / n_b, with a the working point and the slope that of acceptance against false positives there
(the delta method; Pepe 2003, The Statistical Evaluation of Medical Tests, section 5.2). The interval is the score interval
(Wilson 1927) of as many signal pits as would leave as much to chance at a fixed threshold. Below FEW passing background pits a
fold, a fold's own threshold is one of a few steps, and reads acceptance several points too high or too low: one threshold over
the folds together is quoted. The same holds, mirrored, for background rejected at a threshold that signal pits fixed.
`benchmarks/statistics/coverage.py` measures how often the intervals hold the truth. Knows nothing of trials.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from scipy.special import ndtri

from models.metrics import Flags, Floats
from search.statistics.intervals import Share, grouped_wilson, score_interval, worth_of

# Background pits that pass in a fold, from which on its own threshold is quoted; what is said where they are fewer.
FEW = 10
POOLED = f"acceptance is quoted at one threshold over all folds: fewer than {FEW} background pits of a fold may pass"


@dataclass(frozen=True)
class FittedShare:
    """A share of pits that pass a threshold which other pits fixed: of signal, unless said otherwise, fixed by background."""

    # Pits that pass, of `pits`; a mean over repeats need not be whole.
    passed: float
    pits: int
    # Pits that fixed the threshold.
    others: int
    # The share of those that may pass.
    working_point: float
    # By how much the share rises for each share of the others more that passes.
    slope: float
    # Whether the threshold is one over all folds, because a fold has fewer than FEW of the others passing.
    is_pooled: bool = False

    @property
    def value(self) -> float:
        """The share of pits that pass."""
        return self.passed / self.pits

    @property
    def share(self) -> Share:
        """The share with its 90 % interval."""
        centre = (self.passed + 2) / (self.pits + 4)  # a share of 0 or 1 has no variance to compare with
        own = centre * (1 - centre) / self.pits
        interval = score_interval(self.value, self.pits * own / (own + self._others_variance))
        return replace(interval, is_pooled=self.is_pooled)

    @property
    def standard_error(self) -> float:
        """The standard error of the share, with two hits and two misses added (Agresti & Coull 1998)."""
        centre = (self.passed + 2) / (self.pits + 4)
        return math.sqrt(centre * (1 - centre) / (self.pits + 4) + self._others_variance)

    @property
    def _others_variance(self) -> float:
        """The variance that the threshold adds."""
        return self.slope**2 * self.working_point * (1 - self.working_point) / max(self.others, 1)


def fit_acceptance(folds: Sequence[tuple[Floats, Flags]], working_point: float) -> FittedShare:
    """Give the acceptance of folds at their working point; `folds`: scores and whether signal, `[scored pits]`, for each.

    Every fold has a threshold of its own, or all have one where a fold is too small for that.
    """
    parts = [(scores[is_signal], scores[~is_signal]) for scores, is_signal in folds]
    return _fit(parts, working_point)


def fit_rejection(folds: Sequence[tuple[Floats, Flags]], acceptance: float) -> FittedShare:
    """Give the background rejected where at least `acceptance` of the signal passes; `folds` as in `fit_acceptance`."""
    return _fit([(-scores[~is_signal], -scores[is_signal]) for scores, is_signal in folds], 1 - acceptance)


def from_counts(passed: float, pits: int, others: int, working_point: float) -> FittedShare:
    """Give a share of which only counts are known: its slope is that of two normal distributions of equal width."""
    centre, rate = (passed + 2) / (pits + 4), min(max(working_point, 1 / (others + 2)), 1 - 1 / (others + 2))
    slope = math.exp((ndtri(rate) ** 2 - ndtri(centre) ** 2) / 2)
    return FittedShare(passed, pits, others, working_point, slope)


def grouped_acceptance(hits: Flags, groups: npt.NDArray[np.int64], others: int, working_point: float) -> Share:
    """Give the share of pits accepted at a threshold that `others`, background pits of another sample, fixed.

    `hits`, `groups`: `[pits]`. The interval is that of as many pits as the groups are worth; with `others` 0, which is not
    known, it leaves out the chance of the threshold.
    """
    if not others:
        return grouped_wilson(hits, groups)
    worth, value = worth_of(groups), float(hits.mean())
    return replace(from_counts(value * worth, worth, others, working_point).share, value=value)


def accepted_and_rejected(
    accepted: Flags, is_signal: Flags, groups: npt.NDArray[np.int64], others: int, working_point: float
) -> tuple[Share, Share]:
    """Give the acceptance of signal and the rejection of background, `[pits]` each, at a threshold fixed before.

    `others`: as in `grouped_acceptance`.
    """
    acceptance = grouped_acceptance(accepted[is_signal], groups[is_signal], others, working_point)
    return acceptance, grouped_wilson(~accepted[~is_signal], groups[~is_signal])


def mean_of(shares: Sequence[FittedShare]) -> FittedShare:
    """Give the mean over repeats of the same pits, with the interval of one: repeats score the same pits again."""
    passed, slope = (float(np.mean([getattr(one, name) for one in shares])) for name in ("passed", "slope"))
    return replace(shares[0], passed=passed, slope=slope, is_pooled=any(one.is_pooled for one in shares))


def pooled_remarks(shares: Iterable[Share | None]) -> tuple[str, ...]:
    """Give the line that stands under shares of which some were taken at one threshold over all folds; none under others."""
    return (POOLED,) if any(share is not None and share.is_pooled for share in shares) else ()


def is_few(others: Sequence[int] | npt.NDArray[np.int64], working_point: float) -> bool:
    """Tell whether one threshold is quoted over folds with so many background pits each."""
    return len(others) > 1 and min(_passing(count, working_point) for count in others) < FEW


def _fit(parts: Sequence[tuple[Floats, Floats]], working_point: float) -> FittedShare:
    """Count those of the first in each part that pass the threshold which the second fixes."""
    pooled = is_few([len(others) for _, others in parts], working_point)
    joined = np.concatenate([pits for pits, _ in parts]), np.concatenate([others for _, others in parts])
    passed = sum(_count(pits, others, _passing(len(others), working_point)) for pits, others in ([joined] if pooled else parts))
    return FittedShare(float(passed), len(joined[0]), len(joined[1]), working_point, _slope(*joined, working_point), pooled)


def _passing(count: int, working_point: float) -> int:
    """Count the pits that may pass, without what a product of floats lacks of a whole number."""
    return math.floor(working_point * count + 1e-9)


def _count(pits: Floats, others: Floats, passing: int) -> int:
    """Count the pits above the first of the others that may not pass; a tie with it does not pass."""
    if passing >= len(others):
        return len(pits)
    bar = np.partition(others, len(others) - 1 - passing)[len(others) - 1 - passing]
    return int((pits > bar).sum())


def _slope(pits: Floats, others: Floats, working_point: float) -> float:
    """Measure the slope as a secant, over as many of the others to either side as chance moves the threshold by."""
    if not len(pits) or not len(others):
        return 0.0
    middle = working_point * len(others)
    reach = max(middle / 2, math.sqrt(middle), 1.0)
    low, high = max(middle - reach, 0.0), min(middle + reach, float(len(others)))
    return (_between(pits, others, high) - _between(pits, others, low)) / len(pits) * len(others) / (high - low)


def _between(pits: Floats, others: Floats, passing: float) -> float:
    """Count the pits that pass with so many of the others, linear between whole numbers."""
    whole = math.floor(passing)
    least = _count(pits, others, whole)
    return least + (passing - whole) * (_count(pits, others, whole + 1) - least)
