"""Calibrate scores by a temperature, so that P(signal) is a probability: one number, which preserves the order of the pits.

Temperature scaling (Guo et al. 2017, arXiv:1706.04599), of the log-odds of P(signal) after members and images are averaged: the
reported score is the one to be a probability. Fitted on scores out of fold. Knows nothing of torch.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize_scalar
from scipy.special import expit, logit
from sklearn.metrics import log_loss

from models.metrics import Flags, Floats

# Scores of exactly 0 and 1 have no log-odds; float64 distinguishes these from 0 and 1.
CLOSE = 1e-15
# Range of temperatures: from scores a hundred times under-confident to a hundred times over-confident.
COLDEST, HOTTEST = 0.01, 100.0


@dataclass(frozen=True)
class Calibration:
    """A fitted temperature and its effect."""

    temperature: float
    # Log-loss of P(signal) without the temperature, on the scores that it was fitted on.
    before: float
    # Log-loss of P(signal) with it, on the same scores.
    after: float


def calibrated(scores: Floats, temperature: float) -> Floats:
    """Divide the log-odds of scores by a temperature; 1 leaves them as they are. `scores`: any shape, in [0, 1]."""
    if temperature == 1.0:
        return scores
    probabilities: Floats = expit(logit(np.clip(scores.astype(np.float64), CLOSE, 1 - CLOSE)) / temperature)
    return probabilities


def fit_temperature(scores: Floats, is_signal: Flags) -> Calibration:
    """Find the temperature of least log-loss. `scores`, `is_signal`: `[pits]`, out of fold, scored pits only."""

    def loss(log_temperature: float) -> float:
        return float(log_loss(is_signal, calibrated(scores, float(np.exp(log_temperature))), labels=[False, True]))

    minimum = minimize_scalar(loss, bounds=(np.log(COLDEST), np.log(HOTTEST)), method="bounded")
    return Calibration(float(np.exp(minimum.x)), loss(0.0), float(minimum.fun))
