"""Texture: the plastic that pits lie in: grain, small clutter pits, dust and scratches.

Every random field of a slide is cut from one plane of white noise and filtered where it is needed, so a window of a slide
looks the same whether it is drawn alone or as part of the whole frame. Lengths are in pixels, heights in microns.

This module knows nothing of labels, tracks or light.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Window:
    """Name a rectangle of a frame in whole pixels: column and row of its first pixel, width, height."""

    x: int
    y: int
    width: int
    height: int

    def grown(self, margin: int) -> Window:
        """Return the window with a margin added on every side."""
        return Window(self.x - margin, self.y - margin, self.width + 2 * margin, self.height + 2 * margin)

    def coordinates(self) -> tuple[Floats, Floats]:
        """Return the frame coordinates (columns, rows) of every pixel, each [y, x]."""
        columns, rows = np.meshgrid(
            np.arange(self.x, self.x + self.width, dtype=float), np.arange(self.y, self.y + self.height, dtype=float)
        )
        return columns, rows


@dataclass(frozen=True, slots=True)
class Clutter:
    """Hold the small pits of one face as columns of numbers, one entry a pit.

    x, y, radius in pixels; depth in microns; lobes [pits, 4]: cosine and sine amplitudes of the rim's 2nd and 3rd harmonic;
    flatness: exponent of the bowl, 2 a parabola, 6 a flat floor with a steep rim.
    """

    x: Floats
    y: Floats
    radius: Floats
    depth: Floats
    lobes: Floats
    flatness: Floats


@dataclass(frozen=True, slots=True)
class Dust:
    """Describe one speck: centre, radius in pixels, share of light it passes at its thickest, lobes of its outline."""

    x: float
    y: float
    radius: float
    passed: float
    lobes: tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class Scratch:
    """Describe one straight groove: its middle, direction in degrees, length and width in pixels, depth in microns."""

    x: float
    y: float
    angle_deg: float
    length: float
    width: float
    depth: float


def white_plane(rng: np.random.Generator, width: int, height: int) -> NDArray[np.float32]:
    """Draw the one plane of unit white noise [y, x] that all fields of a slide are cut from."""
    return rng.standard_normal((height, width), dtype=np.float32)


def white_noise(plane: NDArray[np.float32], window: Window, field: int) -> Floats:
    """Cut the white noise [y, x] of one numbered field (below 30) from the plane, which wraps around.

    Fields are the same plane shifted by more than a crop, so within a crop they are independent; over a whole frame they
    repeat each other at a distance, which nothing that looks at one pit can see.
    """
    rows = (np.arange(window.y, window.y + window.height) + 67 * field) % plane.shape[0]
    columns = (np.arange(window.x, window.x + window.width) + 101 * field) % plane.shape[1]
    return plane[np.ix_(rows, columns)].astype(np.float64)


def grain(plane: NDArray[np.float32], window: Window, field: int, sigma: float) -> Floats:
    """Return a random field [y, x] of unit variance, correlated over `sigma` pixels, the same in whatever window it is cut."""
    reach = math.ceil(4.0 * sigma)
    steps = np.arange(-reach, reach + 1)
    kernel = np.exp(-0.5 * (steps / sigma) ** 2)
    kernel /= np.sqrt(np.sum(kernel**2))
    white = white_noise(plane, window.grown(reach), field)
    for axis in (0, 1):
        white = ndimage.correlate1d(white, kernel, axis=axis, mode="nearest")
    return np.asarray(white[reach:-reach, reach:-reach])


def draw_clutter(rng: np.random.Generator, width: int, height: int, *, per_pixel: float, smallest: float) -> Clutter:
    """Scatter small pits over a frame: many of the `smallest` radius, few nearly as wide as a track's, none quite round.

    Radii follow a power law (share above r falls as 1/r^2), as the ranges of recoils and fragments make them.
    """
    number = int(rng.poisson(per_pixel * width * height))
    radius = np.minimum(smallest * (1.0 - rng.random(number)) ** (-1.0 / 2.0), 4.5)
    return Clutter(
        x=rng.uniform(-8.0, width + 8.0, number),
        y=rng.uniform(-8.0, height + 8.0, number),
        radius=radius,
        depth=radius * rng.lognormal(0.2, 0.6, number),
        lobes=rng.normal(0.0, 0.05, (number, 4)),
        flatness=rng.uniform(2.0, 6.0, number),
    )


def sink_clutter(height: Floats, clutter: Clutter, columns: Floats, rows: Floats, strength: float) -> None:
    """Sink the clutter's bowls into a height map [y, x] in place, `strength` times as deep."""
    left, top = columns[0, 0], rows[0, 0]
    near = np.flatnonzero(
        (clutter.x + 8.0 > left)
        & (clutter.x - 8.0 < left + columns.shape[1])
        & (clutter.y + 8.0 > top)
        & (clutter.y - 8.0 < top + rows.shape[0])
    )
    for pit in near:
        x, y, radius = clutter.x[pit], clutter.y[pit], clutter.radius[pit]
        reach = 1.4 * radius + 1.5
        first_row, first_column = max(0, math.floor(y - reach - top)), max(0, math.floor(x - reach - left))
        box = np.s_[first_row : max(0, math.ceil(y + reach - top) + 1), first_column : max(0, math.ceil(x + reach - left) + 1)]
        if height[box].size == 0:
            continue
        distance = _outline_distance(columns[box] - x, rows[box] - y, radius, clutter.lobes[pit])
        bowl = strength * clutter.depth[pit] * (np.minimum(distance, 1.0) ** clutter.flatness[pit] - 1.0)
        height[box] = np.minimum(height[box], bowl)


