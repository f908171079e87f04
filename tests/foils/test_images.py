"""Reading images: every format and bit depth gives the values as stored; anything else is refused in one clause."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import tifffile
from PIL import Image

from foils.image_faults import ImageFault
from foils.images import read_pages

GENERATOR = np.random.default_rng(0)
EIGHT = GENERATOR.integers(0, 256, (9, 12), dtype=np.uint8)
SIXTEEN = GENERATOR.integers(0, 65536, (9, 12), dtype=np.uint16)
COLOURS = np.stack([EIGHT, EIGHT // 2, EIGHT], axis=-1)

Write = Callable[[Path], object]


def png(path: Path, kind: int, rows: npt.NDArray[np.uint16]) -> None:
    """Write a 16-bit PNG of a colour type that Pillow cannot write: 2 is colour, 4 is grey with alpha."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    header = struct.pack(">IIBBBBB", 12, len(rows), 16, kind, 0, 0, 0)
    lines = b"".join(b"\0" + row.astype(">u2").tobytes() for row in rows)
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(lines)) + chunk(b"IEND", b""))


def two_depths(path: Path) -> None:
    with tifffile.TiffWriter(path) as writer:
        writer.write(EIGHT)
        writer.write(SIXTEEN)


def two_sizes(path: Path) -> None:
    with tifffile.TiffWriter(path) as writer:
        writer.write(EIGHT)
        writer.write(EIGHT[:5])


def claim_size(path: Path) -> None:
    """Write a TIFF whose header claims 2 ** 30 rows: believing it takes all the memory there is."""
    tifffile.imwrite(path, EIGHT)
    with tifffile.TiffFile(path) as tiff:
        tag = tiff.pages[0].aspage().tags["ImageLength"]
    content = bytearray(path.read_bytes())
    content[tag.offset + 2 : tag.offset + 12] = struct.pack("<HII", 4, 1, 2**30)  # 4: a 32-bit number
    path.write_bytes(content)


@pytest.mark.parametrize(
    ("name", "write", "expected"),
    [
        ("grey8.png", lambda path: Image.fromarray(EIGHT).save(path), EIGHT),
        ("grey16.png", lambda path: Image.fromarray(SIXTEEN).save(path), SIXTEEN),
        ("two-levels.png", lambda path: Image.fromarray(EIGHT > 99).save(path), np.where(EIGHT > 99, 255, 0)),
        ("rgb-grey.png", lambda path: Image.fromarray(np.stack([EIGHT] * 3, axis=-1)).save(path), EIGHT),
        ("rgba-grey.png", lambda path: Image.fromarray(np.stack([EIGHT] * 4, axis=-1)).save(path), EIGHT),
        ("grey-alpha.png", lambda path: Image.fromarray(np.stack([EIGHT, 255 - EIGHT], axis=-1)).save(path), EIGHT),
        ("palette.png", lambda path: Image.fromarray(EIGHT).convert("P").save(path), EIGHT),
        ("clear.png", lambda path: Image.fromarray(EIGHT).convert("P").save(path, transparency=bytes(9)), EIGHT),
        ("grey8.tga", lambda path: Image.fromarray(EIGHT).save(path), EIGHT),
        ("packed.tga", lambda path: Image.fromarray(EIGHT).save(path, compression="tga_rle"), EIGHT),
        ("rgb-grey.tga", lambda path: Image.fromarray(np.stack([EIGHT] * 3, axis=-1)).save(path), EIGHT),
        ("grey8.tif", lambda path: tifffile.imwrite(path, EIGHT), EIGHT),
        ("grey16.tiff", lambda path: tifffile.imwrite(path, SIXTEEN), SIXTEEN),
        ("LOUD.TIF", lambda path: tifffile.imwrite(path, SIXTEEN), SIXTEEN),
        ("big-endian.tif", lambda path: tifffile.imwrite(path, SIXTEEN, byteorder=">"), SIXTEEN),
        ("strips.tif", lambda path: tifffile.imwrite(path, SIXTEEN, rowsperstrip=2), SIXTEEN),
        ("lzw.tif", lambda path: Image.fromarray(EIGHT).save(path, compression="tiff_lzw"), EIGHT),
        ("lzw16.tif", lambda path: tifffile.imwrite(path, SIXTEEN, compression="lzw"), SIXTEEN),
        ("deflate.tif", lambda path: tifffile.imwrite(path, SIXTEEN, compression="deflate"), SIXTEEN),
        ("packbits.tif", lambda path: Image.fromarray(EIGHT).save(path, compression="packbits"), EIGHT),
        (
            "rgb16-grey.tif",
            lambda path: tifffile.imwrite(path, np.stack([SIXTEEN] * 3, axis=-1), photometric="rgb"),
            SIXTEEN,
        ),
    ],
)
def test_grey_values_come_as_stored(
    tmp_path: Path, name: str, write: Write, expected: npt.NDArray[np.uint8 | np.uint16]
) -> None:
    write(tmp_path / name)
    pages = read_pages(tmp_path / name)
    assert pages.dtype == (np.uint16 if expected is SIXTEEN else np.uint8)
    np.testing.assert_array_equal(pages, expected[np.newaxis])


