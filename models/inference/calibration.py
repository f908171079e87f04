"""Calibrate scores by a temperature, so that P(signal) is a probability: one number, which keeps the order of the pits.

Temperature scaling (Guo et al. 2017, arXiv:1706.04599), of the log-odds of P(signal) after members and images are averaged: it
is the score that people see that is to be a probability. Fitted on scores out of fold. Knows nothing of torch.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize_scalar
from scipy.special import expit, logit
from sklearn.metrics import log_loss

from models.metrics import Flags, Floats

# Scores of exactly 0 and 1 have no log-odds; float64 tells these from them.
CLOSE = 1e-15
# Temperatures that are tried: from a hundred times too timid to a hundred times too sure.
COLDEST, HOTTEST = 0.01, 100.0


@dataclass(frozen=True)
class Calibration:
    """A temperature, and the log-loss of P(signal) before and after it, on the scores that it was fitted on."""

    temperature: float
    before: float
    after: float


def calibrated(scores: Floats, temperature: float) -> Floats:
    """Divide the log-odds of scores by a temperature; 1 leaves them as they are. `scores`: any shape, in [0, 1]."""
    if temperature == 1.0:
        return scores
    cooled: Floats = expit(logit(np.clip(scores.astype(np.float64), CLOSE, 1 - CLOSE)) / temperature)
    return cooled


def fit_temperature(scores: Floats, is_signal: Flags) -> Calibration:
    """Find the temperature of least log-loss. `scores`, `is_signal`: `[pits]`, out of fold, scored pits only."""

    def loss(log_temperature: float) -> float:
        return float(log_loss(is_signal, calibrated(scores, float(np.exp(log_temperature))), labels=[False, True]))

    minimum = minimize_scalar(loss, bounds=(np.log(COLDEST), np.log(HOTTEST)), method="bounded")
    return Calibration(float(np.exp(minimum.x)), loss(0.0), float(minimum.fun))
