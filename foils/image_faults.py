"""What is wrong with an image, in one clause, and the checks that every format shares. Knows no format."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

# A damaged header can claim any size: more than this is not believed. Scans of whole foils have 200 million.
MOST_PIXELS = 2**29
# Memory that any file may ask for, and how many times its own size a larger one may: camera noise alone keeps an image from
# being compressed a hundredfold.
ANY_BYTES = 2**26
MOST_COMPRESSION = 100


class ImageFault(ValueError):
    """Say in one clause what is wrong with an image; the caller adds file and remedy."""


def check_size(width: int, height: int, pixel_bytes: int, file_bytes: int) -> None:
    """Refuse a header that declares more than a file of that size can hold. `pixel_bytes`: of one pixel in memory."""
    needed = width * height * pixel_bytes
    if width * height > MOST_PIXELS or needed > max(ANY_BYTES, MOST_COMPRESSION * file_bytes):
        raise ImageFault(f"its header claims {height} x {width} values, and its {file_bytes} bytes hold no such image")
    if not width or not height:
        raise ImageFault(f"its header claims {height} x {width} values")


def check_orientation(orientation: object) -> None:
    """Refuse an image that is stored turned or mirrored: the directions of its lights are those of the upright one."""
    if isinstance(orientation, int) and 2 <= orientation <= 8:
        raise ImageFault(f"its orientation tag says that it is stored turned or mirrored ({orientation}); save it upright")


def as_grey(values: npt.NDArray[np.generic]) -> npt.NDArray[np.uint8 | np.uint16]:
    """Take the grey values out of `[y, x]` or `[y, x, planes]`. Raises ImageFault for colours and other types."""
    if values.ndim == 3 and values.shape[2] in (2, 3, 4):
        planes = values[..., :3] if values.shape[2] > 2 else values[..., :1]
        if not (planes == planes[..., :1]).all():
            raise ImageFault("the image has colours, and grey values are needed")
        values = planes[..., 0]
    if values.ndim != 2:
        raise ImageFault(f"the image has {values.ndim} dimensions, and 2 are needed")
    return values.astype(grey_type(values.dtype), copy=False)


def grey_type(dtype: np.dtype[np.generic] | None) -> np.dtype[np.uint8 | np.uint16]:
    """Give uint8 or uint16 of any byte order in this machine's order. Raises ImageFault for any other type."""
    if dtype == np.uint8:
        return np.dtype(np.uint8)
    if dtype is not None and dtype.kind == "u" and dtype.itemsize == 2:
        return np.dtype(np.uint16)
    raise ImageFault(f"its values are {dtype}, and 8- or 16-bit whole numbers are needed")
