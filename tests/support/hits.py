"""Hits of a scan, made up."""

from __future__ import annotations

from typing import Any

import numpy as np

from foils.open_image import Grey
from scan.hits import Hit


def hit(number: int, *, p_signal: float | None = None, slide: str = "1", **others: Any) -> Hit:
    """Make a hit; those of higher numbers score less, and lie elsewhere."""
    chance = round(1 / (number + 1), 4) if p_signal is None else p_signal
    values: dict[str, Any] = {
        "hit": f"h{number:04d}",
        "foil": "f1",
        "slide": slide,
        "x": 20.5 + 30 * (number % 20),
        "y": 20.0 + 30 * (number // 20 % 15),
        "x_um": None,
        "y_um": None,
        "x_foil": None,
        "y_foil": None,
        "p_signal": chance,
        "class_name": "candidate" if chance > 0.5 else "bottom",
        "spread": 0.1,
        "accepted": chance > 0.5,
        "threshold": 0.5,
        "model": "0123456789ab",
    }
    return Hit(**{**values, **others})


def crops_of(number: int, channels: int = 3, edge: int = 56) -> Grey:
    """Draw crops `[hits, channels, y, x]`; the middle of each shows its number as a grey, brighter under later lights."""
    crops = np.full((number, channels, edge, edge), 20, np.uint8)
    middle = slice(edge // 2 - 6, edge // 2 + 6)
    for index in range(number):
        for channel in range(channels):
            crops[index, channel, middle, middle] = 60 + (index * 7 + channel * 30) % 190
    crops[:, :, 0, 0] = 255
    return crops
