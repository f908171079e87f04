"""Resize crops and frames, each image on its own. Knows nothing of files or pits."""

from __future__ import annotations

import numpy as np
from PIL import Image

from foils.open_image import Grey

# Its weights are those of a low-pass filter and never negative: no pattern that is too fine for the new pixels is left, and a
# pit's edge gets no ring.
FILTER = Image.Resampling.HAMMING


def resized(images: Grey, edge: int) -> Grey:
    """Resize square images to an edge, `[..., y, x]`, dtype kept. Values are rounded, and stay between those of the image."""
    return _to_size(images, edge, edge)


def scaled(images: Grey, factor: float) -> Grey:
    """Resize images `[..., y, x]` by a factor, to whole pixels, likewise."""
    height, width = (max(round(length * factor), 1) for length in images.shape[-2:])
    return _to_size(images, height, width)


def _to_size(images: Grey, height: int, width: int) -> Grey:
    old = images.reshape(-1, *images.shape[-2:])
    new = np.empty((len(old), height, width), images.dtype)
    for image, target in zip(old, new, strict=True):
        # Of whole numbers Pillow would cut what is behind the point.
        target[:] = np.rint(np.asarray(Image.fromarray(image.astype(np.float32)).resize((width, height), FILTER)))
    return new.reshape(*images.shape[:-2], height, width)
