"""Join pits that show the same plastic into groups: a group never straddles two folds.

Two pits belong together when their crops are pixel-identical, or overlap on one slide.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from scipy.spatial import KDTree

from foils.images import Grey
from foils.pit import Pit


def group_pits(pits: Sequence[Pit], pixels: Grey, crop: int) -> npt.NDArray[np.int64]:
    """Number the group of each pit, `[pits]`.

    `pixels`: `[pits, channels, y, x]`. Crops overlap when their centres are nearer than `crop` pixels along both x and y.
    """
    edges = [*_identical(pixels), *_overlapping(pits, crop)]
    first, second = np.array(edges, dtype=np.int64).reshape(-1, 2).T
    links = coo_array((np.ones(len(edges), dtype=bool), (first, second)), shape=(len(pits), len(pits)))
    _, group = connected_components(links, directed=False)
    return np.asarray(group, dtype=np.int64)


def _identical(pixels: Grey) -> list[tuple[int, int]]:
    first: dict[bytes, int] = {}
    edges = []
    for index, crop in enumerate(pixels):
        edges.append((first.setdefault(hashlib.sha256(crop.tobytes()).digest(), index), index))
    return edges


def _overlapping(pits: Sequence[Pit], crop: int) -> list[tuple[int, int]]:
    on_slide: dict[tuple[str, str], list[int]] = defaultdict(list)
    for index, pit in enumerate(pits):
        if pit.x is not None and pit.y is not None:
            on_slide[pit.foil, pit.slide].append(index)
    edges = []
    for indices in on_slide.values():
        places = np.array([(pits[index].x, pits[index].y) for index in indices], dtype=np.float64)
        # Just under one crop: windows that only touch share no pixel.
        for a, b in KDTree(places).query_pairs(np.nextafter(crop, 0), p=np.inf):
            edges.append((indices[a], indices[b]))
    return edges
