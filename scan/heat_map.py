"""The heat map of a frame: P(signal) of each member on a grid of places, tile by tile, so that mosaics of any size fit.

Knows nothing of hits.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch

from foils.open_image import Grey
from models.inference.dense import DenseScorer

# Pixels of a tile, of one light: a network's first layer takes a hundred bytes and more of each.
AREA = 2**19
Map = npt.NDArray[np.float32]


@dataclass(frozen=True)
class HeatMap:
    """What the members say of a frame."""

    # `[members, rows, columns]`; the place (row, column) is the middle of the crop whose left and upper edge lie so many
    # strides from the frame's.
    members: Map
    # In pixels.
    stride: int
    # Edge of a crop in pixels.
    size: int

    @property
    def mean(self) -> Map:
        """The members' mean, `[rows, columns]`."""
        mean: Map = self.members.mean(0)
        return mean

    def place(self, row: float, column: float) -> tuple[float, float]:
        """Give the pixel (x, y) that a place of the map stands for."""
        return column * self.stride + self.size // 2, row * self.stride + self.size // 2


@torch.no_grad()
def heat_map(scorer: DenseScorer, pixels: Grey) -> HeatMap:
    """Run the networks over a frame `[channels, y, x]`, which is as large as a crop at least."""
    height, width = pixels.shape[1:]
    stride, size = scorer.stride, scorer.size
    rows, columns = ((edge - size) // stride + 1 for edge in (height, width))
    members = np.empty((len(scorer.members), rows, columns), np.float32)
    edge = int((AREA / scorer.planes) ** 0.5)
    for first_row, count_rows in _parts(rows, stride, size, edge):
        for first_column, count_columns in _parts(columns, stride, size, edge):
            top, left = first_row * stride, first_column * stride
            tall, wide = ((count - 1) * stride + size for count in (count_rows, count_columns))
            tile = np.ascontiguousarray(pixels[None, :, top : top + tall, left : left + wide])
            part = scorer(torch.from_numpy(tile))[0].numpy()
            members[:, first_row : first_row + count_rows, first_column : first_column + count_columns] = part
    return HeatMap(members, stride, size)


def _parts(places: int, stride: int, size: int, edge: int) -> Iterator[tuple[int, int]]:
    """Cut an axis into the places of tiles no longer than an edge: the first place of each, and how many."""
    each = max((edge - size) // stride + 1, 1)
    for first in range(0, places, each):
        yield first, min(each, places - first)
