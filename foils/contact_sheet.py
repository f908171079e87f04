"""Contact sheets: many pits of a data set on one page, to be looked at before anything is trained.

Knows nothing of data-set folders or of what the labels mean; it draws the pixels that it is given.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from foils.errors import DataError
from foils.greys import stretch_of
from foils.open_image import Grey
from pitsearch.errors import reason

ENLARGED = 3  # pixels of the sheet for one pixel of a pit
GAP = 4
CAPTION = 14
TITLE = 22
WIDE_ENOUGH = 1800  # pixels of the sheet; as many pits stand abreast as fit, and at least one
PAPER, INK, FAINT = 250, 20, 110


def contact_sheet(
    pixels: Grey,
    labels: Sequence[str],
    channel_names: Sequence[str],
    *,
    names: Sequence[str] | None = None,
    per_label: int = 12,
    seed: int = 0,
) -> Image.Image:
    """Draw a contact sheet: a block of rows for every label, each pit as a strip of its channels with a caption.

    pixels [pits, channels, y, x]; labels, names [pits]; channel_names [channels]. At most `per_label` pits of a label are
    drawn, at random from `seed`; captions give their names, or their number in `pixels`, counted from 0. Greys are stretched
    channel by channel over the whole data set (its 0.5 to 99.5 percent), so pits can be compared. Raises ValueError on shapes
    that disagree.
    """
    if pixels.ndim != 4 or pixels.dtype not in (np.uint8, np.uint16):
        raise ValueError(
            f"pixels must be uint8 or uint16 [pits, channels, y, x], but got {pixels.dtype} {pixels.shape}; reshape them."
        )
    if len(labels) != len(pixels) or len(channel_names) != pixels.shape[1]:
        raise ValueError(
            f"labels and channel_names must match pixels {pixels.shape}, but got {len(labels)} labels and "
            f"{len(channel_names)} names; pass one label a pit and one name a channel."
        )
    if per_label < 1 or len(pixels) == 0:
        raise ValueError(
            f"`per_label >= 1` and some pits must be given, but got per_label={per_label}, {len(pixels)} pits; ask for some."
        )
    chosen = choose_pits(labels, per_label, seed)
    _, channels, tall, wide = pixels.shape
    strip_width = channels * (wide * ENLARGED + GAP) + 2 * GAP
    abreast = max(1, WIDE_ENOUGH // strip_width)
    strip_height = tall * ENLARGED + CAPTION + GAP
    heights = [TITLE + CAPTION + -(-len(pits) // abreast) * strip_height + GAP for pits in chosen.values()]
    sheet = Image.new("L", (abreast * strip_width + GAP, sum(heights) + GAP), PAPER)
    pen = ImageDraw.Draw(sheet)
    stretch, top = stretch_of(pixels), GAP
    for (label, pits), height in zip(chosen.items(), heights, strict=True):
        total = sum(1 for other in labels if other == label)
        pen.text((GAP, top + 4), f"{label}   ({len(pits)} of {total} pits)", fill=INK)
        for column in range(min(abreast, len(pits))):
            for channel, name in enumerate(channel_names):
                left = GAP + column * strip_width + channel * (wide * ENLARGED + GAP)
                pen.text((left, top + TITLE), str(name), fill=FAINT)
        for place, pit in enumerate(pits):
            row, column = divmod(place, abreast)
            left, upper = GAP + column * strip_width, top + TITLE + CAPTION + row * strip_height
            sheet.paste(_strip(stretch.greys(pixels[pit])), (left, upper))
            pen.text((left, upper + tall * ENLARGED), names[pit] if names else f"pit {pit}", fill=FAINT)
        top += height
    return sheet


def save_sheet(sheet: Image.Image, path: Path) -> None:
    """Save a sheet as the kind of image that the file's ending says. Raises DataError where that is not possible."""
    try:
        sheet.save(path)
    except (OSError, ValueError) as error:
        raise DataError(
            f"{path}: the sheet must go into a writable image file, but: {reason(error)}; write e.g. sheet.png."
        ) from None


def choose_pits(labels: Sequence[str], per_label: int, seed: int = 0) -> dict[str, list[int]]:
    """Draw the numbers of at most so many pits of each label, labels in order of first appearance."""
    rng = np.random.default_rng(seed)
    chosen = {}
    for label in dict.fromkeys(labels):
        members = [k for k, other in enumerate(labels) if other == label]
        picks = rng.permutation(len(members))[:per_label]
        chosen[label] = sorted(members[k] for k in picks)
    return chosen


def _strip(greys: NDArray[np.uint8]) -> Image.Image:
    """Return the channels of one pit [channels, y, x] side by side, enlarged without smoothing."""
    channels, tall, wide = greys.shape
    enlarged = greys.repeat(ENLARGED, axis=1).repeat(ENLARGED, axis=2)
    strip = np.full((tall * ENLARGED, channels * (wide * ENLARGED + GAP) - GAP), PAPER, np.uint8)
    for channel, image in enumerate(enlarged):
        left = channel * (wide * ENLARGED + GAP)
        strip[:, left : left + wide * ENLARGED] = image
    return Image.fromarray(strip)
