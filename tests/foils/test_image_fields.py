"""Whatever the fields of an image's header say, it is read, or refused by an ImageFault: quickly, and in little memory."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
import tifffile
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from foils.image_faults import ImageFault
from foils.images import read_pages
from tests.support.fuzzing import LENGTHS, assert_one_line, bounded, frugal

EXAMPLES = {"few": 15, "many": 800}
VALUES = np.arange(144, dtype=np.uint8).reshape(12, 12)
NUMBERS = (
    0,
    1,
    2,
    3,
    4,
    7,
    8,
    9,
    11,
    13,
    16,
    32,
    64,
    127,
    128,
    255,
    256,
    257,
    32767,
    32768,
    65535,
    2**31 - 1,
    2**31,
    2**32 - 1,
)
# A place in a file, and the format of the number there, as `struct` writes it.
Field = tuple[int, str]


def by_pillow(kind: str) -> bytes:
    """Write an image by Pillow."""
    stream = io.BytesIO()
    Image.fromarray(VALUES).save(stream, kind)
    return stream.getvalue()


def by_tifffile(**options: object) -> bytes:
    """Write an image by tifffile."""
    stream = io.BytesIO()
    tifffile.imwrite(stream, VALUES, photometric="minisblack", **options)  # type: ignore[arg-type]  # options of any kind
    return stream.getvalue()


def in_a_row(form: str) -> list[Field]:
    """Give the fields of a header without gaps."""
    ends = [struct.calcsize("<" + form[: end + 1]) for end in range(len(form))]
    return [(end - struct.calcsize("<" + kind), "<" + kind) for end, kind in zip(ends, form, strict=True)]


def of_png(content: bytes) -> list[Field]:
    """Give the length and the name of every chunk, and what the header says."""
    fields, place = [(16, ">I"), (20, ">I"), *((24 + number, ">B") for number in range(5))], 8
    while place < len(content):
        fields += [(place, ">I"), (place + 4, ">I")]
        place += 12 + int(struct.unpack_from(">I", content, place)[0])
    return fields


def of_tiff(content: bytes) -> list[Field]:
    """Give the tag, type, count and value of every entry of the first page, of TIFF or BigTIFF, and where pages lie."""
    big = content[2] == 43
    offset, number, start = ("<Q", "<Q", 8) if big else ("<I", "<H", 4)
    page = int(struct.unpack_from(offset, content, start)[0])
    count = int(struct.unpack_from(number, content, page)[0])
    first, size = page + struct.calcsize(number), 20 if big else 12
    fields: list[Field] = [(2, "<H"), (start, offset), (page, number), (first + count * size, offset)]
    for entry in range(first, first + count * size, size):
        fields += [(entry, "<H"), (entry + 2, "<H"), (entry + 4, offset), (entry + (12 if big else 8), offset)]
    return fields


def of_jpeg(content: bytes) -> list[Field]:
    """Give the mark and length of every segment, and what that of the frame says."""
    fields: list[Field] = []
    place = 2
    while content[place + 1] != 0xDA:
        fields += [(place, ">H"), (place + 2, ">H")]
        if content[place + 1] == 0xC0:
            fields += [(place + 4, ">B"), (place + 5, ">H"), (place + 7, ">H"), (place + 9, ">B")]
        place += 2 + int(struct.unpack_from(">H", content, place + 2)[0])
    return [*fields, (place + 2, ">H")]


def with_checksums(content: bytes) -> bytes:
    """Correct the checksums of a PNG's chunks: a wrong one would hide what the fields say."""
    place, fixed = 8, bytearray(content)
    while place + 12 <= len(fixed):
        end = place + 8 + int(struct.unpack_from(">I", fixed, place)[0])
        if end + 4 > len(fixed):
            break
        struct.pack_into(">I", fixed, end, zlib.crc32(fixed[place + 4 : end]))
        place = end + 4
    return bytes(fixed)


def unchanged(content: bytes) -> bytes:
    """Leave a file as it is."""
    return content


PNG, JPEG = by_pillow("PNG"), by_pillow("JPEG")
TIFF, TILES, BIG = by_tifffile(), by_tifffile(tile=(16, 16), compression="zlib"), by_tifffile(bigtiff=True, rowsperstrip=5)
TGA_HEADER, BMP_HEADER = "BBBHHBHHHHBB", "HIHHIIiiHHIIiiII"
FILES: dict[str, tuple[str, bytes, Sequence[Field], Callable[[bytes], bytes]]] = {
    "PNG": ("a.png", PNG, of_png(PNG), with_checksums),
    "TGA": ("a.tga", by_pillow("TGA"), in_a_row(TGA_HEADER), unchanged),
    "BMP": ("a.bmp", by_pillow("BMP"), in_a_row(BMP_HEADER), unchanged),
    "JPEG": ("a.jpg", JPEG, of_jpeg(JPEG), unchanged),
    "TIFF": ("a.tif", TIFF, of_tiff(TIFF), unchanged),
    "TIFF in tiles": ("a.tif", TILES, of_tiff(TILES), unchanged),
    "BigTIFF": ("a.tif", BIG, of_tiff(BIG), unchanged),
}


@pytest.mark.parametrize("length", LENGTHS)
@pytest.mark.parametrize("kind", FILES)
def test_fields_that_say_something_else(kind: str, length: str, tmp_path: Path) -> None:
    name, content, fields, finish = FILES[kind]
    path = tmp_path / name
    path.write_bytes(content)
    assert read_pages(path).shape == (1, 12, 12)
    changes = st.tuples(st.sampled_from(fields), st.sampled_from(NUMBERS) | st.integers(0, 2**64 - 1))

    @bounded(EXAMPLES[length])
    @given(st.lists(changes, min_size=1, max_size=3))
    def check(edits: list[tuple[Field, int]]) -> None:
        changed = bytearray(content)
        for (place, form), number in edits:
            size = struct.calcsize(form)
            changed[place : place + size] = (number % 256**size).to_bytes(size, "big" if form[0] == ">" else "little")
        path.write_bytes(finish(bytes(changed)))
        try:
            with frugal():
                pages = read_pages(path)
        except ImageFault as fault:
            assert_one_line(fault, 500)
        else:
            assert pages.dtype in (np.uint8, np.uint16)
            # What a file of a few hundred bytes holds.
            assert pages.size < 10**8

    check()