@pytest.mark.parametrize("values", [EIGHT, SIXTEEN])
def test_the_pages_of_a_tiff_keep_their_order(tmp_path: Path, values: npt.NDArray[np.uint8 | np.uint16]) -> None:
    stack = np.stack([values, values[::-1], values // 2])
    tifffile.imwrite(tmp_path / "pages.tif", stack, photometric="minisblack")
    pages = read_pages(tmp_path / "pages.tif")
    assert pages.dtype == values.dtype
    np.testing.assert_array_equal(pages, stack)


@pytest.mark.parametrize(
    ("name", "write", "clause"),
    [
        ("absent.png", lambda path: None, "the file is missing"),
        ("absent.tif", lambda path: None, "the file is missing"),
        ("text.png", lambda path: path.write_text("no image"), "the file is no PNG, TIFF, BMP, TGA or JPEG image"),
        ("empty.tga", lambda path: path.write_bytes(b""), "the file is no PNG, TIFF, BMP, TGA or JPEG image"),
        ("text.tif", lambda path: path.write_text("no image"), "the file is damaged (not a TIFF file: header=b'no i')"),
        ("folder.png", lambda path: path.mkdir(), "the file is damaged (Is a directory"),
        ("colours.png", lambda path: Image.fromarray(COLOURS).save(path), "the image has colours, and grey"),
        ("colours.tga", lambda path: Image.fromarray(COLOURS).save(path), "the image has colours, and grey"),
        ("palette.png", lambda path: Image.fromarray(COLOURS).quantize(9).save(path), "the image has colours, and grey"),
        ("colours.tif", lambda path: tifffile.imwrite(path, COLOURS, photometric="rgb"), "the image has colours, and grey"),
        (
            "palette.tif",
            lambda path: tifffile.imwrite(path, EIGHT, photometric="palette", colormap=np.zeros((3, 256), np.uint16)),
            "the image has a palette, and grey values are needed",
        ),
        ("float.tif", lambda path: tifffile.imwrite(path, EIGHT / np.float32(255)), "its values are float32, and 8- or 16-bit"),
        ("long.tif", lambda path: tifffile.imwrite(path, SIXTEEN.astype(np.int32)), "its values are int32, and 8- or 16-bit"),
        ("signed.tif", lambda path: tifffile.imwrite(path, EIGHT.astype(np.int16)), "its values are int16, and 8- or 16-bit"),
        (
            "volume.tif",
            lambda path: tifffile.imwrite(path, np.stack([EIGHT] * 9), photometric="minisblack", volumetric=True),
            "the image has 3 dimensions, and 2 are needed",
        ),
        (
            "jpeg.tif",
            lambda path: Image.fromarray(EIGHT).save(path, compression="jpeg"),
            "its compression must be one of NONE,",
        ),
        ("depths.tif", two_depths, "its pages differ in size or bit depth"),
        ("sizes.tif", two_sizes, "its pages differ in size or bit depth"),
        ("huge.tif", claim_size, "its header claims 1073741824 x 12 values"),
        ("rgb16.png", lambda path: png(path, 2, np.repeat(SIXTEEN, 3, axis=1)), "its 16-bit planes would be cut to 8 bits"),
        ("la16.png", lambda path: png(path, 4, np.repeat(SIXTEEN, 2, axis=1)), "its 16-bit planes would be cut to 8 bits"),
    ],
)
def test_what_is_no_grey_image_is_refused_in_one_clause(tmp_path: Path, name: str, write: Write, clause: str) -> None:
    write(tmp_path / name)
    with pytest.raises(ImageFault) as caught:
        read_pages(tmp_path / name)
    assert str(caught.value).startswith(clause)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["a.png", "a.tga", "plain.tif", "strips.tif", "deflate.tif"])
def test_a_file_cut_short_anywhere_is_refused_or_whole(tmp_path: Path, name: str) -> None:
    whole, cut = tmp_path / name, tmp_path / f"cut-{name}"
    if whole.suffix == ".tif":
        options = {"strips.tif": {"rowsperstrip": 2}, "deflate.tif": {"compression": "deflate"}}.get(name, {})
        tifffile.imwrite(whole, SIXTEEN, **options)  # type: ignore[arg-type]
    else:
        Image.fromarray(EIGHT).save(whole)
    content = whole.read_bytes()
    refused = 0
    for length in range(0, len(content), 5):
        cut.write_bytes(content[:length])
        try:
            pages = read_pages(cut)
        except ImageFault:
            refused += 1
        else:  # only a trailer was lost
            np.testing.assert_array_equal(pages, read_pages(whole))
            assert length > 0.8 * len(content)
    assert refused > 0.5 * len(content) / 5
