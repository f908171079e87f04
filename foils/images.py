"""Open one image file as grey values: PNG, TGA and TIFF, 8 or 16 bit, told apart by their content.

A header is read first and believed only as far as the file can hold what it declares; nothing is decoded before that. Knows
nothing of pits or channels. Values come as stored, never rescaled.
"""

from __future__ import annotations

import errno
import struct
import warnings
from io import BytesIO
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import ExifTags, Image, ImageFile

from foils.image_faults import ImageFault, as_grey, check_orientation, check_size
from foils.open_image import Grey, OpenImage, damage
from foils.tga import open_tga, pillow_reads
from foils.tiff import TIFF, open_tiff
from pitsearch.regular_file import read_regular

PNG = b"\x89PNG\r\n\x1a\n"
# What else a file may be that is named like an image of ours: by its first bytes.
OTHERS = {
    b"\xff\xd8\xff": "JPEG",
    b"BM": "BMP",
    b"GIF8": "GIF",
    b"\0\0\0\x0cjP  ": "JPEG 2000",
    b"RIFF": "WebP",
    b"SIMPLE  =": "FITS",
    b"P5": "PGM",
    b"\x89HDF": "HDF5",
    b"%PDF": "PDF",
}
# A stack of ten channels of 20 million pixels of 16 bits has 400 MB.
MOST_BYTES = 2**31


def read_pages(path: Path) -> Grey:
    """Read every page of an image file, `[pages, y, x]`, uint8 or uint16 as stored.

    A colour image whose three planes are equal is grey. Raises ImageFault for anything else.
    """
    return open_image(read_file(path), path.suffix).values()


def read_file(path: Path, most: int = MOST_BYTES) -> bytes:
    """Read an image file's bytes. Raises ImageFault where it is missing, no regular file, or larger than `most`."""
    try:
        return read_regular(path, most)
    except FileNotFoundError:
        raise ImageFault("the file is missing") from None
    except OSError as error:
        ours = error.errno in (None, errno.EINVAL)  # no regular file, or too large: the reading of regular files says so
        raise (ImageFault(error.strerror or str(error)) if ours else damage(error)) from None


def open_image(content: bytes, suffix: str, pages: int | None = None) -> OpenImage:
    """Read the header of an image file.

    `suffix`: of its name, for a file whose content tells nothing. `pages`: how many are wanted; of more, none is opened and
    only their count is right. Raises ImageFault for what is no grey image.
    """
    try:
        if content.startswith(TIFF):
            return open_tiff(content, pages)
        if content.startswith(PNG):
            return _open_png(content)
        for start, kind in OTHERS.items():
            if content.startswith(start):
                raise ImageFault(f"the file is a {kind} file, and PNG, TGA or TIFF is needed")
        tga = open_tga(content)
        if tga is None and suffix.lower() in (".tif", ".tiff"):
            raise ImageFault(f"the file is damaged (not a TIFF file: header={content[:4]!r})")
        if tga is None:
            raise ImageFault("the file is no PNG, TGA or TIFF image")
        if pillow_reads(tga):
            return OpenImage(1, tga.height, tga.width, np.dtype(np.uint8), lambda: _by_pillow(content, "TGA"))
        return OpenImage(1, tga.height, tga.width, np.dtype(tga.dtype), tga.decode)
    except ImageFault:
        raise
    except Exception as error:  # readers of headers, as decoders, meet a damaged file with nearly any exception
        raise damage(error) from None


def _open_png(content: bytes) -> OpenImage:
    length, name, width, height, depth, kind = struct.unpack(">I4sIIBB", content[8:26])
    if (length, name) != (13, b"IHDR"):
        raise ImageFault("the file is damaged (its header is not the first chunk)")
    planes = {0: 1, 2: 3, 3: 4, 4: 2, 6: 4}.get(kind, 4)  # a palette is decoded as four
    if depth == 16 and kind != 0:
        raise ImageFault("its 16-bit planes would be cut to 8 bits, and plain 16-bit grey is needed")
    wide = depth == 16
    check_size(width, height, planes * (2 if wide else 1), len(content))
    return OpenImage(1, height, width, np.dtype(np.uint16 if wide else np.uint8), lambda: _by_pillow(content, "PNG"))


def _by_pillow(content: bytes, kind: str) -> Grey:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", Image.DecompressionBombWarning)  # the size was believed on grounds of its own
        with Image.open(BytesIO(content), formats=[kind]) as image:
            if getattr(image, "n_frames", 1) > 1:
                raise ImageFault(f"it is an animation of {getattr(image, 'n_frames', 1)} frames, and one image is needed")
            values = as_grey(_values(image))
            turned = image.getexif().get(ExifTags.Base.Orientation, 1) if kind == "PNG" else 1
            check_orientation(turned)
            return values[np.newaxis]


def _values(image: Image.Image) -> npt.NDArray[np.generic]:
    assert isinstance(image, ImageFile.ImageFile)
    if image.mode in ("P", "1"):
        image = image.convert("RGBA" if image.mode == "P" else "L")  # RGBA: transparent palettes warn on their way to RGB
    if image.mode == "I":  # 16-bit PNG in older files: Pillow widens it to 32 bits
        values = np.asarray(image)
        if values.min() >= 0 and values.max() <= np.iinfo(np.uint16).max:
            return values.astype(np.uint16)
    return np.asarray(image)
