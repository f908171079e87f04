"""Read one image file as grey values: PNG, TGA and TIFF, 8 or 16 bit.

Knows nothing of pits or channels. Values come as stored, never rescaled.
"""

from __future__ import annotations

import logging
import math
from pathlib import Path

import numpy as np
import numpy.typing as npt
import tifffile
from PIL import Image, ImageFile, UnidentifiedImageError

Grey = npt.NDArray[np.uint8 | np.uint16]
TIFF_SUFFIXES = (".tif", ".tiff")
PILLOW_FORMATS = ("PNG", "TGA")
# The lossless ones: what a lossy one leaves of a faint pit is not what the microscope saw.
COMPRESSIONS = ("NONE", "LZW", "DEFLATE", "ADOBE_DEFLATE", "LZMA", "ZSTD", "PACKBITS")
# A damaged header can claim any size: more than this is not believed (Pillow refuses the same number).
MOST_PIXELS = 2 * (Image.MAX_IMAGE_PIXELS or 2**27)


# A fault is reported once, by us; tifffile would also log it to the terminal.
logging.getLogger("tifffile").addHandler(logging.NullHandler())


class ImageFault(ValueError):
    """Say in one clause what is wrong with an image; the caller adds file and remedy."""


def read_pages(path: Path) -> Grey:
    """Read every page of an image file, `[pages, y, x]`, uint8 or uint16 as stored.

    A colour image whose three planes are equal is grey. Raises ImageFault for anything else.
    """
    try:
        if path.suffix.lower() in TIFF_SUFFIXES:
            return _read_tiff(path)
        with Image.open(path, formats=PILLOW_FORMATS) as image:
            return _grey(_from_pillow(image))[np.newaxis]
    except FileNotFoundError:
        raise ImageFault("the file is missing") from None
    except UnidentifiedImageError:
        raise ImageFault("the file is no PNG, TGA or TIFF image") from None
    except ImageFault:
        raise
    except Exception as error:  # decoders meet a truncated or damaged file with nearly any exception (struct, zlib, type)
        raise ImageFault(f"the file is damaged ({str(error).splitlines()[0] if str(error) else 'cut short'})") from None


def _read_tiff(path: Path) -> Grey:
    with tifffile.TiffFile(path) as tiff:
        for page in tiff.pages:
            _check_page(page.aspage())
        pages: list[Grey] = [_grey(page.asarray()) for page in tiff.pages]
    if len({(page.shape, page.dtype) for page in pages}) > 1:
        raise ImageFault("its pages differ in size or bit depth")
    stacked: Grey = np.stack(pages)
    return stacked


def _check_page(page: tifffile.TiffPage) -> None:
    """Refuse a page whose stored values are no grey values, before anything is decoded."""
    if math.prod(page.shape) > MOST_PIXELS:
        raise ImageFault(f"its header claims {' x '.join(map(str, page.shape))} values")
    compression = tifffile.COMPRESSION(page.compression).name
    if compression not in COMPRESSIONS:
        raise ImageFault(f"its compression must be one of {', '.join(COMPRESSIONS)}, and is {compression}")
    if page.photometric == tifffile.PHOTOMETRIC.PALETTE:
        raise ImageFault("the image has a palette, and grey values are needed")


def _from_pillow(image: Image.Image) -> npt.NDArray[np.generic]:
    assert isinstance(image, ImageFile.ImageFile)
    if image.mode in ("LA", "RGB", "RGBA") and any("16" in str(tile.args) for tile in image.tile):
        raise ImageFault("its 16-bit planes would be cut to 8 bits, and plain 16-bit grey is needed")
    if image.mode in ("P", "1"):
        image = image.convert("RGBA" if image.mode == "P" else "L")  # RGBA: transparent palettes warn on their way to RGB
    if image.mode == "I":  # 16-bit PNG in older files: Pillow widens it to 32 bits
        values = np.asarray(image)
        if values.min() >= 0 and values.max() <= np.iinfo(np.uint16).max:
            return values.astype(np.uint16)
    return np.asarray(image)


def _grey(values: npt.NDArray[np.generic]) -> Grey:
    if values.ndim == 3 and values.shape[2] in (2, 3, 4):
        planes = values[..., :3] if values.shape[2] > 2 else values[..., :1]
        if not (planes == planes[..., :1]).all():
            raise ImageFault("the image has colours, and grey values are needed")
        values = planes[..., 0]
    if values.ndim != 2:
        raise ImageFault(f"the image has {values.ndim} dimensions, and 2 are needed")
    if values.dtype == np.uint8:
        return values.astype(np.uint8)
    if values.dtype.kind == "u" and values.dtype.itemsize == 2:
        return values.astype(np.uint16)
    raise ImageFault(f"its values are {values.dtype}, and 8- or 16-bit whole numbers are needed")
