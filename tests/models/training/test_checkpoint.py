"""A training that is packed and taken up goes on to the same numbers, wherever it was cut and in whatever process."""

from __future__ import annotations

import math
import multiprocessing
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from foils import Dataset, load
from models.process import one_thread
from models.training.checkpoint import pack_fold, restore_fold
from models.training.fold_training import FoldTraining
from spaces.choices.augmentation import Augmentation
from spaces.choices.balance import Balance
from spaces.config import Config
from tests.support.checkpoints import assert_equal, cut, everything, start, taken_up
from tests.support.configs import AMOUNTS
from tests.support.trainings import SMALL

EPOCHS = 5


@pytest.fixture(scope="module")
def drawing() -> Config:
    """Give a configuration in which all that can be random is."""
    optimiser = replace(SMALL.optimiser, average=0.9, warmup=0.2)
    return replace(
        SMALL,
        network=replace(SMALL.network, dropout=0.3),
        augmentation=Augmentation("symmetries", **AMOUNTS),
        balance=Balance("sampled"),
        optimiser=optimiser,
    )


@pytest.fixture(scope="module")
def whole(tiny: Dataset, drawing: Config) -> FoldTraining:
    return cut(tiny, drawing, (), epochs=EPOCHS)


@settings(max_examples=12, derandomize=True, deadline=None)
@given(at=st.sets(st.integers(0, EPOCHS)), scored=st.sets(st.integers(1, EPOCHS)))
def test_cuts_anywhere_change_nothing(
    tiny: Dataset, drawing: Config, whole: FoldTraining, at: set[int], scored: set[int]
) -> None:
    pieces = cut(tiny, drawing, at, epochs=EPOCHS, scored=scored)
    assert_equal(everything(pieces), everything(whole))
    assert np.array_equal(pieces.scores(), whole.scores())


def go_on(folder: str, config: Config, packed: bytes) -> tuple[list[float], bytes]:
    """Take a training up in a process of its own, to the end."""
    with one_thread():
        training = start(load(Path(folder)), config, epochs=EPOCHS)
        torch.rand(7)  # what other code draws must not matter
        restore_fold(training, packed)
        training.advance(EPOCHS)
        return training.validation_loss, training.scores().tobytes()


@pytest.mark.slow
def test_another_process_goes_on_to_the_same_numbers(
    tiny: Dataset, tiny_folder: Path, drawing: Config, whole: FoldTraining
) -> None:
    training = start(tiny, drawing, epochs=EPOCHS)
    training.advance(2)
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=context) as pool:
        losses, scores = pool.submit(go_on, str(tiny_folder), drawing, pack_fold(training)).result()
    assert losses == whole.validation_loss
    assert scores == whole.scores().tobytes()


def test_packing_leaves_a_training_as_it_is_and_gives_the_same_bytes(
    tiny: Dataset, drawing: Config, whole: FoldTraining
) -> None:
    training = start(tiny, drawing, epochs=EPOCHS)
    for epoch in range(EPOCHS):
        training.advance(epoch)
        assert pack_fold(training) == pack_fold(training)
    training.advance(EPOCHS)
    assert_equal(everything(training), everything(whole))


def test_a_training_that_has_ended_stays_ended(tiny: Dataset) -> None:
    diverged, converged = start(tiny), start(tiny)
    with torch.no_grad():
        next(diverged.classifier.parameters()).fill_(math.nan)
    converged._by_heart = math.inf
    for training in (diverged, converged):
        training.advance(3)
        again = taken_up(tiny, training)
        again._by_heart = training._by_heart
        assert (again.diverged, again.converged, again.ended) == (training.diverged, training.converged, True)
        again.advance(3)
        assert_equal(everything(again), everything(training))
        assert again.verdict() is training.verdict()
    assert math.isnan(diverged.train_loss[0])
