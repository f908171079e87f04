"""Maxima of a heat map, and of hits that lie closer than a pit is wide the most probable one. Knows nothing of images."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.spatial import cKDTree
from skimage.feature import peak_local_max

Floats = npt.NDArray[np.floating[Any]]


def maxima(values: npt.NDArray[np.float32], least: float) -> Floats:
    """Give the places of a map's maxima of at least a value, `[maxima, 2]`, rows and columns, between the map's places.

    A parabola through a maximum and its neighbours says where between them it lies.
    """
    threshold = np.nextafter(np.float32(least), -1)
    places: npt.NDArray[np.int64] = peak_local_max(  # type: ignore[no-untyped-call]  # it carries no types
        values, min_distance=1, threshold_abs=threshold, exclude_border=False
    )
    return np.stack([_refined(values, places, axis) for axis in (0, 1)], 1) if len(places) else np.zeros((0, 2))


def _refined(values: npt.NDArray[np.float32], places: npt.NDArray[np.int64], axis: int) -> Floats:
    """Move places along an axis to the tops of parabolas, by half a place at most."""
    step = np.zeros(2, np.int64)
    step[axis] = 1
    inside = (places[:, axis] > 0) & (places[:, axis] < values.shape[axis] - 1)
    before, here, behind = (
        values[tuple(np.clip(places + sign * step, 0, np.array(values.shape) - 1).T)].astype(np.float64) for sign in (-1, 0, 1)
    )
    curvature = before - 2 * here + behind
    with np.errstate(divide="ignore", invalid="ignore"):
        shift = np.where(inside & (curvature < 0), (before - behind) / (2 * curvature), 0.0)
    moved: Floats = places[:, axis] + np.clip(shift, -0.5, 0.5)
    return moved


def most_probable(places: Floats, scores: Floats, radius: float | Floats) -> npt.NDArray[np.int64]:
    """Number the hits that are left, the most probable first, where each takes all others within a radius.

    `places`: `[hits, 2]`; `scores`: `[hits]`, equals go by their order; `radius`: one for all, or each hit's own.
    """
    if not len(places):
        return np.zeros(0, np.int64)
    reach = np.broadcast_to(np.asarray(radius, np.float64), len(places))
    near: Any = cKDTree(places).query_ball_point(places, reach)
    is_taken = np.zeros(len(places), np.bool_)
    left = []
    for number in np.argsort(-scores, kind="stable"):
        if not is_taken[number]:
            left.append(number)
            is_taken[near[number]] = True
    return np.array(left, np.int64)
