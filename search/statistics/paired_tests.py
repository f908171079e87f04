"""Compare two configurations, or two shares of the pits, whose folds were cross-validated alike: a paired, corrected t-test.

The differences of acceptance are paired fold by fold. The folds' trainings share pits, so that their differences are not
independent: their variance is not divided by the number of trainings, but times 1 / trainings + 1 / (folds - 1), validation
pits over training pits (Nadeau & Bengio 2003, Machine Learning 52, the corrected resampled t-test). The variance is never less
than if one training had judged one pit otherwise: folds that agree by chance prove nothing. Knows nothing of studies.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import stdtr, stdtrit

from search.statistics.intervals import LEVEL, Share


@dataclass(frozen=True)
class PairedDifference:
    """A mean difference of acceptance over trainings."""

    # The mean difference with its 90 % interval.
    share: Share
    # The chance of as large a difference, or a larger one, where the true one is 0 or less.
    p: float


def compare_paired(
    accepted: npt.NDArray[np.number], others: npt.NDArray[np.number], signals: npt.NDArray[np.number]
) -> PairedDifference:
    """Compare the acceptance of trainings with that of others, paired.

    `accepted`, `others`: signal pits accepted, of so many `signals`; each `[folds]`, or `[repeats, folds]`.
    """
    differences, folds = ((accepted - others) / signals).ravel(), accepted.shape[-1]
    trainings = len(differences)
    variance = max(float(differences.var(ddof=1)), 1 / (trainings * float(signals.mean()) ** 2))
    deviation = math.sqrt(variance * (1 / trainings + 1 / (folds - 1)))
    mean = float(differences.mean())
    half = float(stdtrit(trainings - 1, (1 + LEVEL) / 2)) * deviation
    return PairedDifference(Share(mean, mean - half, mean + half), float(stdtr(trainings - 1, -mean / deviation)))
