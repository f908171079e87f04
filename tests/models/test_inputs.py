"""The layout of crops for each channel mode, and flips and turns as one lookup."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
import torch

from foils.synthetic.lighting import QMUL_RIG, Faces, Optics, illuminate
from models.inputs import Inputs, lay_out, turn_by_45
from spaces.choices.augmentation import allowed_turns
from spaces.choices.channels import MODES, Channels
from tests.support.toys import LIGHTS, crops


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


def smooth(size: int, full_scale: int) -> npt.NDArray[np.float64]:
    """Draw a smooth image with no symmetry, `[y, x]`: two hills of different width, height and place."""
    y, x = np.mgrid[:size, :size] - (size - 1) / 2
    hills = np.exp(-((x - 3) ** 2 + (y - 2) ** 2) / 18) + 0.6 * np.exp(-((x + 4) ** 2 + (y - 1) ** 2) / 10)
    return np.asarray(0.6 * full_scale * hills)


@pytest.mark.parametrize(("dtype", "size"), [(np.uint8, 28), (np.uint16, 27)])
def test_two_eighths_of_a_turn_are_a_quarter(dtype: type[np.uint8] | type[np.uint16], size: int) -> None:
    full_scale = np.iinfo(dtype).max
    image = np.rint(smooth(size, full_scale)).astype(dtype)
    stored = torch.from_numpy(image if dtype is np.uint8 else image.view(np.int16)).view(1, -1)
    once = turn_by_45(stored, size)
    twice = turn_by_45(once, size)
    assert once.dtype == twice.dtype == stored.dtype
    got, expected = twice.numpy().reshape(size, size).view(dtype).astype(float), np.rot90(image).astype(float)
    y, x = np.mgrid[:size, :size] - (size - 1) / 2
    inside = np.hypot(x, y) < size / 2
    assert np.abs(got - expected)[inside].max() < 0.03 * full_scale
    assert np.abs(np.rot90(image, -1) - expected)[inside].max() > 0.4 * full_scale  # the other way round is another image
    assert np.abs(once.numpy().reshape(size, size).view(dtype) - expected)[inside].max() > 0.3 * full_scale


def hollow(mirrored: bool = False, turned_deg: float = 0.0, size: int = 28) -> npt.NDArray[np.float64]:
    """A hollow with no symmetry, in um, mirrored left-right, then turned counter-clockwise as displayed, `[y, x]`."""
    row, x = np.mgrid[:size, :size] - (size - 1) / 2
    angle = np.deg2rad(turned_deg)
    right, up = x * np.cos(angle) - row * np.sin(angle), -row * np.cos(angle) - x * np.sin(angle)
    right = -right if mirrored else right
    deep = np.exp(-((right - 2) ** 2 / 30 + (up - 1) ** 2 / 14))
    return np.asarray(-14.0 * deep - 5.0 * np.exp(-((right + 4) ** 2 + (up + 3) ** 2) / 8))


def lit(height_um: npt.NDArray[np.float64]) -> npt.NDArray[np.uint8]:
    """Photograph a surface under the eight rotating lights, `[lights, y, x]`."""
    plain = np.ones_like(height_um)
    images = illuminate(Faces(height_um, np.zeros_like(plain), plain, plain), QMUL_RIG[:8], Optics())
    return np.asarray(np.clip(np.rint(120 * images), 0, 255).astype(np.uint8))


@pytest.mark.parametrize("mode", ["stacked", "volume"])
def test_a_pit_turned_by_45_degrees_is_lit_as_it_would_be_there(mode: str) -> None:
    pixels = lit(hollow())[None]
    inputs = lay_out(pixels, Channels(mode), QMUL_RIG[:8], augmentation="eighths")
    turns = allowed_turns("eighths", Channels(mode), QMUL_RIG[:8])
    inside = np.hypot(*(np.mgrid[:28, :28] - 13.5)) < 13
    assert len(inputs.turns) == len(turns) == 16
    for number, (turn, _) in enumerate(turns):
        degrees = 90.0 * turn.quarters + 45.0 * turn.diagonal
        got, expected = every(inputs, number)[0].astype(float), lit(hollow(turn.mirrored, degrees)).astype(float)
        assert np.abs(got - expected)[:, inside].mean() < 1.0
        # With the lights rolled by one too many or too few it is another picture.
        for roll in (1, -1):
            assert np.abs(np.roll(got, roll, axis=0) - expected)[:, inside].mean() > 5.0


@pytest.mark.parametrize("mode", [mode for mode in MODES if mode != "single"])
def test_eighths_are_quarters_of_the_images_and_of_a_turned_copy(mode: str) -> None:
    pixels = np.random.default_rng(0).integers(0, 2**16, (5, 10, 12, 12), dtype=np.uint16)
    rows = np.array([3, 1])
    inputs = lay_out(pixels, Channels(mode), QMUL_RIG, rows=rows, augmentation="eighths")
    quarters = lay_out(pixels, Channels(mode), QMUL_RIG, rows=rows, augmentation="symmetries")
    stored = torch.from_numpy(pixels.view(np.int16)).view(50, -1)
    turned = turn_by_45(stored, 12).numpy().view(np.uint16).reshape(pixels.shape)
    diagonal = lay_out(turned, Channels(mode), QMUL_RIG, rows=rows)
    assert np.array_equal(every(inputs), every(quarters))
    turns = allowed_turns("eighths", Channels(mode), QMUL_RIG)
    for number, (turn, order) in enumerate(turns):
        if not turn.diagonal:
            assert np.array_equal(every(inputs, number), every(quarters, number))
            continue
        images = every(diagonal)
        expected = images if MODES[mode].apart else images[:, list(order)]
        expected = expected[..., ::-1] if turn.mirrored else expected
        # R45 M = R90 M R45: in the turned copy a mirror comes after the turn.
        quarters_left = turn.quarters + turn.mirrored
        assert np.array_equal(every(inputs, number), np.rot90(expected, quarters_left, axes=(2, 3)))
    assert inputs.stored.nbytes == 2 * pixels[rows].nbytes
    moved = inputs.to(torch.device("meta"))
    assert moved.stored.shape == inputs.stored.shape
    assert moved.further is not None and moved.further.device.type == "meta"


def test_images_brought_to_a_device_are_the_same() -> None:
    inputs = lay_out(crops(5), Channels("stacked"), LIGHTS, rows=np.array([4, 2]))
    assert inputs.to(torch.device("cpu")) is inputs
    moved = inputs.to(torch.device("meta"))
    assert moved.stored.shape == (2, 6 * 144)
    assert moved.rows.device.type == moved.turns.device.type == "meta"
