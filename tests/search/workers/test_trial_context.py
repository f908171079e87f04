"""How far a cross-validation has come: of folds that are trained together, the mean of their losses and no fold's number."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from search.trials.progress import TrialProgress
from search.workers.trial_context import progress_of


def validation(latest: tuple[int, ...]) -> Any:
    losses = {0: [0.8, 0.6], 1: [0.6, 0.2], 2: [0.5]}
    trainings = {fold: SimpleNamespace(validation_loss=loss, epoch=len(loss)) for fold, loss in losses.items()}
    return SimpleNamespace(trainings=trainings, latest=latest, epochs_run=5, seconds=1.23456)


def test_folds_apart_are_told_one_by_one_and_fused_ones_together() -> None:
    assert progress_of(validation((1,)), "5x9") == TrialProgress("5x9", 1, 2, 5, 1.235, (0.6, 0.2))
    both = TrialProgress("5x9", None, 2, 5, 1.235, (0.7, 0.4))
    assert progress_of(validation((0, 1)), "5x9") == both
    assert progress_of(validation((0, 1, 2)), "5x9") == both, "a fold that has ended is left out"
