"""Pit geometry: what etching makes of a particle's track, as formulas and as height maps.

The model is the textbook one of nuclear track detectors with a constant track etch rate (Somogyi and Szalay, Nucl.
Instrum. Methods 109 (1973) 211): bulk plastic dissolves at v_B everywhere, the damaged trail at v_T = V v_B, and the pit is
the cone that the two leave behind. Lengths are in microns unless a name says pixels.

This module knows nothing of light, labels, noise or files.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Cone:
    """Describe one etched cone on one face.

    x, y: centre of the opening in frame pixels; etch_ratio: V = v_T / v_B; removed_um: layer h that etching took off each
    face; dip_deg: angle of the track from the surface; heading_deg: azimuth towards which the track dives
    (counter-clockwise from +x as displayed); tip_um: depth by which the etchant rounds the tip off, at most half of the pit's.
    """

    x: float
    y: float
    etch_ratio: float
    removed_um: float
    dip_deg: float = 90.0
    heading_deg: float = 0.0
    tip_um: float = 0.0


def is_etchable(etch_ratio: float, dip_deg: float = 90.0) -> bool:
    """Tell whether a track opens at all: V sin(phi) > 1; otherwise the surface overtakes the tip."""
    return etch_ratio * math.sin(math.radians(dip_deg)) > 1.0


def cone_half_angle_deg(etch_ratio: float) -> float:
    """Return the half-angle theta of the cone in degrees: sin(theta) = 1 / V."""
    if etch_ratio < 1.0:
        raise ValueError(f"`etch_ratio >= 1` must hold, but got etch_ratio={etch_ratio}; slower tracks leave no cone.")
    return math.degrees(math.asin(1.0 / etch_ratio))


def pit_depth(etch_ratio: float, removed_um: float, dip_deg: float = 90.0) -> float:
    """Return the depth of the tip below the etched surface: h (V sin(phi) - 1), and 0 where the track does not etch."""
    return max(0.0, removed_um * (etch_ratio * math.sin(math.radians(dip_deg)) - 1.0))


def pit_axes(etch_ratio: float, removed_um: float, dip_deg: float = 90.0) -> tuple[float, float]:
    """Return the minor and major axes of the elliptical opening (full lengths).

    minor = 2 h sqrt((V sin(phi) - 1) / (V sin(phi) + 1)), major = 2 h sqrt(V^2 - 1) / (V sin(phi) + 1); (0, 0) where the
    track does not etch. At normal incidence both are D = 2 h sqrt((V - 1) / (V + 1)).
    """
    normal_ratio = etch_ratio * math.sin(math.radians(dip_deg))
    if normal_ratio <= 1.0:
        return 0.0, 0.0
    minor = 2.0 * removed_um * math.sqrt((normal_ratio - 1.0) / (normal_ratio + 1.0))
    return minor, 2.0 * removed_um * math.sqrt(etch_ratio**2 - 1.0) / (normal_ratio + 1.0)


def tip_offset(etch_ratio: float, removed_um: float, dip_deg: float) -> float:
    """Return how far the tip lies from the track's entry point, along the surface: V h cos(phi)."""
    return etch_ratio * removed_um * math.cos(math.radians(dip_deg))


def face_offset(thickness_um: float, dip_deg: float) -> float:
    """Return how far the two openings of one straight track lie apart, seen from above: T / tan(phi)."""
    return thickness_um * math.cos(math.radians(dip_deg)) / math.sin(math.radians(dip_deg))


def is_etched_through(etch_ratio: float, removed_um: float, dip_deg: float, thickness_um: float) -> bool:
    """Tell whether the cones of both faces meet and leave a hole: 2 V h sin(phi) >= T."""
    return 2.0 * etch_ratio * removed_um * math.sin(math.radians(dip_deg)) >= thickness_um


def etch(cones: Iterable[Cone], columns: Floats, rows: Floats, pixel_um: float) -> Floats:
    """Etch cones into a flat face and return its height map [y, x] in microns, 0 at the surface and negative in pits.

    `columns` and `rows` [y, x] hold the frame coordinates of every pixel, about one apart; warping them bends the rims, as
    plastic does. Where pits overlap the deeper one wins, since etching only takes away. Tracks that do not etch leave nothing.
    """
    height = np.zeros(columns.shape)
    for cone in cones:
        _, major = pit_axes(cone.etch_ratio, cone.removed_um, cone.dip_deg)
        reach = 0.5 * major / pixel_um + 2.0
        near = _box_around(cone.x, cone.y, reach, columns, rows)
        if major == 0.0 or near is None:
            continue
        east = (columns[near] - cone.x) * pixel_um
        north = -(rows[near] - cone.y) * pixel_um  # rows count downwards, azimuths upwards
        heading = math.radians(cone.heading_deg)
        along = east * math.cos(heading) + north * math.sin(heading)
        across = -east * math.sin(heading) + north * math.cos(heading)
        height[near] = np.minimum(height[near], _cone_height(along, across, cone))
    return height


def _cone_height(along: Floats, across: Floats, cone: Cone) -> Floats:
    """Return the cone's floor below the surface at points given from the centre of its opening.

    Seen from the tip, w above it, the wall fulfils (w sin(phi) - u cos(phi))^2 = cos^2(theta) (u^2 + v^2 + w^2); the floor
    is its lower root, written so that neither branch cancels. Outside the opening the plastic hides what lies beneath.
    """
    ratio = cone.etch_ratio
    sine, cosine = math.sin(math.radians(cone.dip_deg)), math.cos(math.radians(cone.dip_deg))
    depth = pit_depth(ratio, cone.removed_um, cone.dip_deg)
    minor, major = pit_axes(ratio, cone.removed_um, cone.dip_deg)
    opened = (2.0 * along / major) ** 2 + (2.0 * across / minor) ** 2 <= 1.0
    wall = 1.0 - ratio**-2  # cos^2(theta)
    u = along - cone.removed_um * cosine * sine * ratio**2 / (ratio * sine + 1.0)  # from the tip, which the centre trails
    quadratic = sine**2 - wall  # negative where the far wall overhangs; then the whole opening lies at u < 0
    root = np.sqrt(np.maximum(wall * (quadratic * across**2 + (u / ratio) ** 2), 0.0))
    behind = root - cosine * sine * u
    near_side = (wall * (u**2 + across**2) - (cosine * u) ** 2) / np.where(behind > 1e-12, behind, np.inf)
    far_side = (cosine * sine * u + root) / quadratic if quadratic > 1e-12 else near_side
    above_tip = np.where(u < 0.0, near_side, far_side)
    # A hyperboloid of the same asymptotic cone stands for the rounded tip; the opening shrinks only to second order.
    floor = np.hypot(above_tip, min(cone.tip_um, depth / 2.0)) - depth
    return np.where(opened, np.minimum(0.0, floor), 0.0)


def _box_around(x: float, y: float, reach: float, columns: Floats, rows: Floats) -> tuple[slice, slice] | None:
    """Return the slices of the window that a feature of this reach can touch, or None where it misses the window."""
    left, top = x - reach - columns[0, 0], y - reach - rows[0, 0]
    size = 2.0 * reach
    first_row, last_row = max(0, math.floor(top)), min(columns.shape[0], math.ceil(top + size) + 1)
    first_column, last_column = max(0, math.floor(left)), min(columns.shape[1], math.ceil(left + size) + 1)
    if first_row >= last_row or first_column >= last_column:
        return None
    return slice(first_row, last_row), slice(first_column, last_column)
