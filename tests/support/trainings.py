"""Small trainings of folds: start one or all five, train them apart, and compare."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from foils import Dataset
from foils.folds import fold_numbers
from models.training.cross_validation import start_fold
from models.training.fold_training import FoldTraining
from models.training.task import make_task
from spaces.choices.networks import Network
from spaces.choices.optimisers import Optimiser
from spaces.config import Config

# Learns the tiny pits within a few epochs.
SMALL = Config(network=Network("pitnet", depth=2, width=4), optimiser=Optimiser("adamw", 3e-3, batch_size=16))
# Relative, to the largest number of its kind. A step differs by 1e-6; over epochs Adam makes more of it, by taking a whole step
# in the sign of a gradient that is nothing but rounding. Weights that this happens to are those that change nothing.
CLOSE = 1e-3


def start(data: Dataset, config: Config, *, epochs: int = 4, seed: int = 0) -> FoldTraining:
    """Start the training of the first of five folds."""
    task = make_task(data, config, epochs=epochs, working_point=0.1)
    return start_fold(task, fold_numbers(data, 5, 0), 0, seed, 0)


def trainings(data: Dataset, config: Config, *, epochs: int = 3, uneven: bool = False) -> list[FoldTraining]:
    """Start the trainings of all five folds; three pits of the first stand in the second where they are to be uneven."""
    task = make_task(data, config, epochs=epochs, working_point=0.1)
    folds = fold_numbers(data, 5, 0)
    if uneven:
        folds[np.flatnonzero(folds == 0)[:3]] = 1
    return [start_fold(task, folds, fold, 0, 0) for fold in range(5)]


def apart(data: Dataset, config: Config, *, epochs: int = 3, uneven: bool = False) -> list[FoldTraining]:
    """Train all five folds to their end, one after another."""
    folds = trainings(data, config, epochs=epochs, uneven=uneven)
    for training in folds:
        training.advance(epochs)
    return folds


def assert_same(got: list[FoldTraining], expected: list[FoldTraining], *, weights: bool = False, close: float = CLOSE) -> None:
    """Check that trainings have the same losses, scores and statistics, and the same weights where these are meant."""
    for fused, alone in zip(got, expected, strict=True):
        assert fused.train_loss == pytest.approx(alone.train_loss, rel=close, nan_ok=True)
        assert fused.validation_loss == pytest.approx(alone.validation_loss, rel=close, nan_ok=True)
        assert np.abs(fused.scores() - alone.scores()).max() < close
        assert fused.shares["train_accuracy"] == pytest.approx(alone.shares["train_accuracy"], abs=0.05)
        assert_close(dict(fused.classifier.named_buffers()), dict(alone.classifier.named_buffers()), close)
        if weights:
            assert_close(dict(fused.classifier.named_parameters()), dict(alone.classifier.named_parameters()), close)


def assert_close(got: dict[str, torch.Tensor], expected: dict[str, torch.Tensor], close: float) -> None:
    """Check that tensors differ by a share of each one's largest number at most, and lie alike in memory."""
    for name, tensor in expected.items():
        largest = float(tensor.detach().nan_to_num().abs().max())
        assert got[name].stride() == tensor.stride(), name
        torch.testing.assert_close(got[name], tensor, rtol=0, atol=close * max(largest, 1e-2), equal_nan=True)
