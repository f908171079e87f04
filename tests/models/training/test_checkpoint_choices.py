"""A training of every choice that is packed and taken up goes on to the same numbers, bit for bit."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from timm.optim import get_optimizer_info, list_optimizers

from foils import Dataset
from models.networks.blocks import generators
from spaces.choices.augmentation import PERTURBATIONS, TURNINGS, Augmentation
from spaces.choices.balance import BALANCES, Balance
from spaces.choices.channels import Channels
from spaces.choices.detectors import DETECTORS
from spaces.choices.labelling import Labelling
from spaces.choices.losses import LOSSES, Loss
from spaces.choices.networks import NETWORKS, NORMS, Network
from spaces.choices.normalisation import NORMALISATIONS
from spaces.choices.optimisers import OPTIMISERS, SCHEDULES
from spaces.config import Config
from tests.support.checkpoints import assert_cuts_change_nothing, assert_equal, cut, start, taken_up
from tests.support.configs import AMOUNTS, ELSEWHERE, FORMS, NAMED, USABLE, channels_of
from tests.support.trainings import SMALL

# One of each class of timm's, but those of OPTIMISERS and those that test_optimisers leaves out, and wrapped ones.
NAMES = map(str, list_optimizers(exclude_filters=["*kron*", *ELSEWHERE]))
CLASSES = {get_optimizer_info(name).opt_class: name for name in NAMES}
LISTED = {get_optimizer_info(kind.timm).opt_class for kind in OPTIMISERS.values()}
OTHERS = [*(name for made, name in CLASSES.items() if made not in LISTED), "lookahead_adamp", "lookahead_lamb"]


@pytest.mark.parametrize("name", [*USABLE, *(f"timm:{name}" for name in OTHERS)])
def test_every_optimiser(tiny: Dataset, name: str) -> None:
    # Of seven steps an epoch, so that Lookahead takes one of its own, the sixth, on either side.
    given: dict[str, Any] = {"batch_size": 8, "momentum": 0.5, "warmup": 0.2, "clip": 0.5, "average": 0.9}
    whole = assert_cuts_change_nothing(tiny, replace(SMALL, optimiser=replace(SMALL.optimiser, name=name, **given)))
    assert (whole.epoch, whole.steps) == (2, 7)
    assert np.isfinite(whole.train_loss).all()


@pytest.mark.parametrize(("schedule", "warmup"), [*((name, 0.0) for name in SCHEDULES), ("constant", 0.3), ("step", 0.3)])
@pytest.mark.parametrize("name", ["nesterov", "adam"])
def test_every_schedule(tiny: Dataset, name: str, schedule: str, warmup: float) -> None:
    optimiser = replace(SMALL.optimiser, name=name, schedule=schedule, warmup=warmup)
    whole = assert_cuts_change_nothing(tiny, replace(SMALL, optimiser=optimiser), (1, 2), 3)
    # What timm's schedules keep beside the rates is what they began with.
    begun = start(tiny, replace(SMALL, optimiser=optimiser)).schedule
    assert (whole.schedule is None) == (begun is None) == (schedule == "constant" and not warmup)
    if whole.schedule is not None and begun is not None:
        assert whole.schedule.state_dict() == begun.state_dict()


DROPOUT: Mapping[str, Any] = {"dropout": 0.3}
NETWORK_FORMS = [
    *((replace(NAMED[name], **(DROPOUT if "dropout" in NETWORKS[name].varies else {})), mode) for name, mode in FORMS),
    *((replace(NAMED["pitnet"], norm=norm), mode) for norm in NORMS for mode in ("stacked", "volume")),
]


@pytest.mark.parametrize(("network", "mode"), NETWORK_FORMS)
def test_every_network_in_every_mode_and_every_norm(tiny: Dataset, network: Network, mode: str) -> None:
    optimiser = replace(SMALL.optimiser, batch_size=32)
    config = replace(SMALL, network=network, channels=channels_of(mode), optimiser=optimiser)
    whole = assert_cuts_change_nothing(tiny, config)
    assert len(generators(whole.classifier)) == bool(network.dropout)


def test_a_network_of_timm(tiny: Dataset) -> None:
    optimiser = replace(SMALL.optimiser, batch_size=32, average=0.9)
    assert_cuts_change_nothing(tiny, replace(SMALL, network=Network("timm:resnet10t"), optimiser=optimiser))


AUGMENTED = [
    *(Augmentation(name) for name in ("turned", "symmetries")),
    *(Augmentation(**{name: amount}) for name, amount in AMOUNTS.items()),
    Augmentation("symmetries", **AMOUNTS),
]


@pytest.mark.parametrize("augmentation", AUGMENTED, ids=str)
def test_every_augmentation(tiny: Dataset, augmentation: Augmentation) -> None:
    channels = Channels("stacked" if TURNINGS[augmentation.turns].moves_lights or augmentation.turns == "none" else "examples")
    assert_cuts_change_nothing(tiny, replace(SMALL, channels=channels, augmentation=augmentation))
    assert set(AMOUNTS) == set(PERTURBATIONS)


CHOICES = [
    *(replace(SMALL, balance=Balance(name, 1.5)) for name in BALANCES),
    *(replace(SMALL, loss=Loss(name)) for name in LOSSES),
    *(replace(SMALL, normalisation=name) for name in NORMALISATIONS),
    replace(SMALL, labelling=Labelling("four-way"), channels=Channels("stacked", features="fourier")),
]


@pytest.mark.parametrize("config", CHOICES, ids=Config.describe)
def test_every_balance_loss_and_normalisation(tiny: Dataset, config: Config) -> None:
    assert_cuts_change_nothing(tiny, config)


def of_background(detector: str, average: float = 0.0) -> Config:
    optimiser = replace(SMALL.optimiser, average=average)
    return replace(
        SMALL,
        labelling=Labelling("anomaly", detector=detector),
        optimiser=optimiser,
        network=replace(SMALL.network, dropout=0.2),
        augmentation=Augmentation("symmetries", noise=0.01),
    )


@pytest.mark.parametrize(("detector", "average"), list(itertools.product(DETECTORS, (0.0, 0.9))))
def test_every_model_of_background_whenever_it_is_fitted(tiny: Dataset, detector: str, average: float) -> None:
    config = of_background(detector, average)
    whole = assert_cuts_change_nothing(tiny, config)
    expected = dict(whole.eval_model.state_dict())
    for scored in ((1,), (1, 2)):
        pieces = cut(tiny, config, (1, 2), epochs=2, scored=scored)
        assert np.array_equal(pieces.scores(), whole.scores())
        assert_equal(pieces.train_loss + pieces.validation_loss, whole.train_loss + whole.validation_loss)
        assert_equal(dict(pieces.eval_model.state_dict()), expected)


def test_a_model_of_background_without_numbers_does_not_remember_an_earlier_one(tiny: Dataset) -> None:
    for scored in ((), (1,)):
        training = cut(tiny, of_background("neighbours"), (), epochs=1, scored=scored)
        for made in (training, taken_up(tiny, training)):
            with torch.no_grad():
                made.classifier.get_parameter("network.body.blocks.0.weight").fill_(math.nan)
            made._stale = True  # type: ignore[attr-defined]  # of AnomalyTraining
            assert math.isnan(float(made.eval_model.detector.reference))  # type: ignore[arg-type, union-attr]
