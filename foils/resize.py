"""Resize crops, each image on its own. Knows nothing of files or pits."""

from __future__ import annotations

import numpy as np
from PIL import Image

from foils.open_image import Grey

# Its weights are those of a low-pass filter and never negative: no pattern that is too fine for the new pixels is left, and a
# pit's edge gets no ring.
FILTER = Image.Resampling.HAMMING


def resized(images: Grey, edge: int) -> Grey:
    """Resize square images to an edge, `[..., y, x]`, dtype kept. Values are rounded, and stay between those of the image."""
    old = images.reshape(-1, *images.shape[-2:])
    new = np.empty((len(old), edge, edge), images.dtype)
    for image, target in zip(old, new, strict=True):
        # Of whole numbers Pillow would cut what is behind the point.
        target[:] = np.rint(np.asarray(Image.fromarray(image.astype(np.float32)).resize((edge, edge), FILTER)))
    return new.reshape(*images.shape[:-2], edge, edge)
