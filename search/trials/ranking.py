"""Rank the complete trials of a study by what the search measured, and find a trial by its number.

One order stands for "best" everywhere: the lower bound of the acceptance pooled over the folds, then the area under the curve,
then the earlier trial. Knows nothing of confirmations or of what is made of the order.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from optuna.trial import FrozenTrial, TrialState

from search.trials.records import Recipe, RungResult


def best_trial(trials: Iterable[FrozenTrial]) -> FrozenTrial | None:
    """Give the best complete trial; None where there is none. Raises StudyError where pitsearch did not run one of them."""
    return min((trial for trial in trials if trial.state == TrialState.COMPLETE), key=_order, default=None)


def rank_trials(trials: Iterable[FrozenTrial]) -> list[FrozenTrial]:
    """Order the complete trials, the best first; of trials with the same configuration the best stands for all."""
    order = sorted((trial for trial in trials if trial.state == TrialState.COMPLETE), key=_order)
    best = {Recipe.demand(trial).key: trial.number for trial in reversed(order)}
    numbers = set(best.values())
    return [trial for trial in order if trial.number in numbers]


def find_trial(trials: Iterable[FrozenTrial], number: int) -> FrozenTrial | None:
    """Give the trial of this number; None where there is none."""
    return next((trial for trial in trials if trial.number == number), None)


def _order(trial: FrozenTrial) -> tuple[float, float, int]:
    result = RungResult.demand(trial)
    return -result.quoted.share.low, -float(np.mean(result.auc)), trial.number
