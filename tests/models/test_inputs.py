"""The layout of crops for each channel mode, and flips and turns as one lookup."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
import torch

from models.inputs import Inputs, lay_out
from spaces.augmentation import allowed_turns
from spaces.channels import MODES, Channels
from tests.models.toys import LIGHTS, crops


def every(inputs: Inputs, turn: int | None = None) -> npt.NDArray[np.generic]:
    images = torch.arange(len(inputs.rows))
    return inputs.pick(images, None if turn is None else torch.full_like(images, turn)).numpy()


def test_each_mode_shows_the_lights_that_it_promises() -> None:
    pixels = crops(3)
    assert np.array_equal(every(lay_out(pixels, Channels("single", "9"), LIGHTS)), pixels[:, 4:5])
    assert np.array_equal(every(lay_out(pixels, Channels("stacked"), LIGHTS)), pixels)
    assert np.array_equal(every(lay_out(pixels, Channels("volume"), LIGHTS)), pixels[:, :4])
    examples = lay_out(pixels, Channels("examples"), LIGHTS)
    assert examples.per_pit == 6
    assert np.array_equal(every(examples), pixels.reshape(18, 1, 12, 12))
    assert examples.of_pits(torch.tensor([2, 0])).tolist() == [12, 13, 14, 15, 16, 17, 0, 1, 2, 3, 4, 5]


@pytest.mark.parametrize("mode", MODES)
def test_rows_choose_pits_and_the_pixels_are_not_copied(mode: str) -> None:
    pixels = crops(7)
    channels, rows = Channels(mode, "9" if mode == "single" else None), np.array([5, 1, 1])
    inputs = lay_out(pixels, channels, LIGHTS, rows=rows)
    assert np.array_equal(every(inputs), every(lay_out(pixels[rows], channels, LIGHTS)))
    assert np.shares_memory(inputs.stored.numpy(), pixels)


def test_two_dimensional_networks_find_their_channels_together_in_memory() -> None:
    stacked = lay_out(crops(3), Channels("stacked"), LIGHTS).pick(torch.arange(3))
    assert stacked.is_contiguous(memory_format=torch.channels_last)
    assert lay_out(crops(3), Channels("volume"), LIGHTS).pick(torch.arange(3)).is_contiguous()


def test_sixteen_bits_survive_exactly() -> None:
    pixels = np.arange(2 * 6 * 144, dtype=np.uint16).reshape(2, 6, 12, 12) * 37
    inputs = lay_out(pixels, Channels("stacked"), LIGHTS)
    assert inputs.full_scale == 65535
    assert np.array_equal(every(inputs), pixels)


@pytest.mark.parametrize("mode", ["stacked", "volume", "examples"])
def test_a_lookup_moves_pixels_and_lights_as_the_turn_does(mode: str) -> None:
    channels = Channels(mode)
    inputs = lay_out(crops(2), channels, LIGHTS, augmentation="symmetries")
    turns = allowed_turns("symmetries", channels, LIGHTS)
    assert len(inputs.turns) == len(turns) == 8
    straight = every(inputs)
    for number, (turn, order) in enumerate(turns):
        expected = straight if mode == "examples" else straight[:, list(order)]
        expected = expected[..., ::-1] if turn.mirrored else expected
        assert np.array_equal(every(inputs, number), np.rot90(expected, turn.quarters, axes=(2, 3)))


def test_images_brought_to_a_device_are_the_same() -> None:
    inputs = lay_out(crops(5), Channels("stacked"), LIGHTS, rows=np.array([4, 2]))
    assert inputs.to(torch.device("cpu")) is inputs
    moved = inputs.to(torch.device("meta"))
    assert moved.stored.shape == (2, 6 * 144)
    assert moved.rows.device.type == moved.turns.device.type == "meta"
