"""Pits on a page are the data set's pixels, stretched alike for all, light by light."""

from __future__ import annotations

import base64
import io

import numpy as np
from PIL import Image

from foils import Dataset
from foils.greys import stretch_of
from search.report.pit_images import gallery


def test_a_gallery_shows_the_pixels_of_its_pits_at_all_lights(tiny: Dataset) -> None:
    part = tiny.take(np.arange(70)[::-1])
    shown = gallery("Some", "caption", part, [(3, "three"), (0, "none")])
    stretch = stretch_of(part.crops())
    assert [(item.pit, item.words) for item in shown.items] == [(part.pits[3].pit, "three"), (part.pits[0].pit, "none")]
    assert shown.channels == tuple(channel.name for channel in tiny.description.channels)
    for item, index in zip(shown.items, (3, 0), strict=True):
        images = [np.array(Image.open(io.BytesIO(base64.b64decode(image.partition(",")[2])))) for image in item.images]
        assert (np.array(images) == stretch.greys(part.crops()[index])).all()
