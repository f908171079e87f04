"""Pack the crops of many hits into sheets: one grey JPEG for a batch of hits, a row a hit, a column a light.

Crops come in any order and number, and are kept in a temporary file until the greys of all are known. Knows nothing of pages.
"""

from __future__ import annotations

import io
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from types import TracebackType
from typing import IO

import numpy as np
import numpy.typing as npt
from PIL import Image

from foils.open_image import Grey
from scan.errors import ScanError

# Hits of a sheet: a viewer decodes a sheet for each of them that it shows.
BATCH = 25
# JPEG rounds squares of this edge on their own: cells of whole squares keep their neighbours' light out.
SQUARE = 8
# The best and the least quality of a sheet, and the step between those that are tried.
BEST, LEAST, STEP = 92, 20, 6
# Shares of all pixels of a light that are shown black and white, in percent: as `suspects.html` stretches them.
DARKEST, BRIGHTEST = 0.5, 99.5


class CropStore:
    """Crops `[hits, channels, edge, edge]` on the disk, with the greys of each light over all of them."""

    def __init__(self, crops: Iterable[Grey]) -> None:
        self.file: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 - closed by `__exit__`
        self.shape: tuple[int, ...] = ()
        self.count = 0
        self.dtype: np.dtype[np.uint8 | np.uint16] = np.dtype(np.uint8)
        self._counts = np.zeros((0, 0), np.int64)
        try:
            for part in crops:
                self._add(part)
        except BaseException:
            self.file.close()
            raise

    def __enter__(self) -> CropStore:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.file.close()

    def __len__(self) -> int:
        return self.count

    def _add(self, part: Grey) -> None:
        if not self.shape:
            self.shape, self.dtype = part.shape[1:], part.dtype
            self._counts = np.zeros((part.shape[1], int(np.iinfo(part.dtype).max) + 1), np.int64)
        if part.shape[1:] != self.shape or part.dtype != self.dtype:
            raise ScanError(
                f"the crops of all hits must be of one kind ({list(self.shape)} {self.dtype}), but got {list(part.shape[1:])} "
                f"{part.dtype}; scan frames of one set-up at a time."
            )
        self.file.write(np.ascontiguousarray(part).tobytes())
        self.count += len(part)
        for light, counts in enumerate(self._counts):
            counts += np.bincount(part[:, light].ravel(), minlength=len(counts))

    def read(self, numbers: Sequence[int]) -> Grey:
        """Read some crops, in the order given."""
        crops = np.empty((len(numbers), *self.shape), self.dtype)
        size = int(np.prod(self.shape)) * self.dtype.itemsize
        for place, number in enumerate(numbers):
            self.file.seek(number * size)
            crops[place] = np.frombuffer(self.file.read(size), self.dtype).reshape(self.shape)
        return crops

    def greys(self) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
        """Give the values that are shown black and white, `[channels]` each."""
        below = np.cumsum(self._counts, 1)
        low, high = (
            np.array([np.searchsorted(light, share / 100 * light[-1]) for light in below], np.float64)
            for share in (DARKEST, BRIGHTEST)
        )
        return low, high


def cell_of(edge: int) -> int:
    """Give the edge of a crop's cell in its sheet."""
    return -(-edge // SQUARE) * SQUARE


def write_sheets(store: CropStore, order: Sequence[int], most_bytes: int) -> Iterator[bytes]:
    """Give the sheets of hits in an order, as JPEG, at the best quality at which all have no more than `most_bytes` together.

    One sheet is in memory at a time. At the least quality a sheet may have more than its share.
    """
    low, high = store.greys() if len(store) else (np.zeros(0), np.zeros(0))
    sheets = -(-len(order) // BATCH)
    for start in range(0, len(order), BATCH):
        image = _laid_out(store.read(order[start : start + BATCH]), low, high)
        yield _encoded(image, most_bytes // sheets)


def _laid_out(crops: Grey, low: npt.NDArray[np.float64], high: npt.NDArray[np.float64]) -> npt.NDArray[np.uint8]:
    """Stretch the greys light by light and lay the crops out; what is left of a cell repeats the crop's border."""
    scale = 255.0 / np.maximum(high - low, 1.0)
    stretched = (crops - low[:, None, None]) * scale[:, None, None]
    greys = np.clip(stretched, 0.0, 255.0).astype(np.uint8)
    rest = cell_of(crops.shape[-1]) - crops.shape[-1]
    cells = np.pad(greys, ((0, 0), (0, 0), (0, rest), (0, rest)), mode="edge")
    hits, lights, height, width = cells.shape
    return cells.transpose(0, 2, 1, 3).reshape(hits * height, lights * width)


def _encoded(image: npt.NDArray[np.uint8], most_bytes: int) -> bytes:
    content = b""
    for quality in range(BEST, LEAST - STEP, -STEP):
        stream = io.BytesIO()
        Image.fromarray(image).save(stream, "JPEG", quality=max(quality, LEAST))
        content = stream.getvalue()
        if len(content) <= most_bytes:
            break
    return content
