"""The layout of crops for each channel mode, and flips and turns as one lookup."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from models.inputs import lay_out, turn_table
from spaces.augmentation import allowed_turns
from spaces.channels import Channels
from tests.models.toys import LIGHTS, crops


def test_each_mode_shows_the_lights_that_it_promises() -> None:
    pixels = crops(3)
    single = lay_out(pixels, Channels("single", "9"), LIGHTS)
    assert np.array_equal(single.images.numpy(), pixels[:, 4:5])
    stacked = lay_out(pixels, Channels("stacked"), LIGHTS)
    assert np.array_equal(stacked.images.numpy(), pixels)
    volume = lay_out(pixels, Channels("volume"), LIGHTS)
    assert np.array_equal(volume.images.numpy(), pixels[:, :4])
    examples = lay_out(pixels, Channels("examples"), LIGHTS)
    assert examples.per_pit == 6
    assert np.array_equal(examples.images.numpy(), pixels.reshape(18, 1, 12, 12))
    assert examples.of_pits(torch.tensor([2, 0])).tolist() == [12, 13, 14, 15, 16, 17, 0, 1, 2, 3, 4, 5]


def test_sixteen_bits_survive_exactly() -> None:
    pixels = np.arange(2 * 6 * 144, dtype=np.uint16).reshape(2, 6, 12, 12) * 37
    inputs = lay_out(pixels, Channels("stacked"), LIGHTS)
    assert inputs.full_scale == 65535
    assert np.array_equal(inputs.images.numpy().astype(np.uint16), pixels)


@pytest.mark.parametrize("mode", ["stacked", "volume", "examples"])
def test_a_lookup_moves_pixels_and_lights_as_the_turn_does(mode: str) -> None:
    channels = Channels(mode)
    inputs = lay_out(crops(2), channels, LIGHTS)
    table = turn_table("symmetries", channels, LIGHTS, inputs.size)
    turns = allowed_turns("symmetries", channels, LIGHTS)
    assert len(table) == len(turns) == 8
    for row, (turn, order) in zip(table, turns, strict=True):
        found = inputs.images.flatten(1)[:, row].view_as(inputs.images).numpy()
        expected = inputs.images.numpy()
        if mode != "examples":
            expected = expected[:, list(order)]
        expected = expected[..., ::-1] if turn.mirrored else expected
        assert np.array_equal(found, np.rot90(expected, turn.quarters, axes=(2, 3)))


def test_no_augmentation_leaves_every_value_where_it_is() -> None:
    table = turn_table("none", Channels("stacked"), LIGHTS, 12)
    assert torch.equal(table, torch.arange(6 * 144)[None])
