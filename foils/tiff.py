"""Read TIFF: the chain of pages walked and every entry bounded first, then tifffile for what they hold.

tifffile follows a chain that loops, and decodes as much as a header claims. Knows nothing of pits or channels.
"""

from __future__ import annotations

import logging
import math
import struct
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO

import numpy as np
import numpy.typing as npt
import tifffile

from foils.image_faults import ImageFault, as_grey, check_orientation, check_size, grey_type
from foils.image_files import size_of
from foils.open_image import Box, OpenImage
from foils.tiff_parts import page_parts, plain_parts
from pitsearch.regular_file import read_up_to

TIFF = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
# The lossless ones: what a lossy one leaves of a faint pit is not what the microscope saw.
COMPRESSIONS = ("NONE", "LZW", "DEFLATE", "ADOBE_DEFLATE", "LZMA", "ZSTD", "PACKBITS")
PHOTOMETRICS = ("MINISWHITE", "MINISBLACK", "RGB")
# A light a page; a chain of more is not followed.
MOST_PAGES = 10_000
# Of a page, and the bytes of one: the places of a million tiles take 16 million.
MOST_ENTRIES, MOST_VALUE_BYTES = 2**16 - 1, 2**28
# The bytes of one value, by the type of an entry.
VALUE_BYTES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4, 16: 8, 17: 8, 18: 8}

# A fault is reported once, by us; tifffile would also log it to the terminal.
logging.getLogger("tifffile").addHandler(logging.NullHandler())


def open_tiff(stream: BinaryIO, wanted: int | None) -> OpenImage:
    """Check every page's header. `wanted`: how many pages; of more, only their number is looked at."""
    size = size_of(stream)
    places = _page_places(stream, size)
    if wanted is not None and len(places) > wanted:
        return OpenImage(len(places), 1, 1, np.dtype(np.uint8), _nothing, white_is_zero=False)
    stream.seek(0)
    # OME and MicroManager name other files, which would be opened; so would those in the folder of a name.
    tiff = tifffile.TiffFile(stream, name="image.tif", is_ome=False, is_mmstack=False)
    pages = [page.aspage() for page in tiff.pages]
    if len(pages) != len(places):
        raise ImageFault("the file is damaged (its pages cannot be listed)")
    types = [_check_page(page, size) for page in pages]
    first = pages[0]
    if len({(page.shape, page.dtype) for page in pages}) > 1:
        raise ImageFault("its pages differ in size or bit depth")
    if len({page.photometric for page in pages}) > 1:
        raise ImageFault("its pages differ in what they call white (photometric interpretation)")
    _check_stored(pages, size)
    planes = _planes(tiff, pages)
    check_size(first.imagewidth, first.imagelength, planes * first.samplesperpixel * types[0].itemsize, size)
    starts = _plane_starts(tiff, first, planes, size) if planes > len(pages) else []

    def decode(boxes: Sequence[Box]) -> list[npt.NDArray[np.generic]]:
        if starts:
            parts = [plain_parts(stream, first, start, boxes) for start in starts]
        else:
            parts = [page_parts(stream, page, boxes) for page in pages]
        return [np.stack([as_grey(part) for part in of_box]) for of_box in zip(*parts, strict=True)]

    white = first.photometric == tifffile.PHOTOMETRIC.MINISWHITE
    return OpenImage(planes, first.imagelength, first.imagewidth, types[0], decode, white)


def _nothing(_: Sequence[Box]) -> list[npt.NDArray[np.generic]]:
    raise ImageFault("the file has more pages than channels")


def _page_places(stream: BinaryIO, size: int) -> list[int]:
    """Follow the chain of pages: where each begins. Raises ImageFault for a chain that loops or leaves the file."""
    stream.seek(0)
    head = stream.read(16)
    order = "<" if head.startswith(b"II") else ">"
    big = head[2:4] in (b"+\0", b"\0+")
    count_form, next_form, entry_form = (
        (order + "Q", order + "Q", order + "HHQQ") if big else (order + "H", order + "I", order + "HHII")
    )
    place: int = struct.unpack_from(next_form, head, 8 if big else 4)[0]
    places: dict[int, None] = {}
    while place:
        if place in places:
            raise ImageFault("its chain of pages loops")
        if len(places) == MOST_PAGES:
            raise ImageFault(f"it has more than {MOST_PAGES} pages")
        places[place] = None
        entries: int = struct.unpack(count_form, _read(stream, place, struct.calcsize(count_form)))[0]
        if entries > MOST_ENTRIES:
            raise ImageFault("the file is damaged (a page lies beyond its end)")
        start, length = place + struct.calcsize(count_form), entries * struct.calcsize(entry_form)
        page = _read(stream, start, length + struct.calcsize(next_form))
        for _, kind, count, _ in struct.iter_unpack(entry_form, page[:length]):
            if count * VALUE_BYTES.get(kind, 1) > min(size, MOST_VALUE_BYTES):
                raise ImageFault("the file is damaged (an entry of a page lies beyond its end)")
        place = struct.unpack_from(next_form, page, length)[0]
    if not places:
        raise ImageFault("the file is damaged (it has no page)")
    return list(places)


