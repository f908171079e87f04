"""Mode `examples` shows some of a pit's images an epoch, drawn anew each, and scores with all of them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from foils import Dataset
from models.training.checkpoint import pack_fold, restore_fold
from models.training.fold_training import FoldTraining
from models.training.fused import advance_together
from spaces.choices.augmentation import Augmentation
from spaces.choices.balance import BALANCES, Balance
from spaces.choices.channels import Channels
from spaces.choices.networks import Network
from spaces.choices.optimisers import Optimiser
from spaces.config import Config
from tests.support.trainings import start

LIGHTS = 6
SMALL = Config(network=Network("pitnet", depth=2, width=4), optimiser=Optimiser("adamw", 1e-2, batch_size=8))


def showing(tiny: Dataset, shown: int, **changes: object) -> FoldTraining:
    config = replace(SMALL, channels=Channels("examples", shown=shown), **changes)  # type: ignore[arg-type]
    return start(tiny, config, epochs=3)


def drawn(training: FoldTraining) -> tuple[np.ndarray, np.ndarray]:
    """The pits and the lights of an epoch's images."""
    images = training.draw()[0].flatten().numpy()
    return images // LIGHTS, images % LIGHTS


@pytest.mark.parametrize("shown", [1, 2, 5])
def test_an_epoch_shows_so_many_images_of_each_pit_each_once(tiny: Dataset, shown: int) -> None:
    training = showing(tiny, shown, optimiser=Optimiser("adamw", 1e-2, batch_size=2))
    pits, lights = drawn(training)
    assert len(set(zip(pits, lights, strict=True))) == len(pits)
    counts = np.bincount(pits)
    assert counts.max() == shown
    assert counts.sum() == training.steps * 2


def test_the_lights_are_drawn_anew_each_epoch_and_all_come(tiny: Dataset) -> None:
    training = showing(tiny, 1)
    epochs = [set(zip(*drawn(training), strict=True)) for _ in range(20)]
    assert epochs[0] != epochs[1]
    assert {light for epoch in epochs for _, light in epoch} == set(range(LIGHTS))


@pytest.mark.parametrize("shown", [0, LIGHTS, 64])
def test_as_many_as_there_are_or_more_show_all_and_change_no_number(tiny: Dataset, shown: int) -> None:
    training, all_of_them = showing(tiny, shown), showing(tiny, 0)
    assert torch.equal(training.draw()[0], all_of_them.draw()[0])


@pytest.mark.parametrize("balance", BALANCES)
def test_every_balance_goes_with_it(tiny: Dataset, balance: str) -> None:
    training = showing(tiny, 2, balance=Balance(balance, 2.0), augmentation=Augmentation(mixup=0.2))
    training.advance(1)
    assert np.isfinite(training.train_loss).all()
    assert len(training.scores()) == len(training.validate)


def test_it_is_cut_and_fused_to_the_same_numbers(tiny: Dataset) -> None:
    whole, cut, fused = (showing(tiny, 2) for _ in range(3))
    whole.advance(3)
    cut.advance(1)
    resumed = showing(tiny, 2)
    restore_fold(resumed, pack_fold(cut))
    resumed.advance(3)
    assert resumed.train_loss == whole.train_loss
    advance_together([fused, showing(tiny, 2)], 3)
    assert fused.train_loss == pytest.approx(whole.train_loss, rel=1e-3)
