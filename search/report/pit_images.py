"""Show pits on a page at all lights. Knows nothing of why they are shown."""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from PIL import Image

from foils import Dataset
from foils.greys import stretch_of
from foils.open_image import Grey
from search.report.contents import Gallery, GalleryItem

# Pits that the greys are stretched by, spread evenly over the data set: black and white hardly move with more.
MEASURED = 1000


def gallery(title: str, caption: str, data: Dataset, shown: Sequence[tuple[int, str]]) -> Gallery:
    """Make a gallery. `shown`: the number of each pit in the data, and what to say of it."""
    measured = np.unique(np.linspace(0, len(data) - 1, MEASURED).astype(np.int64))
    stretch = stretch_of(data.pixels[data.rows[measured]])
    items = tuple(
        GalleryItem(data.pits[index].pit, words, _images(stretch.greys(data.pixels[data.rows[index]])))
        for index, words in shown
    )
    return Gallery(title, caption, tuple(channel.name for channel in data.description.channels), items)


def _images(greys: npt.NDArray[np.uint8]) -> tuple[str, ...]:
    """Give each light's image of a pit, `[channels, y, x]`, as a data URI."""
    return tuple(f"data:image/png;base64,{png_text(image)}" for image in greys)


def png_text(grey: Grey | npt.NDArray[np.uint8]) -> str:
    """Give an image `[y, x]` as PNG in base64."""
    stream = io.BytesIO()
    Image.fromarray(grey).save(stream, "PNG", optimize=True)
    return base64.b64encode(stream.getvalue()).decode("ascii")
