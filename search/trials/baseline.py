"""Compare the best trial with the network in use, which every study tries.

The difference is paired: both were trained and scored on the same folds. Its interval covers what another split of the pits
would have given, not the choice of the best among many trials: the held-out set tells what is left of it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from optuna.trial import BaseTrial, FrozenTrial, TrialState
from scipy.stats import t as student

from search.statistics.intervals import LEVEL, Share
from search.trials.records import RungResult, TrialOrigin
from spaces.initial_configs import BASELINE


@dataclass(frozen=True)
class Comparison:
    """`baseline`: the trial of the network in use; `gain`: the best's acceptance above it, None where it is the best."""

    baseline: FrozenTrial
    gain: Share | None


def is_baseline(trial: BaseTrial) -> bool:
    """Tell whether a trial is of the network in use."""
    start = TrialOrigin.read(trial)
    return start is not None and start.origin == BASELINE


def compare(trials: Sequence[FrozenTrial], best: FrozenTrial | None) -> Comparison | None:
    """Compare the best trial with the network in use; None while that has not climbed the whole ladder."""
    baseline = next((trial for trial in trials if trial.state == TrialState.COMPLETE and is_baseline(trial)), None)
    if baseline is None or best is None:
        return None
    return Comparison(baseline, None if best is baseline else paired(RungResult.demand(best), RungResult.demand(baseline)))


def paired(one: RungResult, other: RungResult) -> Share:
    """Give the mean difference of acceptance over the folds, with its 90 % interval.

    Student's t over the folds' differences, their variance divided not by k but, as the folds' trainings share pits, times
    1/k + 1/(k - 1) (Nadeau & Bengio 2003, Machine Learning 52, the corrected resampled t-test). The variance is never less
    than if one fold had judged one pit otherwise: folds that agree by chance do not make it sure.
    """
    hits, others, signals = (np.array(counts, float) for counts in (one.accepted, other.accepted, one.signals))
    differences, folds = (hits - others) / signals, len(signals)
    variance = max(float(differences.var(ddof=1)), 1 / (folds * float(signals.mean()) ** 2))
    half = float(student.ppf((1 + LEVEL) / 2, folds - 1)) * math.sqrt(variance * (1 / folds + 1 / (folds - 1)))
    mean = float(differences.mean())
    return Share(mean, mean - half, mean + half)
