"""Line up two lists of hits as they were read, one of each face, and write down which hits lie on both.

Knows nothing of how they are lined up.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from foils.atomic_write import write_whole
from pitsearch.csv_text import csv_text
from pitsearch.errors import reason
from scan.align import Alignment, align
from scan.errors import ScanError
from scan.match import RADIUS
from scan.place_list import Floats, Places, PointList

COLUMNS = ("front", "back", "x_front", "y_front", "x_back", "y_back", "residual_x", "residual_y", "p_front", "p_back")


@dataclass(frozen=True)
class FacePairs:
    """The hits that lie on both faces: the signature."""

    front: Places
    back: Places
    # As they were lined up, `[hits, 2]`.
    front_points: Floats
    back_points: Floats
    # Its pairs number the hits of these lists.
    alignment: Alignment
    # Hits that were left out because the scan had not accepted them, of both faces.
    not_accepted: int


def line_up(
    front: Places, back: Places, *, radius: float = RADIUS, mirror: bool = True, all_hits: bool = False, seed: int = 0
) -> FacePairs:
    """Line up two lists of hits, by default of those that the scan accepted. Raises ScanError."""
    counted = [one if all_hits or one.accepted is None else one.take(one.accepted) for one in (front, back)]
    first, second = (_points(one) for one in counted)
    alignment = align(first, second, radius=radius, mirror=mirror, seed=seed)
    left_out = len(front) + len(back) - sum(map(len, counted))
    return FacePairs(counted[0], counted[1], first.points, second.points, alignment, left_out)


def write_pairs(pairs: FacePairs, path: Path) -> None:
    """Write a row for each pair: both hits, their places, the residual in the front's pixels, both scores. Raises ScanError."""
    rows = []
    for (first, second), residual in zip(pairs.alignment.pairs.tolist(), pairs.alignment.residuals.tolist(), strict=True):
        numbers = [*pairs.front_points[first].tolist(), *pairs.back_points[second].tolist(), *residual]
        scores = [
            "" if one is None else f"{one[n]:.6f}" for one, n in ((pairs.front.scores, first), (pairs.back.scores, second))
        ]
        names = [pairs.front.names[first], pairs.back.names[second]]
        rows.append([*names, *(f"{number:.2f}" for number in numbers), *scores])
    try:
        write_whole(path, lambda stream: stream.write(csv_text(COLUMNS, rows).encode()))
    except OSError as error:
        raise ScanError(f"{path}: the pairs must be writable, but: {reason(error)}; choose another --out.") from None


def _points(places: Places) -> PointList:
    """Give the places of one face: on the foil, or on the one frame that there is."""
    if len(foils := sorted(set(places.foils or ()))) > 1:
        raise ScanError(f"{places.path}: a face must be one foil, but got {', '.join(foils)}; give a list of each foil.")
    points = places.on_foil
    if points is None and len(slides := sorted(set(places.slides or ()))) > 1:
        raise ScanError(
            f"{places.path}: hits on {len(slides)} frames must have places on the foil, but have none; scan with the frames' "
            "positions."
        )
    points = places.on_frames if points is None else points
    if points is None:
        raise ScanError(f"{places.path}: a face must have places, but has none; correct the path.")
    return PointList(points, np.zeros(len(points), np.int64))
