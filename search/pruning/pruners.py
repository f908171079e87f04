"""Pruners by name, each made for a ladder. The trial reports at every rung, its step being the fold-epochs spent.

To add a pruner, add one entry to PRUNERS.
"""

from __future__ import annotations

from collections.abc import Callable

from optuna.pruners import BasePruner, NopPruner, SuccessiveHalvingPruner

from pitsearch.errors import did_you_mean
from search.errors import StudyError
from search.pruning.median import MedianOnRungPruner
from search.pruning.promotion import PROMOTION
from search.pruning.trailing import TrailingPruner
from search.trials.ladder import Ladder

# Of the trials on a rung one in so many goes on when the cost has grown as many times.
REDUCTION = 3


def _trailing(ladder: Ladder) -> BasePruner:
    """Stop a trial below every good one on the same rung."""
    return TrailingPruner(ladder)


def _halving(ladder: Ladder) -> BasePruner:
    """Asynchronous successive halving (Li et al. 2020, arXiv:1810.05934), counted in fold-epochs."""
    return SuccessiveHalvingPruner(min_resource=ladder.rungs[0].cost, reduction_factor=REDUCTION)


def _median(ladder: Ladder) -> BasePruner:
    """Stop a trial under the median of the others on the same rung."""
    return MedianOnRungPruner()


def _none(ladder: Ladder) -> BasePruner:
    """Climb the whole ladder with every trial."""
    return NopPruner()


def _promotion(ladder: Ladder) -> BasePruner:
    """End no trial: `search/storage/pausing.py` pauses those that `search/pruning/promotion.py` does not promote."""
    return NopPruner()


PRUNERS: dict[str, Callable[[Ladder], BasePruner]] = {
    PROMOTION: _promotion,
    "trailing": _trailing,
    "halving": _halving,
    "median": _median,
    "none": _none,
}


def check_pruner(name: str) -> None:
    """Raise StudyError for an unknown name."""
    if name not in PRUNERS:
        raise StudyError(f"a pruner must be one of {', '.join(PRUNERS)}, but got {name!r}; {did_you_mean(name, PRUNERS)}.")


def make_pruner(name: str, ladder: Ladder) -> BasePruner:
    """Make a pruner. Raises StudyError for an unknown name."""
    check_pruner(name)
    return PRUNERS[name](ladder)
