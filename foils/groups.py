"""Join pits that show the same plastic into groups: a group never straddles two folds.

Two pits belong together when their crops are identical, overlap on one slide, or look the same though they lie elsewhere:
frames overlap on the stage, and a foil may be photographed from its back too.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from scipy.spatial import KDTree

from foils.description import Channel
from foils.near_duplicates import Flags, constant, look_alikes, mirrors
from foils.open_image import Grey
from foils.pit import Pit

# Of more pits, crops that only look the same are not looked for: that takes a minute, at every load.
MOST_COMPARED = 30_000


@dataclass(frozen=True)
class Groups:
    """Which pits show the same plastic, and what was seen of their lights on the way."""

    # `[pits]`, one number for the pits of a group.
    numbers: npt.NDArray[np.int64]
    # Pits in pairs that only look the same: neither identical nor overlapping.
    look_alike: tuple[tuple[int, int], ...]
    # Crops of one value all over, `[pits, channels]`. They join nothing.
    constant: Flags
    # Pairs of channels, and how many pits have the same pixels under both.
    copied: tuple[tuple[int, int, int], ...]


def group_pits(pits: Sequence[Pit], pixels: Grey, crop: int) -> npt.NDArray[np.int64]:
    """Number the group of each pit, `[pits]`."""
    return find_groups(pits, pixels, crop).numbers


def find_groups(
    pits: Sequence[Pit],
    pixels: Grey,
    crop: int,
    channels: Sequence[Channel] = (),
    pixel_um: float | None = None,
    *,
    compared: bool = True,
) -> Groups:
    """Join pits into groups.

    `pixels`: `[pits, channels, y, x]`. Crops overlap when their centres are nearer than `crop` pixels along both x and y. These
    are pixels of the frame, and `pixel_um` is their size, for pits with places on the stage. `channels`: what lights there are,
    for crops that are mirrored; `compared`: whether crops that only look the same are looked for, which takes the square of the
    pits.
    """
    flat = constant(pixels)
    first, copied = _identical(pixels, flat)
    apart = np.flatnonzero(first == np.arange(len(pits)))
    apart = apart[~flat[apart].all(1)]
    compared = compared and 1 < len(apart) <= MOST_COMPARED
    seen = [(int(apart[a]), int(apart[b])) for a, b in look_alikes(pixels[apart], mirrors(channels))] if compared else []
    near = _overlapping(pits, crop, pixel_um)
    edges = np.array([*zip(first.tolist(), range(len(pits)), strict=True), *near, *seen], dtype=np.int64).reshape(-1, 2)
    links = coo_array((np.ones(len(edges), dtype=bool), (edges[:, 0], edges[:, 1])), shape=(len(pits), len(pits)))
    _, group = connected_components(links, directed=False)
    overlapping = {frozenset(pair) for pair in near}
    only = tuple(pair for pair in seen if frozenset(pair) not in overlapping)
    return Groups(np.asarray(group, dtype=np.int64), only, flat, copied)


def _identical(pixels: Grey, flat: Flags) -> tuple[npt.NDArray[np.int64], tuple[tuple[int, int, int], ...]]:
    """Give the first pit with the same pixels for each pit, and the channels that hold the same pixels, in how many pits.

    Crops of one value all over are like no other.
    """
    first: dict[bytes, int] = {}
    numbers = np.arange(len(pixels))
    same: dict[tuple[int, int], int] = defaultdict(int)
    for index, lights in enumerate(pixels):
        if flat[index].all():
            continue
        digests = [hashlib.blake2b(light.tobytes(), digest_size=16).digest() for light in lights]
        numbers[index] = first.setdefault(b"".join(digests), index)
        if len(set(digests)) < len(digests):
            seen: dict[bytes, int] = {}
            for channel, digest in enumerate(digests):
                other = seen.setdefault(digest, channel)
                if other != channel and not flat[index, channel]:
                    same[other, channel] += 1
    return numbers, tuple((one, other, count) for (one, other), count in sorted(same.items()))


def _overlapping(pits: Sequence[Pit], crop: int, pixel_um: float | None) -> list[tuple[int, int]]:
    """Pair pits whose crops overlap: on one slide, or on one foil by their places on the stage."""
    slides: dict[tuple[str, ...], list[tuple[int, tuple[float, float]]]] = defaultdict(list)
    foils: dict[tuple[str, ...], list[tuple[int, tuple[float, float]]]] = defaultdict(list)
    for index, pit in enumerate(pits):
        if pit.x is not None and pit.y is not None:
            slides[pit.foil, pit.slide].append((index, (pit.x, pit.y)))
        if pit.stage is not None:
            foils[(pit.foil,)].append((index, pit.stage))
    edges = []
    for members, edge in ((slides, float(crop)), (foils, crop * (pixel_um or 0.0))):
        for placed in members.values():
            indices = [index for index, _ in placed]
            tree = KDTree(np.array([place for _, place in placed], dtype=np.float64))
            # Just under one crop: windows that only touch share no pixel.
            edges += [(indices[a], indices[b]) for a, b in tree.query_pairs(np.nextafter(edge, 0), p=np.inf)]
    return edges
