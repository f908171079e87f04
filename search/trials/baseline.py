"""Compare the best trial with the network in use, which every study tries.

The difference is paired: both were trained and scored on the same folds. Its interval covers what another split of the pits
would have given, not the choice of the best among many trials: the held-out set tells what is left of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from optuna.trial import BaseTrial, FrozenTrial, TrialState

from search.statistics.intervals import Share
from search.statistics.paired_tests import compare_paired
from search.trials.records import RungResult, TrialOrigin
from spaces.initial_configs import BASELINE


@dataclass(frozen=True)
class Comparison:
    """The best trial beside the network in use."""

    # The trial of the network in use.
    baseline: FrozenTrial
    # The best trial's acceptance above it; None where the network in use is the best.
    gain: Share | None


def is_baseline(trial: BaseTrial) -> bool:
    """Tell whether a trial is of the network in use."""
    record = TrialOrigin.read(trial)
    return record is not None and record.origin == BASELINE


def compare(trials: Sequence[FrozenTrial], best: FrozenTrial | None) -> Comparison | None:
    """Compare the best trial with the network in use; None while that has not climbed the whole ladder."""
    baseline = next((trial for trial in trials if trial.state == TrialState.COMPLETE and is_baseline(trial)), None)
    if baseline is None or best is None:
        return None
    return Comparison(baseline, None if best is baseline else paired(RungResult.demand(best), RungResult.demand(baseline)))


def paired(one: RungResult, other: RungResult) -> Share:
    """Give the mean difference of acceptance over the folds, with its 90 % interval."""
    return compare_paired(*(np.array(counts) for counts in (one.accepted, other.accepted, one.signals))).share
