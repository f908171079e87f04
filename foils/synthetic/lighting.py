"""Lighting: what the microscope's lights and camera make of a foil's two height maps.

Azimuths count counter-clockwise from +x (right) as the image is displayed, so light k stands in the direction
(column, row) = (cos a, -sin a). `np.fliplr` of an image therefore moves azimuth a to 180 - a (QMUL's lights 1-8 become
2 1 8 7 6 5 4 3), `np.rot90`, which turns counter-clockwise, moves it to a + 90.

This module knows nothing of labels, of where pits lie, or of files; the heights are given to it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from foils.description import Channel

Floats = NDArray[np.float64]


QMUL_RIG: tuple[Channel, ...] = (
    *(Channel(str(k + 1), "rotating", (67.5 + 45.0 * k) % 360.0) for k in range(8)),
    Channel("9", "backlit"),
    Channel("10", "halo"),
)


@dataclass(frozen=True, slots=True)
class Optics:
    """Set the microscope's optics.

    pixel_um; elevation of the rotating lights and of the halo ring above the foil; ambient and gloss as shares of a flat
    foil's brightness; aperture: numerical aperture of the objective; thickness_um and refractive_index of the foil (they
    set the defocus of the bottom face); bottom_contrast: how strongly the bottom face shows, 0 to 1; blur_px: the lens.
    """

    pixel_um: float = 6.45
    elevation_deg: float = 35.0
    halo_elevation_deg: float = 15.0
    ambient: float = 0.3
    gloss: float = 0.25
    aperture: float = 0.05
    thickness_um: float = 500.0
    refractive_index: float = 1.58
    bottom_contrast: float = 0.5
    blur_px: float = 0.6

    @property
    def defocus_px(self) -> float:
        """Blur (sigma, pixels) of the bottom face when the top is in focus: (T/n) tan(asin NA) / 2 over the pixel."""
        return self.thickness_um / self.refractive_index * math.tan(math.asin(self.aperture)) / 2.0 / self.pixel_um


@dataclass(frozen=True, slots=True)
class Faces:
    """Hold a window of foil, four maps [y, x].

    top_um, bottom_um: heights of the two faces, negative where etched into the foil; albedo: brightness of the plain
    surface, 1 on average; cover: share of light that passes dust, 1 where clean.
    """

    top_um: Floats
    bottom_um: Floats
    albedo: Floats
    cover: Floats


def light_direction(azimuth_deg: float) -> tuple[float, float]:
    """Return the unit step (column, row) that leads towards a light at this azimuth."""
    return math.cos(math.radians(azimuth_deg)), -math.sin(math.radians(azimuth_deg))


def illuminate(faces: Faces, lights: Sequence[Channel], optics: Optics) -> Floats:
    """Return the noise-free images [channels, y, x] of a window of foil; 1 is the brightness of clean flat foil."""
    azimuths = [light.azimuth_deg for light in lights if light.azimuth_deg is not None]
    rotating = iter(_both_faces_shaded(faces, azimuths, optics))
    others = {"backlit": backlight, "halo": halo}
    images = [next(rotating) if light.kind == "rotating" else others[light.kind](faces, optics) for light in lights]
    sharp = np.stack(images) * faces.cover
    return np.asarray(ndimage.gaussian_filter(sharp, (0.0, optics.blur_px, optics.blur_px), mode="nearest"))


def shade(height_um: Floats, azimuths_deg: Sequence[float], optics: Optics, *, shadows: bool = True) -> Floats:
    """Return one face under each rotating light [lights, y, x], as a multiple of flat foil.

    I_k = max(0, n.s_k) x shadow + specular + ambient, with n the surface normal and s_k the direction of light k; Blinn's
    half-vector stands for the specular part.
    """
    by_column, by_row = _slopes(height_um, optics.pixel_um)
    norm = np.sqrt(1.0 + by_column**2 + by_row**2)
    rise = math.sin(math.radians(optics.elevation_deg))
    run = math.cos(math.radians(optics.elevation_deg))
    half = math.sqrt(2.0 + 2.0 * rise)  # length of (light + viewer), the viewer straight above
    images = np.empty((len(azimuths_deg), *height_um.shape))
    for image, azimuth in zip(images, azimuths_deg, strict=True):
        column, row = light_direction(azimuth)
        towards = -(by_column * column + by_row * row) * run
        lit = np.maximum(0.0, towards + rise) / norm / rise
        glint = (np.maximum(0.0, towards + rise + 1.0) / (norm * half)) ** 12
        if shadows:
            lit = lit * _lit_share(height_um, column, row, optics)
        image[:] = lit + optics.gloss * (glint - (half / 2.0) ** 12) + optics.ambient
    return images / (1.0 + optics.ambient)


def backlight(faces: Faces, optics: Optics) -> Floats:
    """Return the foil lit from behind [y, x]: walls that reflect totally are dark, flat ground, tips and holes bright.

    Light that meets a wall of slope angle beta leaves it only while n sin(beta) < 1; well before that it is bent past the
    objective. Both make one smooth fall of transmission with slope. A hole, where the two faces have met, lets all through.
    """
    top = _passed(faces.top_um, optics)
    bottom = ndimage.gaussian_filter(_passed(faces.bottom_um, optics), optics.defocus_px, mode="nearest")
    bottom = 1.0 - (0.4 + 0.6 * optics.bottom_contrast) * (1.0 - bottom)
    hole = np.clip(-(faces.top_um + faces.bottom_um + optics.thickness_um) / 30.0, 0.0, 1.0)
    passed = top * bottom * faces.albedo
    floor = 0.07 * faces.albedo**3
    return np.asarray(floor + (1.0 - floor) * np.maximum(passed, hole))


def halo(faces: Faces, optics: Optics) -> Floats:
    """Return the foil under the low ring of light [y, x]: the walls glow from all sides, deep tips stay dark.

    The mean of max(0, n.s) over all azimuths has a closed form in the slope; what a deep pit hides from the low ring is
    taken as an exponential in depth.
    """
    rise = math.sin(math.radians(optics.halo_elevation_deg))
    run = math.cos(math.radians(optics.halo_elevation_deg))
    by_column, by_row = _slopes(faces.top_um, optics.pixel_um)
    steepness = np.hypot(by_column, by_row)
    reach = np.arccos(np.clip(-rise / np.maximum(run * steepness, 1e-9), -1.0, 1.0))
    mean = (reach * rise + np.sin(reach) * run * steepness) / math.pi / np.sqrt(1.0 + steepness**2) / rise
    ghost = ndimage.gaussian_filter(1.0 - _passed(faces.bottom_um, optics), optics.defocus_px, mode="nearest")
    glow = mean * np.exp(faces.top_um / 45.0) * faces.albedo + 0.4 * optics.bottom_contrast * ghost
    return np.asarray((glow + optics.ambient) / (1.0 + optics.ambient))


def _both_faces_shaded(faces: Faces, azimuths_deg: Sequence[float], optics: Optics) -> Floats:
    """Lay the defocused bottom face, its gradient reversed, behind the top face [lights, y, x]."""
    top = shade(faces.top_um, azimuths_deg, optics)
    if not np.any(faces.bottom_um):
        return top * faces.albedo
    # Seen from inside the foil a pit of the far face is a hill: the same shading as under the opposite light.
    below = shade(-faces.bottom_um, azimuths_deg, optics, shadows=False)
    sigma = optics.defocus_px
    ghost = ndimage.gaussian_filter(below - 1.0, (0.0, sigma, sigma), mode="nearest")
    clear = 0.35 + 0.65 * _passed(faces.top_um, optics)  # steep walls of the top face bend the view of the bottom away
    return np.asarray(top * faces.albedo * np.maximum(0.1, 1.0 + optics.bottom_contrast * clear * ghost))


def _slopes(height_um: Floats, pixel_um: float) -> tuple[Floats, Floats]:
    """Return dz/dcolumn and dz/drow, dimensionless."""
    by_row, by_column = np.gradient(height_um, pixel_um)
    return np.asarray(by_column), np.asarray(by_row)


def _passed(height_um: Floats, optics: Optics) -> Floats:
    """Return the share of light that passes a face straight on, falling with its slope."""
    by_column, by_row = _slopes(height_um, optics.pixel_um)
    critical = math.tan(math.asin(1.0 / optics.refractive_index))
    return np.asarray(1.0 / (1.0 + (np.hypot(by_column, by_row) / (0.55 * critical)) ** 3))


def _lit_share(height_um: Floats, column: float, row: float, optics: Optics) -> Floats:
    """Return how much of the light reaches every pixel [y, x], by marching towards the light over a pit's width.

    Plastic is clear: some light comes through the rim, so a shadow never takes more than 60 %.
    """
    climb = optics.pixel_um * math.tan(math.radians(optics.elevation_deg))
    share = np.ones_like(height_um)
    if np.ptp(height_um) <= climb:
        return share
    for step in (1.0, 2.0, 3.0, 4.5, 6.0, 8.0, 10.0):
        towards_light = ndimage.shift(height_um, (-step * row, -step * column), order=1, mode="nearest")
        hidden = (towards_light - height_um - step * climb) / (2.0 * climb)
        np.minimum(share, np.clip(1.0 - 0.6 * hidden, 0.4, 1.0), out=share)
    return share


@dataclass(frozen=True, slots=True)
class Camera:
    """Set the camera.

    level_rotating, level_backlit, level_halo: grey value of clean flat foil; vignetting: loss of light in the frame's
    corners; slant: how much brighter the side towards a rotating light is, from the centre to the edge;
    electrons_per_grey and read_grey: Poisson and read noise; gain_spread, shift_px: spread of the gain and of the sub-pixel
    shift between the channels of one slide.
    """

    level_rotating: float = 105.0
    level_backlit: float = 205.0
    level_halo: float = 80.0
    vignetting: float = 0.15
    slant: float = 0.06
    electrons_per_grey: float = 30.0
    read_grey: float = 1.2
    gain_spread: float = 0.05
    shift_px: float = 0.25


@dataclass(frozen=True, slots=True)
class Exposure:
    """Hold what one slide's ten exposures differ in: gains [channels], shifts [channels, 2] as (row, column) in pixels."""

    gains: Floats
    shifts: Floats


