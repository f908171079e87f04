"""Crops and lights for tests of models that need no data set on disk."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from foils.description import Channel
from tests.support.tiny import CHANNELS, SIZE

LIGHTS = tuple(Channel(name, kind, azimuth) for name, kind, azimuth in CHANNELS)


def crops(pits: int, seed: int = 0) -> npt.NDArray[np.uint8]:
    """Random crops `[pits, channels, y, x]`."""
    return np.random.default_rng(seed).integers(0, 256, (pits, len(LIGHTS), SIZE, SIZE), dtype=np.uint8)
