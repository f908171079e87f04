"""Calibrate scores by a temperature and an offset, so that P(signal) is a probability; both preserve the order of the pits.

The log-odds of P(signal), after members and images are averaged, are divided by the temperature (Guo et al. 2017,
arXiv:1706.04599), and the offset is added (Platt 1999): a network trained with class weights or resampling is shown more signal
than there is, which shifts its log-odds, and no temperature takes that back. Fitted on scores out of fold, where the mean
P(signal) is then the share of signal. Knows nothing of torch.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize
from scipy.special import expit, logit

from models.metrics import Flags, Floats

# Scores of exactly 0 and 1 have no log-odds; float64 distinguishes these from 0 and 1.
CLOSE = 1e-15
# Range of temperatures: from scores a hundred times under-confident to a hundred times over-confident.
COLDEST, HOTTEST = 0.01, 100.0
# Largest offset: log-odds of a billion to one. Scores that separate perfectly would ask for any.
FARTHEST = 20.0


@dataclass(frozen=True)
class Calibration:
    """A fitted temperature and offset, and their effect."""

    temperature: float
    # Log-loss of P(signal) without them, on the scores that they were fitted on.
    before: float
    # Log-loss of P(signal) with them, on the same scores.
    after: float
    # Added to the log-odds after they are divided by the temperature.
    offset: float = 0.0


def calibrated(scores: Floats, temperature: float, offset: float = 0.0) -> Floats:
    """Divide the log-odds of scores by a temperature and add an offset; 1 and 0 leave them as they are.

    `scores`: any shape, in [0, 1].
    """
    if temperature == 1.0 and offset == 0.0:
        return scores
    probabilities: Floats = expit(log_odds(scores) / temperature + offset)
    return probabilities


def log_odds(scores: Floats) -> Floats:
    """Give the log-odds of scores in float64: those of float32 end at 16.6, where all pits beyond would be one."""
    odds: Floats = logit(np.clip(scores.astype(np.float64), CLOSE, 1 - CLOSE))
    return odds


def fit_calibration(scores: Floats, is_signal: Flags) -> Calibration:
    """Find the temperature and offset of least log-loss. `scores`, `is_signal`: `[pits]`, out of fold, scored pits only."""
    odds, sign = log_odds(scores), np.where(is_signal, -1.0, 1.0)

    def loss(slope_and_offset: Floats) -> tuple[float, Floats]:
        slope, offset = slope_and_offset
        fitted = slope * odds + offset
        gradient = sign * expit(sign * fitted)
        return float(np.logaddexp(0, sign * fitted).mean()), np.array([(gradient * odds).mean(), gradient.mean()])

    bounds = [(1 / HOTTEST, 1 / COLDEST), (-FARTHEST, FARTHEST)]
    before = loss(np.array([1.0, 0.0]))[0]
    minimum = minimize(loss, np.array([1.0, 0.0]), jac=True, bounds=bounds, method="L-BFGS-B")
    slope, offset = map(float, minimum.x)
    return Calibration(1 / slope, before, float(minimum.fun), offset)


def calibration_error(scores: Floats, is_signal: Flags, bins: int = 10) -> float:
    """Give the expected calibration error: the mean distance of P(signal) from the share of signal, over bins of equal counts.

    Naeini et al. 2015 (AAAI); `scores`, `is_signal`: `[pits]`.
    """
    parts = np.array_split(np.argsort(scores, kind="stable"), min(bins, len(scores)))
    return float(sum(len(part) * abs(scores[part].mean() - is_signal[part].mean()) for part in parts) / len(scores))
