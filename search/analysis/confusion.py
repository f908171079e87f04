"""Count what pits of each label are taken for, by the best trial of every labelling scheme. Knows nothing of figures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from optuna.trial import FrozenTrial

from search.analysis.out_of_fold import scores_of_trial
from search.studies.plan import Plan
from search.trials.configuration import config_of
from search.trials.ranking import rank_trials
from search.trials.records import RungResult
from search.trials.stored_scores import read_scores

# What a pit is taken for where an older pitsearch recorded no classes.
PASSING = ("accepted", "rejected")


@dataclass(frozen=True)
class Confusion:
    """Pits by label and by what a trial took them for, out of fold."""

    scheme: str
    trial: int
    labels: tuple[str, ...]
    # Of the scheme, signal first; PASSING where they were not recorded.
    classes: tuple[str, ...]
    # `[labels, classes]`.
    counts: npt.NDArray[np.int64]

    @property
    def shares(self) -> npt.NDArray[np.float64]:
        """The share of each label's pits in each class, `[labels, classes]`."""
        shares: npt.NDArray[np.float64] = self.counts / np.maximum(self.counts.sum(1, keepdims=True), 1)
        return shares


def confusions(
    trials: Sequence[FrozenTrial], plan: Plan, labels: npt.NDArray[np.str_], order: Sequence[str]
) -> tuple[Confusion, ...]:
    """Count for the best complete trial of each scheme, the best scheme first.

    `labels`: of the pits that trials may see, `[pits]`; `order`: in which they are listed.
    """
    best: dict[str, FrozenTrial] = {}
    for trial in rank_trials(trials):
        best.setdefault(config_of(trial).labelling.scheme, trial)
    tables = (_confusion(scheme, trial, plan, labels, order) for scheme, trial in best.items())
    return tuple(table for table in tables if table is not None)


def _confusion(
    scheme: str, trial: FrozenTrial, plan: Plan, labels: npt.NDArray[np.str_], order: Sequence[str]
) -> Confusion | None:
    scored = scores_of_trial(trial, plan)
    if scored is None or len(labels) != len(plan.folds):
        return None
    stored = read_scores(trial, RungResult.demand(trial).rung)
    classes: Sequence[str] = PASSING
    taken = 1 - scored.accepted(plan.options.working_point)[0].astype(np.int64)
    if stored is not None and stored.classes is not None:
        classes, taken = config_of(trial).labelling.classes, stored.classes
    counts = np.array([np.bincount(taken[labels == label], minlength=len(classes)) for label in order])
    return Confusion(scheme, trial.number, tuple(order), tuple(classes), counts)
