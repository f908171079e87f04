"""An image file whose header was read and can be true; its pixels are decoded when they are asked for. Knows no format."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from foils.image_faults import ImageFault

Grey = npt.NDArray[np.uint8 | np.uint16]


@dataclass(frozen=True)
class OpenImage:
    """An image file whose header was read and can be true; its pixels are not decoded yet."""

    pages: int
    height: int
    width: int
    dtype: np.dtype[np.uint8 | np.uint16]
    # Give `[pages, y, x]`, or raise anything that a decoder raises.
    decode: Callable[[], npt.NDArray[np.generic]]
    # A TIFF that declares 0 to be white. ImageJ writes that where a display was inverted; values stay as stored.
    white_is_zero: bool = False

    def values(self) -> Grey:
        """Decode the pixels, `[pages, y, x]`, uint8 or uint16 as stored. Raises ImageFault where they cannot be had."""
        values = _decoded(self.decode)
        if values.shape != (self.pages, self.height, self.width) or values.dtype != self.dtype:
            raise ImageFault("the file is damaged (its pixels are not what its header declares)")
        grey: Grey = values.astype(self.dtype, copy=False)
        return grey


def damage(error: Exception) -> ImageFault:
    """Say in a fault what a reader met in a damaged file."""
    return ImageFault(f"the file is damaged ({str(error).splitlines()[0] if str(error) else 'cut short'})")


def _decoded(decode: Callable[[], npt.NDArray[np.generic]]) -> npt.NDArray[np.generic]:
    try:
        return decode()
    except ImageFault:
        raise
    except Exception as error:  # decoders meet a truncated or damaged file with nearly any exception (struct, zlib, type)
        raise damage(error) from None
