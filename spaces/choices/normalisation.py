"""What is done to grey values before a network sees them.

To add a normalisation, add one entry to NORMALISATIONS. Stored values are first divided by the bit depth's full scale, once:
images in 0-1 divided by 255 once more are a likely cause of MoEDAL's trainings that stay at chance.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Normalisation:
    """One way of bringing grey values to one scale."""

    meaning: str
    # What the mean is taken over and removed: nothing, each image, the images of the training pits, or each pixel of them.
    over: str
    # How a configuration's line names it.
    words: str


NORMALISATIONS: dict[str, Normalisation] = {
    "dataset": Normalisation(
        "minus the mean, over the deviation, of each channel over the training pits", "dataset", "per dataset"
    ),
    "image": Normalisation("minus the mean, over the deviation, of each image", "image", "per image"),
    "average": Normalisation(
        "minus the training pits' average image, as MoEDAL prepares its images, over each channel's deviation from it; turned "
        "images lose the same average, unturned",
        "pixel",
        "minus average",
    ),
    "raw": Normalisation("0 to 1, nothing removed", "nothing", "raw"),
}
