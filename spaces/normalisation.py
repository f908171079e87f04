"""What is done to grey values before a network sees them.

To add a normalisation, add one entry to NORMALISATIONS. Stored values are first divided by the bit depth's full scale, once:
images in 0-1 divided by 255 once more are a likely cause of MoEDAL's trainings that stay at chance.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Normalisation:
    """`over`: what mean and deviation are taken over and removed: nothing, each image, or the training pits' images."""

    meaning: str
    over: str


NORMALISATIONS: dict[str, Normalisation] = {
    "dataset": Normalisation("minus the mean, over the deviation, of each channel over the training pits", "dataset"),
    "image": Normalisation("minus the mean, over the deviation, of each image", "image"),
    "raw": Normalisation("0 to 1, nothing removed", "nothing"),
}