def cover_with_dust(cover: Floats, specks: tuple[Dust, ...], columns: Floats, rows: Floats, ragged: Floats) -> None:
    """Darken a transmission map [y, x] in place under specks; `ragged` is a unit grain that frays their edges."""
    for speck in specks:
        distance = _outline_distance(columns - speck.x, rows - speck.y, speck.radius, np.asarray(speck.lobes))
        inside = 1.0 / (1.0 + np.exp(np.clip((distance - 1.0 + 0.12 * ragged) / 0.10, -40.0, 40.0)))
        cover *= 1.0 - (1.0 - speck.passed) * inside


def scratch(height: Floats, grooves: tuple[Scratch, ...], columns: Floats, rows: Floats) -> None:
    """Cut grooves into a height map [y, x] in place, with the low burr that a scratch throws up beside it."""
    for groove in grooves:
        angle = math.radians(groove.angle_deg)
        along = (columns - groove.x) * math.cos(angle) - (rows - groove.y) * math.sin(angle)
        across = (columns - groove.x) * math.sin(angle) + (rows - groove.y) * math.cos(angle)
        ends = 1.0 / (1.0 + np.exp(np.clip(np.abs(along) - groove.length / 2.0, -40.0, 40.0)))
        profile = np.exp(-0.5 * (across / groove.width) ** 2) - 0.35 * np.exp(-0.5 * (across / (2 * groove.width)) ** 2)
        height -= groove.depth * ends * profile


def _outline_distance(east: Floats, south: Floats, radius: float, lobes: Floats) -> Floats:
    """Return the distance from the centre as a share of a lobed outline's radius, 1 on the outline."""
    distance = np.hypot(east, south)
    safe = np.maximum(distance, 1e-9)
    # cos and sin of 2 and 3 times the polar angle, from powers of the unit complex number
    unit = (east + 1j * south) / safe
    second, third = unit**2, unit**3
    rim = 1.0 + lobes[0] * second.real + lobes[1] * second.imag + lobes[2] * third.real + lobes[3] * third.imag
    return np.asarray(distance / (radius * np.maximum(rim, 0.3)))
