"""Find pits that show the same plastic again: photographed twice on overlapping frames, or from the back, mirrored.

Arrays in, pairs out: knows nothing of labels or files. A coarse image of each crop bounds how alike two can be, so that few
pairs are compared in full.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from functools import cached_property

import numpy as np
import numpy.typing as npt

from foils.description import Channel
from foils.open_image import Grey

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float32]
Flags = npt.NDArray[np.bool_]
Mirror = tuple[int, tuple[int, ...]]
# Crops that correlate as well as this over every light, once what all pits share is taken off, show the same plastic again:
# among 1,393 synthetic pits under ten lights no two different ones pass 0.77. Two exposures reach 0.9 where noise is a third of
# the contrast.
ALIKE = 0.9
# Under one light different pits come closer. A copy stands out: its Fisher's z, artanh of the correlation, is this much above
# that of the pit's next neighbours, of which the first five may be copies too.
APART = 0.5
COPIES = 5
# Pits compared at once, and the edge of a block of pixels that a coarse image holds as one.
BLOCK = 512
COARSE = 4
# Of rounding in the products of coarse images.
SLACK = 1e-4
# Above this share of pairs that may be alike, all are compared in full: one product of matrices is faster than many of rows.
MANY = 0.02


def mirrors(channels: Sequence[Channel]) -> list[Mirror]:
    """List the ways a foil looks from its back, turned over about either axis: the axis to flip, each channel's counterpart.

    A light at an azimuth is seen from the opposite side; a turn that needs a light which is not there is left out.
    """
    ways: list[Mirror] = []
    for axis, turned in ((3, 180.0), (2, 0.0)):
        places: list[int] = []
        for number, channel in enumerate(channels):
            if channel.azimuth_deg is None:
                places.append(number)
                continue
            azimuth = (turned - channel.azimuth_deg) % 360
            places += [other for other, one in enumerate(channels) if _same(one.azimuth_deg, azimuth)][:1]
        if places and len(places) == len(channels):
            ways.append((axis, tuple(places)))
    return ways


def _same(azimuth: float | None, other: float) -> bool:
    return azimuth is not None and abs((azimuth - other + 180) % 360 - 180) < 0.01


def constant(crops: Grey) -> Flags:
    """Tell which crops hold one value all over under each light, `[pits, channels]`."""
    flat = crops.reshape(*crops.shape[:2], -1)
    parts = [flat[start : start + BLOCK] for start in range(0, len(flat), BLOCK)]
    return np.concatenate([part.min(2) == part.max(2) for part in parts])


def standardised(crops: Grey) -> Floats:
    """Give each crop as a vector of unit length, `[pits, values]`, less the average crop and its own mean under each light.

    A crop that is the average everywhere is all zeros.
    """
    return _Shapes(crops).of(np.arange(len(crops)))


def look_alikes(crops: Grey, ways: Sequence[Mirror] = ()) -> list[tuple[int, int]]:
    """Pair pits whose crops look the same, as they are or mirrored.

    `crops`: `[pits, channels, y, x]`, no two identical; `ways`: of looking at a foil from its back. A light under which a crop
    is constant says nothing of it.
    """
    shapes = _Shapes(crops)
    pairs = {pair: value for way in (None, *ways) for pair, value in shapes.alike(way)}
    pits = np.array(sorted({pit for pair in pairs for pit in pair}), np.int64)
    neighbour = dict(zip(pits.tolist(), shapes.neighbour(pits).tolist(), strict=True))
    return sorted(
        pair for pair, value in pairs.items() if np.arctanh(min(value, 0.999999)) - max(neighbour[pit] for pit in pair) > APART
    )


def _block_means(edge: int) -> Floats:
    """Give the matrix that takes the means of blocks along an edge, each row of unit length, `[blocks, edge]`.

    Its blocks are the same from either end, and a mirrored image has the mirrored means: what is left over is in the middle.
    """
    count = max(edge // COARSE, 1)
    if count % 2 == 0 and edge % 2:
        count -= 1
    sizes = np.full(count, edge // count if count == 1 else COARSE)
    left = edge - sizes.sum()
    sizes[(count - 1) // 2] += left if count % 2 else left // 2
    if count % 2 == 0:
        sizes[count // 2] += left // 2
    rows = [np.repeat(np.arange(count) == number, sizes) / np.sqrt(size) for number, size in enumerate(sizes)]
    return np.array(rows, np.float32)


class _Shapes:
    """The crops as unit vectors, made when they are asked for: together they may be more than the memory holds."""

    def __init__(self, crops: Grey) -> None:
        self.crops = crops
        self.constant = constant(crops)
        self.average = crops.mean(0, dtype=np.float64).astype(np.float32)
        self.means = _block_means(crops.shape[-1])

    @cached_property
    def projected(self) -> tuple[Floats, Floats]:
        """The coarse images of all pits, and what they leave."""
        parts = [self.coarse(self.of(block)) for block in self.blocks()]
        return np.concatenate([means for means, _ in parts]), np.concatenate([rest for _, rest in parts])

    def of(self, pits: Ints) -> Floats:
        """Give the vectors of some pits, `[pits, values]`."""
        values = self.crops[pits].astype(np.float32)
        values -= self.average
        values -= values.mean((2, 3), keepdims=True)
        values[self.constant[pits]] = 0
        flat = values.reshape(len(values), -1)
        length = np.linalg.norm(flat, axis=1, keepdims=True)
        flat /= np.where(length > 0, length, np.float32(1))
        return flat

    def seen(self, vectors: Floats, way: Mirror | None) -> Floats:
        """Give vectors, of whole crops or coarse ones, as they look from the back."""
        if way is None:
            return vectors
        axis, places = way
        edge = math.isqrt(vectors.shape[1] // len(places))
        images = vectors.reshape(-1, len(places), edge, edge)[:, list(places)]
        return np.flip(images, axis).reshape(len(vectors), -1)

    def coarse(self, vectors: Floats) -> tuple[Floats, Floats]:
        """Project vectors on the means of small blocks, `[pits, blocks]`, and give the length of what these leave, `[pits]`.

        The product of two projections and that of what they leave are together never below the product of the vectors (Cauchy
        and Schwarz).
        """
        images = vectors.reshape(-1, *self.crops.shape[1:])
        means = (self.means @ (images @ self.means.T)).reshape(len(vectors), -1)
        squares = np.einsum("ij,ij->i", vectors, vectors) - np.einsum("ij,ij->i", means, means)
        return means, np.sqrt(np.maximum(squares, 0))

    def blocks(self) -> Iterator[Ints]:
        """Give the pits' numbers, some at a time."""
        for start in range(0, len(self.crops), BLOCK):
            yield np.arange(start, min(start + BLOCK, len(self.crops)))

    def alike(self, way: Mirror | None) -> Iterator[tuple[tuple[int, int], float]]:
        """Give the pairs that correlate above ALIKE, seen in a way, and how well."""
        means, rest = self.projected
        turned = np.concatenate([self.seen(means, way), rest[:, None]], axis=1).T
        for block in self.blocks():
            possible = np.concatenate([means[block], rest[block, None]], axis=1) @ turned >= ALIKE - SLACK
            possible &= np.arange(len(means)) > block[:, None]
            others = np.flatnonzero(possible.any(0))
            if not len(others):
                continue
            vectors = self.of(block)
            for part in np.array_split(others, -(-len(others) // BLOCK)):
                seen = self.seen(self.of(part), way)
                first, second = np.nonzero(possible[:, part])
                if len(first) > MANY * len(block) * len(part):
                    values = (vectors @ seen.T)[first, second]
                else:
                    values = np.einsum("ij,ij->i", vectors[first], seen[second])
                good = values > ALIKE
                for one, other, value in zip(block[first[good]], part[second[good]], values[good], strict=True):
                    yield (int(one), int(other)), float(value)

    def neighbour(self, pits: Ints) -> npt.NDArray[np.float64]:
        """Give Fisher's z of each pit's nearest neighbour that is no copy: the sixth nearest, or the farthest of fewer."""
        rank = min(COPIES + 1, len(self.crops) - 1)
        if not len(pits) or rank < 1:
            return np.zeros(len(pits))
        vectors = self.of(pits)
        values = np.concatenate([vectors @ self.of(block).T for block in self.blocks()], axis=1)
        values[np.arange(len(pits)), pits] = -1
        nearest = -np.partition(-values, rank - 1, axis=1)[:, rank - 1]
        return np.arctanh(np.clip(nearest.astype(np.float64), -0.999999, 0.999999))
