"""Scenes: which pits lie on a slide, and how any window of it is photographed.

A slide is a stage set: the pits of its labels, clutter, grain, the exposure of each channel. `photograph` draws a crop or
the whole frame from the same set, so both modes of the data-set writer agree pixel by pixel.

This module knows nothing of files, of label noise or of how many pits a data set has.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from foils.description import Channel
from foils.synthetic.etching import Cone, etch, face_offset
from foils.synthetic.lighting import Camera, Exposure, Faces, Optics, expose, illuminate
from foils.synthetic.texture import (
    Clutter,
    Dust,
    Scratch,
    Window,
    cover_with_dust,
    grain,
    scratch,
    sink_clutter,
    white_noise,
)

Floats = NDArray[np.float64]

FRAME_WIDTH, FRAME_HEIGHT = 640, 480
MARGIN = 14  # pixels drawn around a window: more than shadows, blur and shift reach together, so no window sees its edge
FIRST_SPECKLE, FIRST_NOISE = 8, 20  # numbers of the random fields, see `white_noise`; the faces use 0 to 6


@dataclass(frozen=True, slots=True)
class Pit:
    """Collect what makes up one labelled pit: cones on either face, dust, scratches."""

    tops: tuple[Cone, ...] = ()
    bottoms: tuple[Cone, ...] = ()
    dust: tuple[Dust, ...] = ()
    scratches: tuple[Scratch, ...] = ()


@dataclass(frozen=True, slots=True)
class Looks:
    """Set what difficulty changes.

    texture: strength of grain, clutter and uneven albedo; bottom_contrast: see `Optics`; weak_bottom: share of signal whose
    bottom cone is near threshold; stray_bottom: share of top pits with some bottom cone nearby that is not theirs;
    stray_top: share of bottom pits under a weak top pit; signal_excess: by how much signal's etch ratio exceeds the rest's.
    """

    texture: float
    bottom_contrast: float
    weak_bottom: float
    stray_bottom: float
    stray_top: float
    signal_excess: float


def looks_at(difficulty: float) -> Looks:
    """Return the looks that a difficulty from 0 (clean) to 1 (buried in texture) stands for; every part is monotone in it."""
    return Looks(
        texture=0.3 + 1.2 * difficulty,
        bottom_contrast=1.0 - 0.4 * difficulty**2,
        weak_bottom=0.2 * difficulty,
        stray_bottom=0.25 * difficulty,
        stray_top=0.2 * difficulty,
        signal_excess=0.9 * (1.0 - difficulty),
    )


@dataclass(frozen=True, slots=True)
class Slide:
    """Hold one slide: its pits, the look-alikes shown instead where a channel tells nothing, and its plastic."""

    pits: tuple[Pit, ...]
    decoys: tuple[Pit, ...]
    top_clutter: Clutter
    bottom_clutter: Clutter
    plane: NDArray[np.float32]
    exposure: Exposure


def draw_pit(rng: np.random.Generator, label: str, x: float, y: float, looks: Looks, optics: Optics) -> Pit:
    """Draw a pit of one label around frame position x, y.

    candidate: lined-up cones on both faces; top, bottom: a cone on one face, with or without a stray on the other; misc:
    dust, scratches or merged pits; maybe: as candidate, at the threshold between it and the rest.
    """
    removed = rng.normal(60.0, 4.0)
    dip = 90.0 - min(abs(rng.normal(0.0, 4.0)), 9.0)
    heading = rng.uniform(0.0, 360.0)
    signal = label in ("candidate", "maybe")
    strong = 1.3 + rng.gamma(1.5, 0.55) + (looks.signal_excess if signal else 0.0)
    cone = Cone(x, y, strong, removed, dip, heading, rng.gamma(2.0, 6.0))
    threshold = rng.uniform(1.08, 1.3)
    if signal:
        weak = label == "maybe" or rng.random() < looks.weak_bottom
        ratio = threshold if weak else max(1.35, strong * rng.lognormal(0.0, 0.12))
        other = _far_side(replace(cone, etch_ratio=ratio), optics.thickness_um)
        return Pit(tops=(cone,), bottoms=(other,))
    if label == "top":
        stray = rng.random() < looks.stray_bottom
        ratio, distance = 1.15 + rng.gamma(1.5, 0.3), rng.uniform(4.0, 14.0)
        return Pit(tops=(cone,), bottoms=(_stray(rng, cone, ratio, distance),) if stray else ())
    if label == "bottom":
        stray = rng.random() < looks.stray_top
        return Pit(tops=(_stray(rng, cone, threshold, rng.uniform(0.0, 10.0)),) if stray else (), bottoms=(cone,))
    return _draw_misc(rng, cone)


def photograph(
    slide: Slide,
    window: Window,
    lights: Sequence[Channel],
    looks: Looks,
    camera: Camera,
    *,
    blind: Sequence[str] = (),
    telling: str | None = None,
) -> NDArray[np.uint8]:
    """Photograph a window of a slide under every light: 8-bit greys [channels, y, x].

    `blind` channels show the plastic without any pit; where one channel is `telling`, the others show every pit's decoy.
    """
    optics = Optics(bottom_contrast=looks.bottom_contrast)
    grown = window.grown(MARGIN)
    images = np.empty((len(lights), grown.height, grown.width))
    casts: dict[tuple[Pit, ...], list[int]] = {}
    for number, light in enumerate(lights):
        shown = slide.pits if telling in (None, light.name) else slide.decoys
        casts.setdefault(() if light.name in blind else shown, []).append(number)
    for pits, numbers in casts.items():
        faces = _faces(slide, [pit for pit in pits if _touches(pit, grown)], grown, looks.texture, optics)
        images[numbers] = illuminate(faces, [lights[number] for number in numbers], optics)
    for number, image in enumerate(images):  # a grain of its own in every channel: no two lights meet the same scatterers
        image *= 1.0 + 0.06 * looks.texture * grain(slide.plane, grown, FIRST_SPECKLE + number, 0.9)
    columns, rows = grown.coordinates()
    place = (2.0 * columns / FRAME_WIDTH - 1.0, 2.0 * rows / FRAME_HEIGHT - 1.0)
    white = np.stack([white_noise(slide.plane, grown, FIRST_NOISE + number) for number in range(len(lights))])
    greys = expose(images, lights, slide.exposure, camera, place, white)
    return greys[:, MARGIN:-MARGIN, MARGIN:-MARGIN]


def _faces(slide: Slide, pits: Sequence[Pit], window: Window, texture: float, optics: Optics) -> Faces:
    """Build the two faces of a window of a slide that holds these pits."""
    columns, rows = window.coordinates()

    def field(number: int, sigma: float) -> Floats:
        return grain(slide.plane, window, number, sigma)

    # Warped coordinates: no rim in plastic is a perfect ellipse.
    bent_columns, bent_rows = columns + 0.35 * field(0, 2.5), rows + 0.35 * field(1, 2.5)
    top_um = etch([cone for pit in pits for cone in pit.tops], bent_columns, bent_rows, optics.pixel_um)
    sink_clutter(top_um, slide.top_clutter, columns, rows, texture)
    scratch(top_um, tuple(groove for pit in pits for groove in pit.scratches), columns, rows)
    top_um += texture * (0.55 * field(2, 0.7) + 1.1 * field(3, 2.0))
    bottom_um = etch([cone for pit in pits for cone in pit.bottoms], bent_columns, bent_rows, optics.pixel_um)
    sink_clutter(bottom_um, slide.bottom_clutter, columns, rows, texture)
    albedo = np.exp(texture * (0.08 * field(4, 0.8) + 0.06 * field(5, 3.0)))
    cover = np.ones_like(top_um)
    cover_with_dust(cover, tuple(speck for pit in pits for speck in pit.dust), columns, rows, field(6, 1.2))
    return Faces(top_um, bottom_um, albedo, cover)


def _far_side(cone: Cone, thickness_um: float) -> Cone:
    """Return the cone that the same track opens on the other face, tip pointing back at this one."""
    offset = face_offset(thickness_um, cone.dip_deg) / Optics().pixel_um
    heading = math.radians(cone.heading_deg)
    return replace(
        cone,
        x=cone.x + offset * math.cos(heading),
        y=cone.y - offset * math.sin(heading),
        heading_deg=cone.heading_deg + 180.0,
    )


def _stray(rng: np.random.Generator, cone: Cone, etch_ratio: float, distance: float) -> Cone:
    """Return a cone of another track, some pixels away in any direction."""
    angle = rng.uniform(0.0, 2.0 * math.pi)
    x, y = cone.x + distance * math.cos(angle), cone.y + distance * math.sin(angle)
    return replace(cone, x=x, y=y, etch_ratio=etch_ratio, heading_deg=rng.uniform(0.0, 360.0))


def _draw_misc(rng: np.random.Generator, cone: Cone) -> Pit:
    """Draw what is no track: dust, a scratch, or pits that merged into one blot."""
    kind = rng.choice(["dust", "scratch", "merged"], p=[0.5, 0.2, 0.3])
    if kind == "dust":
        second_cosine, second_sine, third_cosine, third_sine = (float(lobe) for lobe in rng.normal(0.0, 0.18, 4))
        lobes = (second_cosine, second_sine, third_cosine, third_sine)
        speck = Dust(cone.x, cone.y, rng.uniform(3.0, 6.5), rng.uniform(0.1, 0.45), lobes)
        return Pit(dust=(speck,))
    if kind == "scratch":
        length, width = rng.uniform(12.0, 60.0), rng.uniform(0.7, 1.4)
        return Pit(scratches=(Scratch(cone.x, cone.y, rng.uniform(0.0, 180.0), length, width, rng.uniform(5.0, 12.0)),))
    others = [_stray(rng, cone, 1.25 + rng.gamma(1.5, 0.5), rng.uniform(6.0, 10.0)) for _ in range(rng.integers(2, 4))]
    return Pit(tops=(cone, *others))


def _touches(pit: Pit, window: Window) -> bool:
    """Tell whether any part of a pit can reach into a window; generous, since the drawing itself clips."""
    middle_x, middle_y = window.x + window.width / 2.0, window.y + window.height / 2.0
    reach_x, reach_y = window.width / 2.0 + 16.0, window.height / 2.0 + 16.0
    if pit.scratches:
        reach_x, reach_y = reach_x + 40.0, reach_y + 40.0
    parts: tuple[Cone | Dust | Scratch, ...] = (*pit.tops, *pit.bottoms, *pit.dust, *pit.scratches)
    return any(abs(part.x - middle_x) < reach_x and abs(part.y - middle_y) < reach_y for part in parts)
