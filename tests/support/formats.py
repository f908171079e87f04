"""Hits on two frames, and what the writers of formats are told of them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from foils.frames import Frame
from foils.open_image import Grey
from scan.formats.context import FormatContext
from scan.hits import Hit
from tests.support.foil_hits import foil_hit

CHANNELS = ("1", "9")
HITS = (
    foil_hit("a", 100.25, 50.5, slide="2", x_foil=1000.123, y_foil=-20.0, p_signal=0.9),
    foil_hit("b", 30, 200, slide="2", x_foil=930.0, y_foil=130.0, p_signal=0.25),
    foil_hit("c", 3, 4, slide="10", x_foil=5000.0, y_foil=0.5, p_signal=0.75, class_name="Signal, or so"),
)


def pixels_of(frame: Frame) -> Grey:
    """Make the pixels of a frame: each shows its column, brighter under the second light."""
    columns = np.arange(640, dtype=np.float64)[None, :] / 8
    pixels: Grey = np.stack([np.repeat(columns, 480, 0), np.repeat(columns + 100, 480, 0)]).astype(np.uint8)
    return pixels


def context(hits: Sequence[Hit] = HITS) -> FormatContext:
    """Give what is known of the frames of these hits."""
    frames = {f"{hit.foil}:{hit.slide}": Frame(hit.foil, hit.slide, ()) for hit in hits}
    return FormatContext(frames, CHANNELS, 28, 6.45, pixels_of)
