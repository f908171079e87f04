"""Perturbed images: each way does what it says, is drawn from the training's own generator alone, and off is off."""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn import functional

from foils import Dataset, load
from models.inputs import Inputs
from models.networks.normalisation import Normalise
from models.training.fused import advance_together
from models.training.perturbation import Batch, channel_means, draw_partners, draw_shares, mix, perturb
from models.training.probe import _batches, _compare
from spaces.axes import AXES
from spaces.choices.augmentation import PERTURBATIONS, TURNINGS, Augmentation
from spaces.choices.channels import MODES, Channels
from spaces.choices.labelling import Labelling
from spaces.choices.networks import Network
from spaces.config import Config
from tests.support.configs import AMOUNTS
from tests.support.tiny import COUNTS, write_dataset
from tests.support.trainings import SMALL, apart, assert_same, start, trainings

EVERYTHING = Augmentation(shift=2, gain=0.2, noise=0.05, drop=0.3, mixup=0.4)
OCTAGON = (*((str(k + 1), "rotating", (67.5 + 45.0 * k) % 360) for k in range(8)), ("9", "backlit", None))


@pytest.fixture(scope="module")
def octagon(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    """A tiny data set under eight rotating lights and one from behind, so that every way of turning has its lights."""
    folder = tmp_path_factory.mktemp("octagon") / "octagon"
    return load(write_dataset(folder, counts={label: count // 2 + 1 for label, count in COUNTS.items()}, channels=OCTAGON))


def drawn(pixels: torch.Tensor, augmentation: Augmentation, seed: int = 0, means: torch.Tensor | None = None) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return perturb(pixels, augmentation, full_scale=255, means=means, generator=generator)


def greys(count: int = 6, channels: int = 3, size: int = 9, seed: int = 0) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randint(0, 256, (count, channels, size, size), generator=generator, dtype=torch.uint8)


def config_of(mode: str, augmentation: Augmentation) -> Config:
    several = AXES["augmentation.drop"].applies({"channels.mode": mode})
    channels = Channels(mode, "1" if mode == "single" else None)
    return replace(SMALL, channels=channels, augmentation=augmentation if several else replace(augmentation, drop=0.0))


CHOICES = [
    *((mode, Augmentation(turns)) for mode, turns in itertools.product(MODES, TURNINGS)),
    *((mode, Augmentation(**{name: amount})) for mode, (name, amount) in itertools.product(MODES, AMOUNTS.items())),
    *((mode, replace(EVERYTHING, turns="turned eighths" if mode == "single" else "eighths")) for mode in MODES),
]
CARRIED = [
    (mode, choice)
    for mode, choice in CHOICES
    if not (choice.turns.startswith("turned") and AXES["augmentation.drop"].applies({"channels.mode": mode}))
    and not (mode == "single" and choice.turns in ("symmetries", "eighths"))  # one slanted light has few symmetries
]


@pytest.mark.parametrize(("mode", "augmentation"), CARRIED, ids=lambda value: value if isinstance(value, str) else str(value))
def test_every_augmentation_trains_in_every_mode_alike_however_it_is_cut(
    octagon: Dataset, mode: str, augmentation: Augmentation
) -> None:
    config = config_of(mode, augmentation)
    at_once, in_steps, other = (start(octagon, config, epochs=2, seed=seed) for seed in (0, 0, 1))
    images, turned = at_once.twin().draw()
    pixels, targets, weights = at_once.twin().batch(images[0], None if turned is None else turned[0])
    plain = at_once.task.inputs.pick(images[0])
    assert pixels.shape == plain.shape
    assert pixels.float().isfinite().all()
    torch.testing.assert_close(targets.sum(1), torch.ones(len(targets)))
    assert (weights > 0).all()
    at_once.advance(2)
    for epoch in (1, 2):
        in_steps.advance(epoch)
        in_steps.scores()
        other.advance(epoch)
    assert np.isfinite(at_once.train_loss).all()
    assert at_once.train_loss == in_steps.train_loss
    assert at_once.train_loss != other.train_loss
    assert np.array_equal(at_once.scores(), in_steps.scores())


@pytest.mark.parametrize("amounts", [{}, *({name: amount} for name, amount in AMOUNTS.items())], ids=str)
def test_only_what_is_on_draws_random_numbers(tiny: Dataset, amounts: dict[str, Any]) -> None:
    training = start(tiny, replace(SMALL, augmentation=Augmentation(**amounts)))
    before = training._generator.get_state()
    images = torch.arange(8)
    batch = training.batch(images, None)
    assert torch.equal(training._generator.get_state(), before) is not bool(amounts)
    plain = training.task.inputs.pick(images)
    assert (batch.pixels.dtype == plain.dtype and torch.equal(batch.pixels, plain)) is not bool(amounts)
    assert torch.equal(training.task.inputs.pick(images), plain)  # the pits themselves stay


def test_every_perturbation_is_tested() -> None:
    assert set(AMOUNTS) == set(PERTURBATIONS)


def test_a_shift_moves_all_lights_by_the_same_whole_pixels_and_repeats_edges() -> None:
    pixels = greys(count=200)
    padded = functional.pad(pixels.float(), (2, 2, 2, 2), mode="replicate").to(torch.uint8)
    moved = drawn(pixels, Augmentation(shift=2))
    assert moved.dtype == torch.uint8
    seen = set()
    for image, around in zip(moved, padded, strict=True):
        found = [
            (down, right)
            for down, right in itertools.product(range(-2, 3), repeat=2)
            if torch.equal(image, around[:, 2 - down : 11 - down, 2 - right : 11 - right])
        ]
        assert len(found) == 1
        seen.add(found[0])
    assert len(seen) == 25


def test_gain_is_one_factor_for_each_light_of_each_image() -> None:
    pixels = greys(count=400).clamp(min=1)
    factors = drawn(pixels, Augmentation(gain=0.2)) / pixels
    assert (factors.amax((2, 3)) - factors.amin((2, 3))).max() < 1e-5
    logs = factors[:, :, 0, 0].log()
    assert abs(float(logs.mean())) < 0.02
    assert float(logs.std()) == pytest.approx(0.2, rel=0.1)
    assert len(logs.flatten().unique()) == 1200


def test_noise_has_the_deviation_that_was_asked_for() -> None:
    pixels = greys(count=50)
    noise = drawn(pixels, Augmentation(noise=0.05)) - pixels
    assert float(noise.std()) == pytest.approx(0.05 * 255, rel=0.02)
    assert abs(float(noise.mean())) < 0.2
    assert abs(float(noise.flatten()[1:] @ noise.flatten()[:-1]) / float(noise.square().sum())) < 0.02


@pytest.mark.parametrize("normalisation", ["dataset", "image"])
def test_a_dropped_light_is_nothing_to_the_network(normalisation: str) -> None:
    pixels = greys(count=300)
    normalise = Normalise(normalisation, 3, 255, pixels.shape[-1])
    normalise.measure(pixels.split(64))
    means = channel_means(pixels.split(64))
    torch.testing.assert_close(means, pixels.double().mean((0, 2, 3)).float())
    values = normalise(drawn(pixels, Augmentation(drop=0.3), means=means))
    largest = values.abs().amax((2, 3))
    dropped = largest < 1e-3
    assert float(dropped.float().mean()) == pytest.approx(0.3, abs=0.05)
    torch.testing.assert_close(values[~dropped], normalise(pixels)[~dropped])


@settings(deadline=None, max_examples=50, derandomize=True)
@given(lights=st.lists(st.integers(0, 3), min_size=1, max_size=30), seed=st.integers(0, 2**31))
def test_partners_are_a_permutation_within_each_light(lights: list[int], seed: int) -> None:
    numbers = torch.tensor(lights)
    partners = draw_partners(numbers, torch.Generator().manual_seed(seed))
    assert sorted(partners.tolist()) == list(range(len(lights)))
    assert torch.equal(numbers[partners], numbers)


def test_every_partner_is_as_likely() -> None:
    generator = torch.Generator().manual_seed(0)
    counts = torch.zeros(4, 4)
    for _ in range(2000):
        counts[torch.arange(4), draw_partners(torch.zeros(4, dtype=torch.int64), generator)] += 1
    assert (counts / 2000 - 0.25).abs().max() < 0.04


def test_shares_follow_the_beta_distribution() -> None:
    shares = draw_shares(0.4, 20_000, torch.Generator().manual_seed(0))
    assert float(shares.mean()) == pytest.approx(0.5, abs=0.01)
    assert float(shares.var()) == pytest.approx(1 / (4 * (2 * 0.4 + 1)), rel=0.02)
    assert ((shares >= 0) & (shares <= 1)).all()


@settings(deadline=None, max_examples=40, derandomize=True)
@given(seed=st.integers(0, 2**31), alpha=st.floats(0.05, 5), classes=st.integers(2, 5))
def test_a_mixture_costs_what_its_parts_would_by_their_shares(seed: int, alpha: float, classes: int) -> None:
    generator = torch.Generator().manual_seed(seed)

    def batch() -> Batch:
        targets = torch.rand(7, classes, generator=generator).add(1e-3)
        weights = torch.rand(7, generator=generator) + 0.1
        pixels = torch.randint(0, 256, (7, 2, 4, 4), generator=generator, dtype=torch.uint8)
        return Batch(pixels, targets / targets.sum(1, keepdim=True), weights)

    own, others, shares = batch(), batch(), draw_shares(alpha, 7, generator)
    mixed = mix(own, others, shares)
    torch.testing.assert_close(mixed.targets.sum(1), torch.ones(7))
    assert (mixed.targets >= 0).all()
    logits = torch.randn(7, classes, generator=generator)

    def costs(given: Batch) -> torch.Tensor:
        return given.weights * functional.cross_entropy(logits, given.targets, reduction="none")

    torch.testing.assert_close(costs(mixed), shares * costs(own) + (1 - shares) * costs(others))
    by_share = shares[:, None, None, None]
    torch.testing.assert_close(mixed.pixels, by_share * own.pixels + (1 - by_share) * others.pixels)


def test_examples_are_mixed_under_one_light_and_one_turn(tiny: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    config = config_of("examples", Augmentation("symmetries", mixup=1.0))
    training = start(tiny, config)
    picked: list[tuple[torch.Tensor, torch.Tensor | None]] = []
    pick = Inputs.pick

    def noted(inputs: Inputs, images: torch.Tensor, turned: torch.Tensor | None = None) -> torch.Tensor:
        picked.append((images, turned))
        return pick(inputs, images, turned)

    monkeypatch.setattr(Inputs, "pick", noted)
    images, turned = training.draw()
    assert turned is not None
    training.batch(images[0], turned[0])
    (own, ways), (partners, same) = picked
    assert not torch.equal(own, partners)
    assert torch.equal(own % 6, partners % 6)
    assert ways is not None and same is not None and torch.equal(ways, same)


def test_perturbed_folds_train_fused_as_apart(tiny: Dataset) -> None:
    config = replace(SMALL, augmentation=replace(EVERYTHING, turns="symmetries"), labelling=Labelling("four-way"))
    fused = trainings(tiny, config)
    advance_together(fused, 3)
    assert_same(fused, apart(tiny, config), weights=True)
    made = trainings(tiny, config)
    where, difference = _compare(made, _batches(made))
    assert difference < 5e-3, where


def test_a_perturbed_training_still_learns(tiny: Dataset) -> None:
    config = replace(SMALL, augmentation=replace(EVERYTHING, shift=1), network=Network("pitnet", depth=2, width=16))
    training = start(tiny, config, epochs=20)
    training.advance(20)
    assert training.score().auc > 0.9
