"""Read PNG, BMP, JPEG and TGA through Pillow, each header checked before anything is decoded. Knows nothing of files' names.

Pillow's classes are called by format: `Image.open` would refuse a large scan whose size its file can hold.
"""

from __future__ import annotations

import struct
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import BinaryIO

import numpy as np
import numpy.typing as npt
from PIL import ExifTags, Image, ImageFile
from PIL.BmpImagePlugin import BmpImageFile
from PIL.JpegImagePlugin import JpegImageFile
from PIL.PngImagePlugin import PngImageFile
from PIL.TgaImagePlugin import TgaImageFile

from foils.image_faults import ImageFault, as_grey, check_orientation, check_size
from foils.image_files import JPEG, size_of
from foils.open_image import Box, Decode, OpenImage

PNG, BMP = b"\x89PNG\r\n\x1a\n", b"BM"
TRUNCATED = "the file is damaged (image file is truncated)"
# Of JPEG: what begins with these bytes has no length; the start of the image's frame (its size) and of its first scan.
ALONE = (0x01, *range(0xD0, 0xD9))
FRAMES = (*range(0xC0, 0xC4), *range(0xC5, 0xC8), *range(0xC9, 0xCC), *range(0xCD, 0xD0))
SCAN = 0xDA


def open_png(stream: BinaryIO) -> OpenImage:
    """Read the header of a PNG file. Raises ImageFault, or anything that a reader of headers raises."""
    size = size_of(stream)
    stream.seek(len(PNG))
    length, name, width, height, depth, kind = struct.unpack(">I4sIIBB", stream.read(18))
    if (length, name) != (13, b"IHDR"):
        raise ImageFault("the file is damaged (its header is not the first chunk)")
    planes = {0: 1, 2: 3, 3: 4, 4: 2, 6: 4}.get(kind, 4)  # a palette is decoded as four
    if depth == 16 and kind != 0:
        raise ImageFault("its 16-bit planes would be cut to 8 bits, and plain 16-bit grey is needed")
    wide = depth == 16
    check_size(width, height, planes * (2 if wide else 1), size)
    return OpenImage(1, height, width, np.dtype(np.uint16 if wide else np.uint8), _decoder(stream, PngImageFile))


def open_bmp(stream: BinaryIO) -> OpenImage:
    """Read the header of a BMP file. Raises ImageFault, or anything that a reader of headers raises."""
    size = size_of(stream)
    stream.seek(14)
    (header,) = struct.unpack("<I", stream.read(4))
    stream.seek(24 if header == 12 else 28)  # OS/2 writes width and height in two bytes each
    (bits,) = struct.unpack("<H", stream.read(2))
    with _opened(stream, BmpImageFile) as image:
        width, height = image.size
        part = image.tile[0]
        check_size(width, height, 1, size)
        if part.codec_name != "raw":
            raise ImageFault("its values are run-length coded (RLE), and an uncompressed BMP is needed")
        assert isinstance(part.args, tuple)
        form, row, *_ = part.args
        if bits == 16:
            raise ImageFault("its colours have 5 bits each, and 8- or 16-bit grey values are needed")
        if {"1": 1, "L": 8}.get(form, bits) != bits:  # Pillow takes the depth from a palette of two, or of the first, greys
            raise ImageFault(f"its palette is one of another depth than its {bits} bits, and 8-bit grey is needed")
        if part.offset + row * (height - 1) + -(-width * bits // 8) > size:
            raise ImageFault(TRUNCATED)
    return OpenImage(1, height, width, np.dtype(np.uint8), _decoder(stream, BmpImageFile))


def open_jpeg(stream: BinaryIO) -> OpenImage:
    """Read the header of a JPEG file. Raises ImageFault, or anything that a reader of headers raises."""
    size = size_of(stream)
    depth, height, width, planes = _jpeg_frame(stream)
    if depth != 8:
        raise ImageFault(f"its values have {depth} bits, and a JPEG of 8 bits is needed")
    if planes not in (1, 3):
        raise ImageFault(f"the image has {planes} planes (CMYK?), and grey values are needed")
    # Planes of colour are stored coarsely, so that they take little of the file.
    check_size(width, height, 1, size)
    return OpenImage(1, height, width, np.dtype(np.uint8), _decoder(stream, JpegImageFile))


def open_tga_by_pillow(stream: BinaryIO, width: int, height: int) -> OpenImage:
    """Leave a TGA file, whose header was checked, to Pillow."""
    return OpenImage(1, height, width, np.dtype(np.uint8), _decoder(stream, TgaImageFile))


def _jpeg_frame(stream: BinaryIO) -> tuple[int, int, int, int]:
    """Follow the segments of a JPEG file up to its first scan: the depth, height, width and planes of its frame.

    Pillow would look for a lost segment byte by byte, through the whole file.
    """
    frame: tuple[int, int, int, int] | None = None
    stream.seek(len(JPEG) - 1)
    while True:
        mark, code = struct.unpack(">BB", stream.read(2))
        while code == 0xFF:  # any number may stand before a segment
            code = stream.read(1)[0]
        if mark != 0xFF:
            raise ImageFault("the file is damaged (a segment of its header is missing)")
        if code in ALONE:
            continue
        (length,) = struct.unpack(">H", stream.read(2))
        content = stream.read(length - 2) if length >= 2 else b""
        if len(content) != length - 2:
            raise ImageFault(TRUNCATED)
        if code in FRAMES:
            frame = struct.unpack(">BHHB", content[:6])
        if code == SCAN:
            break
    if frame is None:
        raise ImageFault("the file is damaged (its header has no size)")
    return frame


@contextmanager
def _opened(stream: BinaryIO, plugin: type[ImageFile.ImageFile]) -> Iterator[ImageFile.ImageFile]:
    stream.seek(0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of tags that are odd: what matters of them is checked
        with plugin(stream, "") as image:
            yield image


def _decoder(stream: BinaryIO, plugin: type[ImageFile.ImageFile]) -> Decode:
    def decode(boxes: Sequence[Box]) -> list[npt.NDArray[np.generic]]:
        with _opened(stream, plugin) as image:
            if getattr(image, "n_frames", 1) > 1:
                raise ImageFault(f"it is an animation of {getattr(image, 'n_frames', 1)} frames, and one image is needed")
            image.load()
            check_orientation(image.getexif().get(ExifTags.Base.Orientation, 1))
            return [as_grey(_values(_part(image, box)))[np.newaxis] for box in boxes]

    return decode


def _part(image: Image.Image, box: Box) -> Image.Image:
    if (box.width, box.height) == image.size:
        return image
    return image.crop((box.left, box.top, box.left + box.width, box.top + box.height))


def _values(image: Image.Image) -> npt.NDArray[np.generic]:
    if image.mode == "P" and image.palette is not None:
        greys = len(image.palette.palette) // len(image.palette.mode)
        if int(np.asarray(image).max()) >= greys:  # Pillow takes black for these
            raise ImageFault(f"the file is damaged (some of its values lie beyond its palette of {greys})")
    if image.mode in ("P", "1"):
        image = image.convert("RGBA" if image.mode == "P" else "L")  # RGBA: transparent palettes warn on their way to RGB
    if image.mode == "I":  # 16-bit PNG in older files: Pillow widens it to 32 bits
        values = np.asarray(image)
        if values.min() >= 0 and values.max() <= np.iinfo(np.uint16).max:
            return values.astype(np.uint16)
    return np.asarray(image)