def draw_exposure(rng: np.random.Generator, lights: Sequence[Channel], camera: Camera) -> Exposure:
    """Draw the gain and sub-pixel shift of every channel of one slide."""
    gains = rng.lognormal(0.0, camera.gain_spread, len(lights))
    return Exposure(gains, np.clip(rng.normal(0.0, camera.shift_px, (len(lights), 2)), -1.0, 1.0))


def expose(
    images: Floats,
    lights: Sequence[Channel],
    exposure: Exposure,
    camera: Camera,
    place: tuple[Floats, Floats],
    white: Floats,
) -> NDArray[np.uint8]:
    """Return what the camera records of noise-free images [channels, y, x], as 8-bit greys of the same shape.

    `place` holds every pixel's (column, row) as shares of the half frame, -1 to 1 from its centre; `white` is unit white
    noise of the images' shape. Poisson noise is taken in its normal limit, which thousands of electrons a pixel justify.
    """
    levels = {"rotating": camera.level_rotating, "backlit": camera.level_backlit, "halo": camera.level_halo}
    column, row = place
    vignette = 1.0 - camera.vignetting * (column**2 + row**2) / 2.0
    greys = np.empty_like(images)
    for number, light in enumerate(lights):
        field = vignette * levels[light.kind] * exposure.gains[number]
        if light.azimuth_deg is not None:
            towards_column, towards_row = light_direction(light.azimuth_deg)
            field = field * (1.0 + camera.slant * (column * towards_column + row * towards_row))
        moved = ndimage.shift(images[number], exposure.shifts[number], order=1, mode="nearest")
        greys[number] = np.maximum(moved * field, 0.0)
    greys += white * np.sqrt(greys / camera.electrons_per_grey + camera.read_grey**2)
    return np.clip(np.rint(greys), 0, 255).astype(np.uint8)