def _read(stream: BinaryIO, place: int, length: int) -> bytes:
    stream.seek(place)
    content = read_up_to(stream, length)
    if len(content) < length:
        raise ImageFault("the file is damaged (a page lies beyond its end)")
    return content


def _check_page(page: tifffile.TiffPage, file_bytes: int) -> np.dtype[np.uint8 | np.uint16]:
    """Refuse a page whose stored values are no grey values, before anything is decoded; give their type."""
    dtype = np.dtype(page.dtype) if page.dtype is not None else None
    check_size(page.imagewidth, page.imagelength, page.samplesperpixel * (dtype.itemsize if dtype else 1), file_bytes)
    compression = tifffile.COMPRESSION(page.compression).name
    if compression not in COMPRESSIONS:
        raise ImageFault(f"its compression must be one of {', '.join(COMPRESSIONS)}, and is {compression}")
    photometric = tifffile.PHOTOMETRIC(page.photometric).name
    if photometric == "PALETTE":
        raise ImageFault("the image has a palette, and grey values are needed")
    if photometric not in PHOTOMETRICS:
        raise ImageFault(f"its values are {photometric} (photometric interpretation), and grey values are needed")
    check_orientation(page.tags.valueof("Orientation"))
    values = grey_type(dtype)
    if page.imagedepth > 1 or page.samplesperpixel > 4 or len(page.shape) > 3:
        raise ImageFault("the image has 3 dimensions, and 2 are needed")
    if page.samplesperpixel > 1 and page.planarconfig != tifffile.PLANARCONFIG.CONTIG:
        raise ImageFault("its planes of colour are stored one after the other, and grey values are needed")
    if page.is_tiled and page.tilewidth * page.tilelength > max(2 * page.imagewidth * page.imagelength, 2**20):
        raise ImageFault(
            f"the file is damaged (a tile of {page.tilelength} x {page.tilewidth} pixels is larger than the image)"
        )
    return values


def _check_stored(pages: list[tifffile.TiffPage], file_bytes: int) -> None:
    """Refuse pages that lie beyond the file's end, or share what is stored: each would be decoded, though it is there once."""
    stored = sum(sum(page.databytecounts) for page in pages)
    if stored > file_bytes:
        raise ImageFault(f"the file is damaged (its pages claim {stored} bytes, and the file has {file_bytes})")
    for page in pages:
        ends = [place + length for place, length in zip(page.dataoffsets, page.databytecounts, strict=False)]
        if page.is_final:
            ends.append(page.dataoffsets[0] + page.nbytes)
        if max(ends, default=0) > file_bytes:
            raise ImageFault("the file is damaged (image file is truncated)")


def _planes(tiff: tifffile.TiffFile, pages: list[tifffile.TiffPage]) -> int:
    """Count the planes: some programs write a stack behind the header of its first page."""
    size = math.prod(pages[0].shape)
    total = sum(math.prod(series.shape) for series in tiff.series)
    if total <= size * len(pages):
        return len(pages)
    if len(pages) > 1 or len(tiff.series) > 1 or total % size or pages[0].samplesperpixel > 1:
        raise ImageFault(f"its {len(pages)} pages stand for {total // size} planes, and a page a plane is needed")
    return total // size


def _plane_starts(tiff: tifffile.TiffFile, page: tifffile.TiffPage, planes: int, file_bytes: int) -> list[int]:
    """Tell where the planes behind one header begin: they lie one after the other."""
    start = tiff.series[0].dataoffset
    if start is None:
        raise ImageFault("the file is damaged (its planes do not lie one after the other)")
    if start + planes * page.nbytes > file_bytes:
        raise ImageFault("the file is damaged (image file is truncated)")
    return [start + number * page.nbytes for number in range(planes)]


def white_is_zero(path: Path) -> bool:
    """Tell whether a file that was read before is a TIFF whose first page declares that 0 is white."""
    try:
        with path.open("rb") as stream:
            if stream.read(4) not in TIFF:
                return False
        with tifffile.TiffFile(path) as tiff:
            return bool(tiff.pages.first.photometric == tifffile.PHOTOMETRIC.MINISWHITE)
    except (OSError, ValueError, struct.error):  # gone or rewritten since
        return False
