"""Trainings that are packed and taken up again, and their comparison bit by bit."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from foils import Dataset
from foils.folds import fold_numbers
from models.networks.blocks import generators
from models.training import checkpoint, checkpoint_values
from models.training.checkpoint import pack_fold, restore_fold
from models.training.cross_validation import start_fold
from models.training.fold_training import FoldTraining
from models.training.task import make_task
from spaces.config import Config
from tests.support.trainings import SMALL


def start(data: Dataset, config: Config = SMALL, *, epochs: int = 3, fold: int = 0, seed: int = 0) -> FoldTraining:
    """Start the training of one of five folds, the same five at every call."""
    task = make_task(data, config, epochs=epochs, working_point=0.1)
    return start_fold(task, folds_of(data), fold, seed, 0)


@cache
def folds_of(data: Dataset) -> npt.NDArray[np.int64]:
    """Give each pit's fold, of five."""
    return fold_numbers(data, 5, 0)


def taken_up(data: Dataset, training: FoldTraining) -> FoldTraining:
    """Give the training that goes on from another's bytes."""
    another = start_fold(training.task, folds_of(data), 0, 0, 0)
    restore_fold(another, pack_fold(training))
    return another


def cut(data: Dataset, config: Config, at: Collection[int], *, epochs: int = 3, scored: Collection[int] = ()) -> FoldTraining:
    """Train, packed and taken up after these epochs, and scored after those."""
    training = start(data, config, epochs=epochs)
    for epoch in range(epochs + 1):
        training.advance(epoch)
        if epoch in scored and epoch:
            training.scores()
        if epoch in at:
            training = taken_up(data, training)
    return training


def everything(training: FoldTraining) -> dict[str, Any]:
    """Give all that two trainings must have in common."""
    drawn = [generator.get_state() for generator in generators(training.classifier)]
    return {
        "losses": [training.train_loss, training.validation_loss],
        "shares": training.shares,
        "tensors": checkpoint._tensors(training),
        "optimiser": training.optimiser.state_dict(),
        "drawn": [training._generator.get_state(), *drawn],
        "logits": training._logits,
    }


def assert_equal(got: object, expected: object, place: str = "") -> None:
    """Compare bit by bit, with types and the order in memory."""
    assert type(got) is type(expected), place
    if isinstance(got, torch.Tensor) and isinstance(expected, torch.Tensor):
        assert (got.dtype, got.shape, got.stride()) == (expected.dtype, expected.shape, expected.stride()), place
        assert got.requires_grad == expected.requires_grad, place
        assert torch.equal(bits(got), bits(expected)), place
    elif isinstance(got, Mapping) and isinstance(expected, Mapping):
        assert got.keys() == expected.keys(), place
        for key in expected:
            assert_equal(got[key], expected[key], f"{place}/{key}")
    elif isinstance(got, list | tuple) and isinstance(expected, list | tuple):
        assert len(got) == len(expected), place
        for number, (one, other) in enumerate(zip(got, expected, strict=True)):
            assert_equal(one, other, f"{place}/{number}")
    else:
        assert repr(got) == repr(expected), place


def bits(tensor: torch.Tensor) -> torch.Tensor:
    """Give the bytes of a tensor."""
    return tensor.detach().contiguous().reshape(-1).view(torch.uint8)


def assert_cuts_change_nothing(data: Dataset, config: Config, at: Collection[int] = (1,), epochs: int = 2) -> FoldTraining:
    """Check that a training is the same whole and in pieces, and give the whole one."""
    whole, pieces = cut(data, config, (), epochs=epochs), cut(data, config, at, epochs=epochs)
    assert_equal(everything(pieces), everything(whole))
    assert_equal(everything(taken_up(data, whole)), everything(whole))
    assert np.array_equal(pieces.scores(), whole.scores())
    assert (pieces.score(), pieces.accuracy(), pieces.evidence()) == (whole.score(), whole.accuracy(), whole.evidence())
    return whole


def through(value: object) -> object:
    """Send a value the way that a training's goes."""
    tensors: list[torch.Tensor] = []
    encoded = checkpoint_values.encode(value, tensors)
    packed = {str(number): tensor.clone(memory_format=torch.contiguous_format) for number, tensor in enumerate(tensors)}
    return checkpoint_values.decode(encoded, packed, torch.device("cpu"))
