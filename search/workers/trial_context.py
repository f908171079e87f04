"""What a worker gives a trial that it runs: what to ask after a step and an epoch, whom to tell, and where checkpoints go.

Knows nothing of workers or of how a trial climbs.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from statistics import fmean

from models.training.cross_validation import CrossValidation
from search.storage.checkpoints import CheckpointStore
from search.trials.progress import TrialProgress, thin_out
from search.trials.records import RungResult


def _nothing() -> None:
    """Do nothing."""


def _ignore(progress: TrialProgress) -> None:
    """Tell nobody how far a trial has come."""


def _climb_on(result: RungResult, height: int) -> bool:
    """Climb on, whatever other trials do."""
    return True


@dataclass(frozen=True)
class TrialContext:
    """What a worker gives a trial."""

    # Called after every epoch; may raise to stop the trial.
    check: Callable[[], None] = _nothing
    # Told after every epoch how far the trial has come.
    report: Callable[[TrialProgress], None] = _ignore
    # Called after every step; may raise to stop the trial.
    interrupt: Callable[[], None] = _nothing
    # Puts what is written within into one transaction.
    transaction: Callable[[], AbstractContextManager[None]] = nullcontext
    # Where checkpoints are kept; None for a trial that is not to go on.
    checkpoints: CheckpointStore | None = None
    # Told how the trial stands on a rung, and the rung's number from 0; tells whether it climbs on. Where not, it is paused.
    stands: Callable[[RungResult, int], bool] = _climb_on


def progress_of(validation: CrossValidation, rung: str) -> TrialProgress:
    """Give how far a cross-validation has come on its way to a rung; of folds trained together the mean loss."""
    trainings = [validation.trainings[fold] for fold in validation.latest]
    fold, epoch = (validation.latest[0] if len(trainings) == 1 else None), max(training.epoch for training in trainings)
    going = [training.validation_loss for training in trainings if training.epoch == epoch]  # the others ended before
    losses = [fmean(at_epoch) for at_epoch in zip(*going, strict=True)]
    return TrialProgress(rung, fold, epoch, validation.epochs_run, round(validation.seconds, 3), thin_out(losses))
