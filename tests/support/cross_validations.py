"""Small cross-validations: climb their rungs, let a fold collapse, stop them, and go on with what was kept."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pytest

from foils import Dataset
from foils.folds import fold_numbers
from models.training import cross_validation as crossvalidation
from models.training.checkpoint import pack_fold
from models.training.cross_validation import CrossValidation, start_fold
from models.training.fold_training import FoldTraining
from models.training.task import make_task
from models.training.training_curve import TrainingCurve
from models.training.verdicts import Verdict
from spaces.choices.networks import Network
from spaces.choices.optimisers import Optimiser
from spaces.config import Config

SMALL = Config(network=Network("pitnet", depth=2, width=8), optimiser=Optimiser("adamw", 1e-2, batch_size=16))
# The folds and the epoch of each rung; a fold that collapses is found out on the second.
RUNGS = ((1, 1), (4, 3), (5, 4))


def validation(data: Dataset, epochs: int = 4, fused: bool = False) -> CrossValidation:
    """Start a cross-validation of five folds."""
    task = make_task(data, SMALL, epochs=epochs, working_point=0.1)
    return CrossValidation(task, fold_numbers(data, 5, 0), seed=1, fused=fused)


def collapse_at_first(monkeypatch: pytest.MonkeyPatch, cross: CrossValidation, fold: int, always: bool = False) -> None:
    """Let one fold's first training, or each of them, be judged collapsed, and whatever is, be worth another start."""
    first = start_fold(cross.task, cross.folds, fold, cross.seed, 0)
    eval_model = FoldTraining.verdict

    def verdict(self: FoldTraining, planned: int | None = None) -> Verdict:
        hit = self.seed == first.seed or (always and (self.validate == first.validate).all())
        return Verdict.COLLAPSED if hit else eval_model(self, planned)

    monkeypatch.setattr(FoldTraining, "verdict", verdict)
    collapsed = Verdict.COLLAPSED
    monkeypatch.setattr(crossvalidation, "may_restart", lambda training, epoch: training.verdict(epoch) is collapsed)


class Stop(Exception):
    """What a callback raises."""


def raising(after: int) -> Callable[[], None]:
    """Make a callback that raises when it is called for the last of so many times."""
    left = iter(range(after - 1, -1, -1))

    def callback() -> None:
        if not next(left, 1):
            raise Stop

    return callback


def climb(cross: CrossValidation, rungs: Sequence[tuple[int, int]] = RUNGS) -> None:
    """Advance from rung to rung."""
    for folds, epoch in rungs:
        cross.advance(folds, epoch)


def assert_same(got: CrossValidation, expected: CrossValidation) -> None:
    """Check that two cross-validations have come to the very same numbers."""
    assert got.results() == expected.results()
    assert repr(got.curves()) == repr(expected.curves())  # what is not known is NaN in both
    assert (got.reseeds, got.epochs_run, got.abandoned) == (expected.reseeds, expected.epochs_run, expected.abandoned)
    for fold, training in expected.trainings.items():
        assert got.trainings[fold].train_loss == training.train_loss
        assert got.trainings[fold].validation_loss == training.validation_loss
        assert np.array_equal(got.trainings[fold].scores(), training.scores())


@dataclass(frozen=True)
class Kept:
    """What a worker may keep of a cross-validation, to go on elsewhere."""

    trainings: dict[int, bytes]
    reseeds: dict[int, int]
    restarts: dict[int, int]
    abandoned: int
    seconds: float
    fused: bool | None
    # What a study keeps of trainings in whose place another was started.
    replaced: dict[int, TrainingCurve]

    @classmethod
    def of(cls, cross: CrossValidation) -> Kept:
        """Pack every fold as it stands."""
        trainings = {fold: pack_fold(training) for fold, training in cross.trainings.items()}
        reseeds, restarts, replaced = dict(cross.reseeds), dict(cross.restarts), dict(cross.replaced)
        return cls(trainings, reseeds, restarts, cross.abandoned, cross.seconds, cross.fused, replaced)

    def taken_up(self, data: Dataset, fused: bool = False) -> CrossValidation:
        """Start anew and go on from what was kept."""
        cross = validation(data, fused=fused)
        faults = cross.resume(
            self.trainings,
            reseeds=self.reseeds,
            restarts=self.restarts,
            abandoned=self.abandoned,
            seconds=self.seconds,
            fused=self.fused,
        )
        assert faults == ()
        cross.replaced = dict(self.replaced)
        return cross
