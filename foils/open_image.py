"""An image file whose header was read and can be true; parts of it are decoded when they are asked for. Knows no format."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from foils.image_faults import ImageFault
from pitsearch.errors import reason

# Of what a reader says of a damaged file, in characters.
LONGEST = 200
Grey = npt.NDArray[np.uint8 | np.uint16]


@dataclass(frozen=True)
class Box:
    """A part of an image, in pixels from its top-left corner."""

    left: int
    top: int
    width: int
    height: int


# Gives a part of every page for each box, `[pages, y, x]`, or raises anything that a decoder raises.
Decode = Callable[[Sequence[Box]], Iterable[npt.NDArray[np.generic]]]


@dataclass(frozen=True)
class OpenImage:
    """An image file whose header was read and can be true; its pixels are not decoded yet."""

    pages: int
    height: int
    width: int
    dtype: np.dtype[np.uint8 | np.uint16]
    # Holds no more of the image than its format makes it, and reads the file again at every call.
    decode: Decode
    # A TIFF that declares 0 to be white. ImageJ writes that where a display was inverted; values stay as stored.
    white_is_zero: bool = False

    def parts(self, boxes: Sequence[Box]) -> list[Grey]:
        """Decode parts that lie within the image, `[pages, y, x]` each, uint8 or uint16 as stored.

        What lies outside of them is not looked at. Raises ImageFault where they cannot be had.
        """
        parts: list[Grey] = []
        for box, values in zip(boxes, _decoded(self.decode, boxes), strict=True):
            if values.shape != (self.pages, box.height, box.width) or values.dtype != self.dtype:
                raise ImageFault("the file is damaged (its pixels are not what its header declares)")
            parts.append(values.astype(self.dtype, copy=False))
        return parts

    def values(self) -> Grey:
        """Decode all pixels, `[pages, y, x]`, uint8 or uint16 as stored. Raises ImageFault where they cannot be had."""
        return self.parts([Box(0, 0, self.width, self.height)])[0]


def damage(error: Exception) -> ImageFault:
    """Say in a fault what a reader met in a damaged file, in short: some readers quote what they read."""
    text = reason(error) if str(error) else "cut short"
    return ImageFault(f"the file is damaged ({text if len(text) <= LONGEST else f'{text[:LONGEST]} ...'})")


def _decoded(decode: Decode, boxes: Sequence[Box]) -> list[npt.NDArray[np.generic]]:
    try:
        return list(decode(boxes))
    except ImageFault:
        raise
    except Exception as error:  # decoders meet a truncated or damaged file with nearly any exception (struct, zlib, type)
        raise damage(error) from None
