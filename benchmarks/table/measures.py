"""What the recorded table keeps of scores: acceptance at several rates, and its mean over the low ones with its error."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from sklearn.metrics import roc_curve

from models.metrics import Flags, Floats, mean_acceptance

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
    return Measures(acceptance, *mean_acceptance(scores, is_signal, LOW), float(np.trapezoid(accepted, rates)))
