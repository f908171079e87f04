"""Pruners by name, each made for a ladder. The trial reports at every rung, its step being the fold-epochs spent.

To add a pruner, add one entry to PRUNERS.
"""

from __future__ import annotations

from collections.abc import Callable, Container

import optuna
from optuna.pruners import BasePruner, MedianPruner, NopPruner, SuccessiveHalvingPruner
from optuna.trial import FrozenTrial, TrialState

from search.errors import StudyError
from search.pruning.trailing import TrailingPruner
from search.trials.ladder import Ladder
from search.trials.records import RungResult

# Trials that finish before the median of the others means anything.
MEDIAN_STARTUP = 5
# Of the trials on a rung one in so many goes on when the cost has grown as many times.
REDUCTION = 3


class SurvivorMedian(MedianPruner):
    """Optuna's median pruner, blind to audited trials that it would have ended: they would lower the median for the others."""

    def prune(self, study: optuna.Study, trial: FrozenTrial) -> bool:
        """Tell whether a trial is to be pruned."""
        return super().prune(_Survivors(study), trial)  # type: ignore[arg-type]  # all of a study that the pruner asks for


class _Survivors:
    """A study without the audited trials that pruning would have ended."""

    def __init__(self, study: optuna.Study) -> None:
        self.study, self.direction = study, study.direction

    def get_trials(self, deepcopy: bool = True, states: Container[TrialState] | None = None) -> list[FrozenTrial]:
        return [trial for trial in self.study.get_trials(deepcopy, states) if not _is_doomed(trial)]


def _is_doomed(trial: FrozenTrial) -> bool:
    reached = RungResult.read(trial)
    return reached is not None and reached.would_prune is not None


def _trailing(ladder: Ladder) -> BasePruner:
    """Stop a trial below every good one on the same rung."""
    return TrailingPruner(ladder)


def _halving(ladder: Ladder) -> BasePruner:
    """Asynchronous successive halving (Li et al. 2020, arXiv:1810.05934), counted in fold-epochs."""
    return SuccessiveHalvingPruner(min_resource=ladder.rungs[0].cost, reduction_factor=REDUCTION)


def _median(ladder: Ladder) -> BasePruner:
    """Stop a trial under the median of the others on the same rung."""
    return SurvivorMedian(n_startup_trials=MEDIAN_STARTUP)


def _none(ladder: Ladder) -> BasePruner:
    """Climb the whole ladder with every trial."""
    return NopPruner()


PRUNERS: dict[str, Callable[[Ladder], BasePruner]] = {
    "trailing": _trailing,
    "halving": _halving,
    "median": _median,
    "none": _none,
}


def check_pruner(name: str) -> None:
    """Raise StudyError for an unknown name."""
    if name not in PRUNERS:
        raise StudyError(f"a pruner must be one of {', '.join(PRUNERS)}, but got {name!r}; correct it.")


def make_pruner(name: str, ladder: Ladder) -> BasePruner:
    """Make a pruner. Raises StudyError for an unknown name."""
    check_pruner(name)
    return PRUNERS[name](ladder)
