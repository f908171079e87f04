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


def gallery(title: str, caption: str, data: Dataset, shown: Sequence[tuple[int, str]]) -> Gallery:
    """Make a gallery. `shown`: the number of each pit in the data, and what to say of it."""
    crops = data.crops()
    stretch = stretch_of(crops)
    items = (
        GalleryItem(data.pits[index].pit, words, tuple(f"data:image/png;base64,{png_text(one)}" for one in greys))
        for index, words in shown
        for greys in [stretch.greys(crops[index])]
    )
    return Gallery(title, caption, tuple(channel.name for channel in data.description.channels), tuple(items))


def png_text(grey: Grey | npt.NDArray[np.uint8]) -> str:
    """Give an image `[y, x]` as PNG in base64."""
    stream = io.BytesIO()
    Image.fromarray(grey).save(stream, "PNG", optimize=True)
    return base64.b64encode(stream.getvalue()).decode("ascii")
