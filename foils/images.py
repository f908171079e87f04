"""Open one image file as grey values: PNG, TIFF, BMP, TGA and JPEG, 8 or 16 bit, told apart by their content.

A header is read first and believed only as far as the file can hold what it declares; nothing is decoded before that. Knows
nothing of pits or channels. Values come as stored, never rescaled.
"""

from __future__ import annotations

from pathlib import Path
from typing import BinaryIO

import numpy as np

from foils.image_faults import ImageFault
from foils.image_files import JPEG, MOST_BYTES, open_file
from foils.open_image import Grey, OpenImage, damage
from foils.pillow_images import BMP, PNG, open_bmp, open_jpeg, open_png, open_tga_by_pillow
from foils.tga import open_tga, pillow_reads
from foils.tiff import TIFF, open_tiff

FORMATS = "PNG, TIFF, BMP, TGA or JPEG"
# What else a file may be that is named like an image of ours: by its first bytes.
OTHERS = {
    b"GIF8": "GIF",
    b"\0\0\0\x0cjP  ": "JPEG 2000",
    b"RIFF": "WebP",
    b"SIMPLE  =": "FITS",
    b"P5": "PGM",
    b"\x89HDF": "HDF5",
    b"%PDF": "PDF",
}
FIRST_BYTES = 16


def read_pages(path: Path) -> Grey:
    """Read every page of an image file, `[pages, y, x]`, uint8 or uint16 as stored.

    A colour image whose three planes are equal is grey. Raises ImageFault for anything else.
    """
    with open_file(path, MOST_BYTES) as stream:
        return open_image(stream, path.suffix).values()


def open_image(stream: BinaryIO, suffix: str, pages: int | None = None) -> OpenImage:
    """Read the header of an image file; its stream stays open as long as the image is used.

    `suffix`: of its name, for a file whose content tells nothing. `pages`: how many are wanted; of more, none is opened and
    only their count is right. Raises ImageFault for what is no grey image.
    """
    try:
        return _open(stream, suffix, pages)
    except ImageFault:
        raise
    except Exception as error:  # readers of headers, as decoders, meet a damaged file with nearly any exception
        raise damage(error) from None


def _open(stream: BinaryIO, suffix: str, pages: int | None) -> OpenImage:
    stream.seek(0)
    start = stream.read(FIRST_BYTES)
    if start.startswith(TIFF):
        return open_tiff(stream, pages)
    for kind, opener in ((PNG, open_png), (BMP, open_bmp), (JPEG, open_jpeg)):
        if start.startswith(kind):
            return opener(stream)
    for other, name in OTHERS.items():
        if start.startswith(other):
            raise ImageFault(f"the file is a {name} file, and {FORMATS} is needed")
    tga = open_tga(stream)
    if tga is None and suffix.lower() in (".tif", ".tiff"):
        raise ImageFault(f"the file is damaged (not a TIFF file: header={start[:4]!r})")
    if tga is None:
        raise ImageFault(f"the file is no {FORMATS} image")
    if pillow_reads(tga):
        return open_tga_by_pillow(stream, tga.width, tga.height)
    return OpenImage(1, tga.height, tga.width, np.dtype(tga.dtype), tga.decode)
