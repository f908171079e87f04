"""Folds trained fused are the folds trained apart: losses, statistics, scores, weights, however the work is cut or ends."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from foils import Dataset
from models.training.fused import FusedFolds, advance_together, stacked
from models.training.verdicts import Verdict
from spaces.choices.augmentation import Augmentation
from spaces.choices.balance import Balance
from spaces.choices.channels import MODES, Channels
from spaces.choices.labelling import Labelling
from spaces.choices.losses import LOSSES, Loss
from spaces.choices.networks import Network
from spaces.choices.optimisers import ELEMENTWISE, OPTIMISERS
from tests.support.trainings import CLOSE, SMALL, apart, assert_close, assert_same, trainings


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("network", [SMALL.network, Network("minihip")], ids=lambda network: network.name)
def test_fused_equals_apart_in_every_mode(tiny: Dataset, network: Network, mode: str) -> None:
    channels = Channels(mode, "1" if mode == "single" else None)
    config = replace(
        SMALL, network=network, channels=channels, augmentation=Augmentation("none" if mode == "single" else "symmetries")
    )
    fused = trainings(tiny, config, epochs=2)
    advance_together(fused, 2)
    assert_same(fused, apart(tiny, config, epochs=2))


@pytest.mark.parametrize(("schedule", "warmup"), [("constant", 0.0), ("cosine", 0.2), ("one-cycle", 0.0), ("step", 0.0)])
@pytest.mark.parametrize("name", ["nesterov", "adamw"])
def test_fused_equals_apart_under_every_schedule(tiny: Dataset, name: str, schedule: str, warmup: float) -> None:
    optimiser = replace(SMALL.optimiser, name=name, schedule=schedule, warmup=warmup, weight_decay=0.1)
    config = replace(SMALL, optimiser=optimiser, balance=Balance("weighted"), labelling=Labelling("four-way"))
    fused = trainings(tiny, config, uneven=True)
    advance_together(fused, 3)
    assert_same(fused, apart(tiny, config, uneven=True), weights=True)


@pytest.mark.parametrize("name", sorted(ELEMENTWISE))
def test_fused_equals_apart_with_every_optimiser(tiny: Dataset, name: str) -> None:
    # The norm is one that every step exceeds.
    optimiser = replace(SMALL.optimiser, name=name, learning_rate=1e-3, momentum=0.5, clip=0.05, average=0.9)
    config = replace(SMALL, optimiser=optimiser)
    fused, alone = trainings(tiny, config, epochs=2, uneven=True), apart(tiny, config, epochs=2, uneven=True)
    for epoch in (1, 2):
        advance_together(fused, epoch)
    assert_same(fused, alone, weights=True)
    for own, expected in zip(fused, alone, strict=True):
        assert_close(own.averages(), expected.averages(), CLOSE)
        assert own.averages().keys() == own.classifier.state_dict().keys()


@pytest.mark.parametrize(
    "channels",
    [
        Channels("stacked", features="fourier"),
        Channels("stacked", lights="rotating", features="opposite"),
        Channels("volume", features="minus mean"),
        Channels("examples", lights="every second", scores="max"),
    ],
    ids=Channels.describe,
)
def test_fused_equals_apart_with_subsets_features_and_the_average_image(tiny: Dataset, channels: Channels) -> None:
    config = replace(SMALL, channels=channels, normalisation="average", augmentation=Augmentation("symmetries"))
    fused = trainings(tiny, config, epochs=2)
    advance_together(fused, 2)
    assert_same(fused, apart(tiny, config, epochs=2))


@pytest.mark.parametrize("normalisation", ["image", "raw"])
def test_fused_equals_apart_under_other_normalisations(tiny: Dataset, normalisation: str) -> None:
    config = replace(SMALL, normalisation=normalisation)
    fused = trainings(tiny, config)
    advance_together(fused, 3)
    assert_same(fused, apart(tiny, config))


@pytest.mark.parametrize("name", LOSSES)
def test_fused_equals_apart_with_every_loss(tiny: Dataset, name: str) -> None:
    config = replace(SMALL, loss=Loss(name), labelling=Labelling("four-way"))
    fused = trainings(tiny, config, epochs=2)
    advance_together(fused, 2)
    assert_same(fused, apart(tiny, config, epochs=2))


@pytest.mark.slow
def test_a_residual_network_is_equal_too(tiny: Dataset) -> None:
    # Its last maps are 1 x 1 here, and it convolves them as matrix products. Over epochs Adam drives it apart by more.
    config = replace(
        SMALL, network=Network("timm:resnet10t"), optimiser=replace(SMALL.optimiser, name="sgd", learning_rate=1e-3)
    )
    fused = trainings(tiny, config, epochs=1)
    advance_together(fused, 1)
    assert_same(fused, apart(tiny, config, epochs=1), weights=True)


@pytest.mark.parametrize("name", ["sgd", "adamw"])
def test_cutting_into_rungs_changes_nothing(tiny: Dataset, name: str) -> None:
    config = replace(SMALL, optimiser=replace(SMALL.optimiser, name=name), augmentation=Augmentation("symmetries"))
    at_once, in_steps = trainings(tiny, config), trainings(tiny, config)
    advance_together(at_once, 3)
    for epoch in (1, 3):
        advance_together(in_steps, epoch)
    for first, second in zip(at_once, in_steps, strict=True):
        assert first.train_loss == second.train_loss
        assert np.array_equal(first.scores(), second.scores())


def test_folds_go_on_apart_after_being_fused_and_fused_after_being_apart(tiny: Dataset) -> None:
    for first_fused in (True, False):
        mixed = trainings(tiny, SMALL)
        for epoch, fused in ((1, first_fused), (2, not first_fused), (3, first_fused)):
            if fused:
                advance_together(mixed, epoch)
            for training in mixed:
                training.advance(epoch)
        assert_same(mixed, apart(tiny, SMALL), weights=True)
        own = {id(weight) for weight in mixed[0].classifier.parameters()}
        assert {id(weight) for weight in mixed[0].optimiser.state} == own


def test_a_fold_that_diverges_leaves_the_others_as_they_would_be(tiny: Dataset) -> None:
    fused, alone = trainings(tiny, SMALL), trainings(tiny, SMALL)
    for made in (fused, alone):
        with torch.no_grad():
            next(made[2].classifier.parameters()).fill_(math.nan)
    counted: list[int] = []
    advance_together(fused, 3, counted.append)
    for training in alone:
        training.advance(3)
    assert_same(fused, alone)
    assert counted == [5, 4, 4]
    assert [training.epoch for training in fused] == [3, 3, 1, 3, 3]
    assert fused[2].verdict() is Verdict.DIVERGED


def test_a_fold_that_converges_keeps_its_weights_while_the_others_go_on(tiny: Dataset) -> None:
    fused = trainings(tiny, SMALL, epochs=4)
    fused[1]._by_heart = math.inf  # every loss is small enough: converged as soon as it may be, after 3 epochs
    advance_together(fused, 3)
    kept = [weight.clone() for weight in fused[1].classifier.parameters()]
    advance_together(fused, 4)
    assert [training.epoch for training in fused] == [4, 3, 4, 4, 4]
    assert all(map(torch.equal, kept, fused[1].classifier.parameters()))


def test_the_same_weights_decay(tiny: Dataset) -> None:
    # Vectors do not decay, and stacked they are matrices.
    config = replace(SMALL, optimiser=replace(SMALL.optimiser, weight_decay=0.1))
    made = trainings(tiny, config)
    groups = [group["weight_decay"] for group in made[0].optimiser.param_groups for _ in group["params"]]
    with stacked(made) as folds:
        shapes = {
            tuple(weight.shape[1:]): group["weight_decay"]
            for group in folds._optimiser.param_groups
            for weight in group["params"]
        }
    assert set(groups) == {0.0, 0.1}
    assert all((decay == 0.0) == (len(shape) == 1) for shape, decay in shapes.items())


def test_work_that_is_stopped_can_go_on(tiny: Dataset) -> None:
    class Enough(Exception):
        pass

    def stop(folds: int) -> None:
        raise Enough

    fused = trainings(tiny, SMALL)
    with pytest.raises(Enough):
        advance_together(fused, 3, stop)
    assert [training.epoch for training in fused] == [1] * 5
    advance_together(fused, 3)
    assert_same(fused, apart(tiny, SMALL), weights=True)


class Fetches(TorchDispatchMode):
    """Count what makes Python wait for the device: numbers that it asks for, and shapes that follow from numbers."""

    count = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        self.count += func in (torch.ops.aten._local_scalar_dense.default, torch.ops.aten.nonzero.default)
        return func(*args, **(kwargs or {}))


# The others count their steps on the host: what they ask for there waits for no device.
@pytest.mark.parametrize("name", sorted(name for name in ELEMENTWISE if OPTIMISERS[name].fused))
def test_no_number_is_fetched_inside_an_epoch(tiny: Dataset, name: str) -> None:
    optimiser = replace(SMALL.optimiser, name=name, clip=0.1, average=0.9)
    config = replace(SMALL, augmentation=Augmentation("symmetries"), optimiser=optimiser)
    folds = FusedFolds(trainings(tiny, config))
    images = torch.zeros(5, 16, dtype=torch.int64)
    with Fetches() as fetches:  # type: ignore[no-untyped-call]  # torch's class has no types
        losses, _ = folds.step(0, images, images)
        folds.step(1, images, images)
        folds.evaluate([training.validation_images() for training in folds.trainings])
        assert fetches.count == 0
        float(losses[0])
        assert fetches.count == 1
