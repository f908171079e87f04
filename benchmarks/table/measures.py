"""What the recorded table keeps of scores: acceptance at several rates, and its mean over the low ones with its error.

The mean acceptance over false-positive rates of 0 to LOW is the partial area under the curve over LOW (McClish 1989). It is a
two-sample statistic: its error follows from what each signal pit and each background pit adds (DeLong et al. 1988).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.stats import rankdata
from sklearn.metrics import roc_curve

from models.metrics import Flags, Floats

RATES = (0.01, 0.02, 0.05, 0.1)
LOW = 0.1


@dataclass(frozen=True)
class Measures:
    """What scores are worth."""

    # At each of RATES.
    acceptance: tuple[float, ...]
    # Over false-positive rates of 0 to LOW.
    mean_acceptance: float
    standard_error: float
    # The area under the whole curve.
    auc: float


def measure(scores: Floats, is_signal: Flags) -> Measures:
    """Measure scores `[pits]`; ties between signal and background count half."""
    rates, accepted, _ = roc_curve(is_signal, scores, drop_intermediate=False)
    acceptance = tuple(float(accepted[np.searchsorted(rates, rate, side="right") - 1]) for rate in RATES)
    return Measures(acceptance, *mean_acceptance(scores, is_signal), float(np.trapezoid(accepted, rates)))


def mean_acceptance(scores: Floats, is_signal: Flags, low: float = LOW) -> tuple[float, float]:
    """Give the mean acceptance over false-positive rates of 0 to `low`, and its standard error."""
    signal, background = scores[is_signal], scores[~is_signal]
    # The share of background above each signal pit, and of signal above each background pit, ties half.
    passed = 1 - _share_below(signal, background)
    caught = 1 - _share_below(background, signal)
    of_signal = np.clip(1 - passed / low, 0, None)
    # The background pits within the first `low` of the background; one on the edge counts by its part.
    ahead = len(background) - rankdata(background)
    inside = np.clip(low * len(background) - ahead, 0, 1)
    # A further one up there moves the edge: it takes away what is caught at the edge, beside what it adds.
    of_background = inside * (caught - caught[inside > 0].max(initial=0.0)) / low
    variance = of_signal.var(ddof=1) / len(signal) + of_background.var(ddof=1) / len(background)
    return float(of_signal.mean()), float(np.sqrt(variance))


def _share_below(of: Floats, others: Floats) -> Floats:
    """Give the share of the others below each value, ties half."""
    ordered = np.sort(others)
    share: Floats = (np.searchsorted(ordered, of, "left") + np.searchsorted(ordered, of, "right")) / (2 * len(ordered))
    return share
