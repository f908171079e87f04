"""Score a fold: acceptance and rejection at a working point, mean acceptance over low rates, area under the curve, accuracy.

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


def accepted_share(scores: Floats, is_signal: Flags, working_point: float) -> float:
    """Give the signal acceptance at a working point, as `score` does, in a hundredth of its time; NaN where pits are missing.

    `scores`, `is_signal`: `[pits]`, scored pits only.
    """
    signal, background = scores[is_signal], np.sort(scores[~is_signal])
    if not len(signal) or not len(background):
        return math.nan
    rates = np.arange(len(background) + 1) / len(background)
    passing = int(np.searchsorted(rates, working_point, side="right")) - 1
    return float((signal > background[-1 - passing]).mean()) if passing < len(background) else 1.0


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


def mean_acceptance(scores: Floats, is_signal: Flags, low: float) -> tuple[float, float]:
    """Give the mean acceptance over false-positive rates of 0 to `low`, and its standard error.

    It is the partial area under the curve over `low` (McClish 1989), ties half, and varies less from draw to draw than the
    acceptance at one rate. Its error follows from what each signal pit and each background pit adds (DeLong et al. 1988).
    A single pit of either kind tells of no error: it is NaN. `scores`, `is_signal`: `[pits]`, scored pits only.
    """
    from scipy.stats import rankdata  # as above

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
    if min(len(signal), len(background)) < 2:
        return float(of_signal.mean()), math.nan
    variance = of_signal.var(ddof=1) / len(signal) + of_background.var(ddof=1) / len(background)
    return float(of_signal.mean()), float(np.sqrt(variance))


def _share_below(of: Floats, others: Floats) -> Floats:
    """Give the share of the others below each value, ties half."""
    ordered = np.sort(others)
    share: Floats = (np.searchsorted(ordered, of, "left") + np.searchsorted(ordered, of, "right")) / (2 * len(ordered))
    return share
