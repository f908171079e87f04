"""Score a fold: acceptance and rejection at a working point, rejection at high acceptance, area under the curve, accuracy.

The same score, P(signal), against every pit that is not signal, whatever the labelling scheme. Knows nothing of torch.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.floating]
Flags = npt.NDArray[np.bool_]

# Rejection is also quoted where this share of the signal is accepted: at the working point its value is fixed.
HIGH = 0.9


@dataclass(frozen=True)
class Score:
    """How well scores separate signal from background."""

    # Least score accepted.
    threshold: float
    # Signal pits accepted, of `signals`.
    accepted: int
    # Signal pits scored.
    signals: int
    # Background pits rejected, of `backgrounds`.
    rejected: int
    # Background pits scored.
    backgrounds: int
    # Background pits rejected where at least HIGH of the signal is accepted.
    rejected_high: int
    # Area under the curve, over all working points.
    auc: float

    @property
    def acceptance(self) -> float:
        """The share of signal pits accepted."""
        return self.accepted / self.signals

    @property
    def rejection(self) -> float:
        """The share of background pits rejected."""
        return self.rejected / self.backgrounds

    @property
    def rejection_high(self) -> float:
        """The share of background pits rejected where at least HIGH of the signal is accepted."""
        return self.rejected_high / self.backgrounds


def threshold_at(scores: Floats, is_signal: Flags, working_point: float) -> float:
    """Find the least threshold whose false-positive rate does not pass the working point.

    `scores`, `is_signal`: `[pits]`, scored pits only. Where even the first step passes it, nothing can be accepted and the
    threshold lies just above the highest score.
    """
    from sklearn.metrics import roc_curve  # takes seconds to import, which commands that only read a study do not need

    rates, _, thresholds = roc_curve(is_signal, scores, drop_intermediate=False)
    threshold = thresholds[np.searchsorted(rates, working_point, side="right") - 1]
    return float(threshold if np.isfinite(threshold) else np.nextafter(np.float64(scores.max()), np.inf))


def _rejected_high(scores: Floats, is_signal: Flags) -> int:
    """Count the background pits below the highest threshold that at least HIGH of the signal passes."""
    signal = np.sort(scores[is_signal])
    threshold = signal[-math.ceil(round(HIGH * len(signal), 6))]
    return int((scores[~is_signal] < threshold).sum())


def score(scores: Floats, is_signal: Flags, *, working_point: float | None = None, threshold: float | None = None) -> Score:
    """Score at a working point, or at a threshold fixed before.

    `scores`, `is_signal`: `[pits]`, scored pits only, signal and background among them.
    """
    from sklearn.metrics import roc_auc_score  # as above

    if threshold is None:
        if working_point is None:
            raise ValueError("`working_point` or `threshold` must be given, but got neither; pass one.")
        threshold = threshold_at(scores, is_signal, working_point)
    accepts = scores >= threshold
    return Score(
        threshold=threshold,
        accepted=int((accepts & is_signal).sum()),
        signals=int(is_signal.sum()),
        rejected=int((~accepts & ~is_signal).sum()),
        backgrounds=int((~is_signal).sum()),
        rejected_high=_rejected_high(scores, is_signal),
        auc=float(roc_auc_score(is_signal, scores)),
    )
