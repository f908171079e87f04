"""Find objects on a frame without a network: blobs of relief, at the scales of pits.

Under rotating lights relief is what changes from light to light; else it is what stands out from its surroundings. Blobs are
maxima of differences of Gaussians over place and scale (Lowe 2004, IJCV 60:91). Knows nothing of models.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from scipy.ndimage import gaussian_filter
from skimage.feature import blob_dog

from foils.open_image import Grey
from spaces.choices.channels import Light

# Least and greatest width of a blob (the sigma of a Gaussian), in crops' edges: of pits of 8 to 13 pixels on crops of 28.
LEAST, GREATEST, STEP = 0.1, 0.2, 1.5
# How far a blob stands out, in deviations of the relief.
CONTRAST = 1.0
# Rotating lights that relief is told from.
LIGHTS = 3
# Relief is smoothed by so many pixels first: grain differs from light to light, too.
SMOOTH = 1.0


def blobs(pixels: Grey, lights: Sequence[Light], size: int) -> npt.NDArray[np.float64]:
    """Give the middles of blobs on a frame `[channels, y, x]`, `[blobs, 2]`, rows and columns, in pixels."""
    found: npt.NDArray[np.float64] = blob_dog(  # type: ignore[no-untyped-call]  # it carries no types
        relief(pixels, lights, size),
        min_sigma=LEAST * size,
        max_sigma=GREATEST * size,
        sigma_ratio=STEP,
        threshold=CONTRAST,
        exclude_border=False,
    )
    middles: npt.NDArray[np.float64] = found[:, :2]
    return middles


def relief(pixels: Grey, lights: Sequence[Light], size: int) -> npt.NDArray[np.float32]:
    """Measure relief, `[y, x]`: its median is 0 and its usual deviation 1."""
    rotating = [number for number, light in enumerate(lights) if light.azimuth_deg is not None]
    values = np.stack([gaussian_filter(channel.astype(np.float32), SMOOTH) for channel in pixels])
    if len(rotating) >= LIGHTS:
        height = values[rotating].std(0)
    else:
        height = np.stack([np.abs(channel - gaussian_filter(channel, size / 2)) for channel in values]).mean(0)
    middle = np.median(height)
    spread = 1.4826 * float(np.median(np.abs(height - middle)))
    measured: npt.NDArray[np.float32] = ((height - middle) / max(spread, 1e-6)).astype(np.float32)
    return measured
