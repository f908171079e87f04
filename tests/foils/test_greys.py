"""Pixels are stretched light by light, alike for all pits, and images that hold one value stay whole."""

from __future__ import annotations

import numpy as np

from foils.greys import stretch_of


def test_lights_are_stretched_apart_and_pits_alike() -> None:
    pixels = np.zeros((200, 2, 4, 4), np.uint16)
    pixels[:, 0] = np.linspace(1000, 2000, 200)[:, None, None]
    pixels[:, 1] = np.linspace(0, 100, 200)[:, None, None]
    stretch = stretch_of(pixels)
    dark, middle, bright = (stretch.greys(pixels[pit])[:, 0, 0].tolist() for pit in (0, 100, 199))
    assert dark == [0, 0] and bright == [255, 255]
    assert all(126 <= grey <= 130 for grey in middle)


def test_a_light_of_one_value_is_black() -> None:
    pixels = np.full((3, 1, 2, 2), 7, np.uint8)
    assert (stretch_of(pixels).greys(pixels[0]) == 0).all()
