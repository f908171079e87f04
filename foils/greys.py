"""Stretch stored pixels to the greys that people look at, light by light, alike for all pits so that they can be compared."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from foils.open_image import Grey

# What is shown black and white, in percent of the pixels under a light.
BLACK, WHITE = 0.5, 99.5


@dataclass(frozen=True)
class Stretch:
    """What is shown black and white under each light, `[channels]`, in values as stored."""

    low: NDArray[np.float64]
    high: NDArray[np.float64]

    def greys(self, pit: Grey) -> NDArray[np.uint8]:
        """Give a pit `[channels, y, x]` in 256 greys."""
        spread = np.maximum(self.high - self.low, 1.0)[:, None, None]
        return np.clip((pit - self.low[:, None, None]) / spread * 255.0, 0.0, 255.0).astype(np.uint8)


def stretch_of(pixels: Grey) -> Stretch:
    """Measure the stretch of pits, `[pits, channels, y, x]`."""
    low, high = (np.percentile(pixels, share, axis=(0, 2, 3)) for share in (BLACK, WHITE))
    return Stretch(low, high)
