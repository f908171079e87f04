"""Features: planted shading comes out exactly, and a turned pit has the features of its turned images."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from foils.description import Channel
from models.inputs import lay_out
from models.networks.features import WEIGHTS, Features
from spaces.choices.augmentation import TURNS, Turn, allowed_turns, light_permutation
from spaces.choices.channels import SUBSETS, Channels, used_lights
from spaces.choices.features import FEATURES
from spaces.errors import SpaceError
from tests.support.channels import QMUL

IRREGULAR = (
    *(Channel(str(azimuth), "rotating", azimuth) for azimuth in (10.0, 95.0, 130.0, 250.0, 333.0)),
    Channel("9", "backlit"),
)
FEATURED = [(name, mode) for name, feature in FEATURES.items() for mode in feature.modes if name != "none"]


def shaded(lights: tuple[Channel, ...], seed: int = 0) -> tuple[torch.Tensor, ...]:
    """Images `[1, lights, y, x]` of I = m + A cos(azimuth - phase), m, A and phase `[y, x]`, other lights at 7."""
    generator = torch.Generator().manual_seed(seed)
    mean, amplitude, phase = (torch.rand(9, 9, generator=generator) * scale for scale in (100.0, 30.0, 2 * math.pi))
    images = [
        torch.full((9, 9), 7.0)
        if light.azimuth_deg is None
        else mean + amplitude * torch.cos(torch.tensor(math.radians(light.azimuth_deg)) - phase)
        for light in lights
    ]
    return torch.stack(images)[None], mean, amplitude, phase


def test_every_feature_of_the_space_is_computed() -> None:
    assert set(WEIGHTS) == set(FEATURES) - {"none"}


@pytest.mark.parametrize("lights", [QMUL, IRREGULAR, QMUL[::-1], QMUL[:3]])
def test_planted_waves_come_out_exactly(lights: tuple[Channel, ...]) -> None:
    images, mean, amplitude, phase = shaded(lights)
    features = Features(Channels(features="fourier"), lights)
    found = features(images)[0]
    expected = [mean, amplitude, amplitude * torch.cos(phase), amplitude * torch.sin(phase)]
    unlit = sum(light.azimuth_deg is None for light in lights)
    assert features.count == len(found) == 4 + unlit
    torch.testing.assert_close(found[:4], torch.stack(expected), atol=2e-4, rtol=1e-5)
    assert (found[4:] == 7.0).all()


def test_differences_of_opposite_lights_hold_the_slope_alone() -> None:
    images, _, amplitude, phase = shaded(QMUL)
    features = Features(Channels(features="opposite"), QMUL)
    found = features(images)[0]
    assert features.count == len(found) == 4 + 2
    for place, azimuth in enumerate((67.5, 112.5, 157.5, 202.5)):
        expected = 2 * amplitude * torch.cos(math.radians(azimuth) - phase)
        torch.testing.assert_close(found[place], expected, atol=1e-4, rtol=1e-5)


@pytest.mark.parametrize("mode", ["stacked", "volume"])
def test_minus_mean_takes_the_rotating_lights_own_mean(mode: str) -> None:
    images, mean, _, _ = shaded(QMUL)
    images = images[:, list(used_lights(Channels(mode), QMUL))]
    found = Features(Channels(mode, features="minus mean"), QMUL)(images)
    torch.testing.assert_close(found[:, :8], images[:, :8] - mean, atol=1e-4, rtol=1e-5)
    assert torch.equal(found[:, 8:], images[:, 8:])


@pytest.mark.parametrize(("name", "mode"), FEATURED)
def test_features_grow_with_their_values_so_that_scaling_may_come_after(name: str, mode: str) -> None:
    channels = Channels(mode, features=name)
    features, images = Features(channels, QMUL), shaded(QMUL)[0][:, list(used_lights(channels, QMUL))]
    torch.testing.assert_close(features(images / 255), features(images) / 255)


@pytest.mark.parametrize(
    ("name", "mode", "lights"),
    [
        (name, mode, lights)
        for name, mode in FEATURED
        for lights in ("all", "rotating", "every second")
        if mode == "stacked" or SUBSETS[lights].volume
    ],
)
def test_a_turned_pit_has_the_features_of_a_turned_pit(name: str, mode: str, lights: str) -> None:
    channels = Channels(mode, lights=lights, features=name)
    pixels = np.random.default_rng(0).integers(0, 256, (3, len(QMUL), 9, 9), dtype=np.uint8)
    inputs, features = lay_out(pixels, channels, QMUL, augmentation="symmetries"), Features(channels, QMUL)
    turns = allowed_turns("symmetries", channels, QMUL)
    assert len(turns) == (8 if lights != "every second" else 4)
    pits = torch.arange(3)
    straight = features(inputs.pick(pits))
    used = [QMUL[number] for number in used_lights(channels, QMUL)]
    for number, (turn, _) in enumerate(turns):
        turned = features(inputs.pick(pits, torch.full((3,), number)))
        torch.testing.assert_close(turned, expected(name, turn, in_plane(straight, turn), used), atol=1e-3, rtol=1e-4)


def in_plane(images: torch.Tensor, turn: Turn) -> torch.Tensor:
    """Turn the plane of `[images, channels, y, x]` and leave the channels where they are."""
    return torch.rot90(images.flip(3) if turn.mirrored else images, turn.quarters, (2, 3))


def expected(name: str, turn: Turn, moved: torch.Tensor, used: list[Channel]) -> torch.Tensor:
    """What becomes of features whose plane was turned, as the meaning of each says."""
    if name == "minus mean":
        order = light_permutation(used, turn)
        assert order is not None
        return moved[:, list(order)]
    if name == "fourier":
        # Mean and amplitude stay; A (cos, sin)(phase) is a vector and turns like an azimuth.
        first, second = (math.radians(turn.azimuth(degrees)) for degrees in (0.0, 90.0))
        across, along = moved[:, 2], moved[:, 3]
        vector = [
            across * math.cos(first) + along * math.cos(second),
            across * math.sin(first) + along * math.sin(second),
        ]
        return torch.cat([moved[:, :2], torch.stack(vector, 1), moved[:, 4:]], 1)
    # A difference becomes that of the pair where its lights now stand, with the other sign where they changed sides.
    rotating = [light.azimuth_deg for light in used if light.azimuth_deg is not None]
    firsts = rotating[: len(rotating) // 2]
    found = [torch.empty(0)] * len(firsts)
    for source, azimuth in enumerate(firsts):
        place = rotating.index(turn.azimuth(azimuth))
        found[place % len(firsts)] = moved[:, source] if place < len(firsts) else -moved[:, source]
    return torch.cat([torch.stack(found, 1), moved[:, len(firsts) :]], 1)


def test_half_the_lights_still_turn_by_quarters() -> None:
    turns = {turn for turn, _ in allowed_turns("symmetries", Channels(lights="every second"), QMUL)}
    assert {turn for turn in TURNS if not turn.mirrored} == turns


def test_features_need_the_lights() -> None:
    with pytest.raises(SpaceError, match="needs at least 2 channels"):
        Features(Channels(features="fourier"), ())
