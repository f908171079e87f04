"""BMP and JPEG: their grey values come through; what is no grey image, or is cut, coded or turned, is refused in one clause."""

from __future__ import annotations

import struct
from collections.abc import Callable
from io import BytesIO

import numpy as np
import numpy.typing as npt
import pytest
from PIL import ExifTags, Image

from foils.image_faults import ImageFault
from foils.images import open_image
from foils.open_image import Box

GENERATOR = np.random.default_rng(0)
# Rows of 11 pixels end within four bytes, as rows of BMP may not.
EIGHT = GENERATOR.integers(0, 256, (9, 11), dtype=np.uint8)
GREYS = b"".join(bytes([value, value, value, 0]) for value in range(256))
MIRRORED = b"".join(bytes([255 - value] * 3 + [0]) for value in range(256))
SMOOTH = np.repeat(np.arange(0, 240, 20, dtype=np.uint8), 4)[None, :].repeat(16, axis=0)


def rows(values: npt.NDArray[np.uint8], bits: int) -> bytes:
    """Give rows of pixels, `[y, x]` or `[y, x, planes]`, as BMP stores them: each filled up to four bytes."""
    lines = []
    for row in values:
        line = np.packbits(row).tobytes() if bits == 1 else row.tobytes()
        lines.append(line + bytes(-len(line) % 4))
    return b"".join(lines)


def bmp(data: bytes, bits: int, *, palette: bytes = b"", colours: int = 0, height: int = 9, coding: int = 0) -> bytes:
    """Write a BMP of 11 columns; `height` below 0: its first row is the top one."""
    start = 14 + 40 + len(palette)
    header = struct.pack("<IiiHHIIiiII", 40, 11, height, 1, bits, coding, 0, 0, 0, colours, 0)
    return struct.pack("<2sIHHI", b"BM", start + len(data), 0, 0, start) + header + palette + data


def planes(values: npt.NDArray[np.uint8], count: int) -> npt.NDArray[np.uint8]:
    return np.stack([values] * count, axis=-1)


UPWARDS = EIGHT[::-1]
LIGHT = EIGHT > 99
BMPS: dict[str, tuple[bytes, npt.NDArray[np.uint8]]] = {
    "8 bits": (bmp(rows(UPWARDS, 8), 8, palette=GREYS), EIGHT),
    "8 bits, from above": (bmp(rows(EIGHT, 8), 8, palette=GREYS, height=-9), EIGHT),
    "8 bits, 0 is white": (bmp(rows(UPWARDS, 8), 8, palette=MIRRORED), 255 - EIGHT),
    "8 bits, of 200 greys": (bmp(rows(UPWARDS // 2, 8), 8, palette=GREYS[:800], colours=200), EIGHT // 2),
    "1 bit": (bmp(rows(LIGHT[::-1].astype(np.uint8), 1), 1, palette=GREYS[:4] + GREYS[-4:]), LIGHT * np.uint8(255)),
    "1 bit, 0 is white": (
        bmp(rows(LIGHT[::-1].astype(np.uint8), 1), 1, palette=GREYS[-4:] + GREYS[:4]),
        ~LIGHT * np.uint8(255),
    ),
    "24 bits": (bmp(rows(planes(UPWARDS, 3), 24), 24), EIGHT),
    "24 bits, from above": (bmp(rows(planes(EIGHT, 3), 24), 24, height=-9), EIGHT),
    "32 bits": (bmp(rows(planes(UPWARDS, 4), 32), 32), EIGHT),
}


@pytest.mark.parametrize(("content", "expected"), BMPS.values(), ids=BMPS)
def test_a_bmp_is_read_by_its_depth_palette_and_direction(content: bytes, expected: npt.NDArray[np.uint8]) -> None:
    image = open_image(BytesIO(content), ".bmp")
    assert (image.pages, image.height, image.width) == (1, 9, 11)
    assert image.dtype == np.uint8
    np.testing.assert_array_equal(image.values()[0], expected)
    (part,) = image.parts([Box(3, 2, 5, 6)])
    np.testing.assert_array_equal(part[0], expected[2:8, 3:8])


COLOURS = bytes(range(256)) * 4
REFUSED: dict[str, tuple[bytes, str]] = {
    "runs": (
        bmp(b"\5\7" * 200, 8, palette=GREYS, coding=1),
        "its values are run-length coded (RLE), and an uncompressed BMP is needed",
    ),
    "a JPEG within": (bmp(bytes(108), 24, coding=4), "the file is damaged (Unsupported BMP compression (4))"),
    "16 bits": (
        bmp(rows(planes(EIGHT, 2), 16), 16),
        "its colours have 5 bits each, and 8- or 16-bit grey values are needed",
    ),
    "two greys of 8 bits": (
        bmp(rows(LIGHT.astype(np.uint8), 8), 8, palette=GREYS[:4] + GREYS[-4:], colours=2),
        "its palette is one of another depth than its 8 bits, and 8-bit grey is needed",
    ),
    "colours": (bmp(rows(np.dstack([EIGHT, EIGHT, EIGHT // 2]), 24), 24), "the image has colours, and grey values are needed"),
    "a palette of colours": (bmp(rows(EIGHT, 8), 8, palette=COLOURS), "the image has colours, and grey values are needed"),
    "values beyond the palette": (
        bmp(rows(EIGHT, 8), 8, palette=MIRRORED[:400], colours=100),
        "the file is damaged (some of its values lie beyond its palette of 100)",
    ),
    "cut short": (bmp(rows(EIGHT, 8)[:-6], 8, palette=GREYS), "the file is damaged (image file is truncated)"),
    "rows without end": (bmp(b"", 8, palette=GREYS, height=2**30), "its header claims 1073741824 x 11 values"),
    "another header": (
        b"BM" + bytes(12) + struct.pack("<I", 41) + bytes(99),
        "the file is damaged (Unsupported BMP header type (41))",
    ),
}


@pytest.mark.parametrize(("content", "clause"), REFUSED.values(), ids=REFUSED)
def test_a_bmp_without_plain_grey_values_is_refused(content: bytes, clause: str) -> None:
    with pytest.raises(ImageFault) as caught:
        open_image(BytesIO(content), ".bmp").values()
    assert str(caught.value).startswith(clause)
    assert "\n" not in str(caught.value)


def jpeg(values: npt.NDArray[np.uint8] = SMOOTH, **options: object) -> bytes:
    stream = BytesIO()
    Image.fromarray(values).save(stream, "JPEG", quality=95, **options)
    return stream.getvalue()


@pytest.mark.parametrize(
    "content",
    [jpeg(), jpeg(planes(SMOOTH, 3)), jpeg(progressive=True), jpeg(comment=b"from the microscope")],
    ids=["grey", "equal planes", "progressive", "comment"],
)
def test_a_jpeg_is_read_as_it_was_decoded(content: bytes) -> None:
    image = open_image(BytesIO(content), ".jpg")
    values = image.values()
    assert values.shape == (1, 16, 48)
    assert values.dtype == np.uint8
    assert np.abs(values[0].astype(int) - SMOOTH).max() <= 5
    np.testing.assert_array_equal(image.parts([Box(9, 4, 12, 12)])[0], values[:, 4:16, 9:21])


def turned(orientation: int) -> bytes:
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    return jpeg(exif=exif)


def cmyk() -> bytes:
    stream = BytesIO()
    Image.fromarray(SMOOTH).convert("CMYK").save(stream, "JPEG")
    return stream.getvalue()


def edited(old: bytes, new: bytes) -> bytes:
    content = jpeg()
    assert content.count(old) == 1
    return content.replace(old, new)


# The frame of the small JPEG: 8 bits, 16 rows, 48 columns, one plane.
FRAME = b"\xff\xc0\x00\x0b" + struct.pack(">BHHB", 8, 16, 48, 1)
JPEGS: dict[str, tuple[Callable[[], bytes], str]] = {
    "turned": (lambda: turned(6), "its orientation tag says that it is stored turned or mirrored (6); save it upright"),
    "colours": (lambda: jpeg(np.dstack([SMOOTH, SMOOTH, 255 - SMOOTH])), "the image has colours, and grey values are needed"),
    "CMYK": (cmyk, "the image has 4 planes (CMYK?), and grey values are needed"),
    "12 bits": (
        lambda: edited(FRAME, FRAME[:4] + b"\x0c" + FRAME[5:]),
        "its values have 12 bits, and a JPEG of 8 bits is needed",
    ),
    "a bomb": (
        lambda: edited(FRAME, FRAME[:5] + struct.pack(">HH", 65500, 8000) + FRAME[9:]),
        "its header claims 65500 x 8000 values",
    ),
    "no rows": (lambda: edited(FRAME, FRAME[:5] + struct.pack(">HH", 0, 48) + FRAME[9:]), "its header claims 0 x 48 values"),
    "no frame": (lambda: edited(FRAME, b"\xff\xfe\x00\x0b" + FRAME[4:]), "the file is damaged (its header has no size)"),
    "zeros": (lambda: jpeg()[:20] + bytes(10**6), "the file is damaged (a segment of its header is missing)"),
    "half": (lambda: jpeg()[: len(jpeg()) - 30], "the file is damaged (image file is truncated"),
    "a header cut short": (lambda: jpeg()[:40], "the file is damaged ("),
}


@pytest.mark.parametrize(("content", "clause"), JPEGS.values(), ids=JPEGS)
def test_a_jpeg_without_upright_grey_values_is_refused(content: Callable[[], bytes], clause: str) -> None:
    with pytest.raises(ImageFault) as caught:
        open_image(BytesIO(content()), ".jpg").values()
    assert str(caught.value).startswith(clause)
    assert "\n" not in str(caught.value)


def test_the_bomb_is_refused_before_it_is_decoded() -> None:
    with pytest.raises(ImageFault):
        open_image(BytesIO(JPEGS["a bomb"][0]()), ".jpg")


def test_an_upright_jpeg_with_its_tag_is_read() -> None:
    np.testing.assert_array_equal(open_image(BytesIO(turned(1)), ".jpg").values(), open_image(BytesIO(jpeg()), ".jpg").values())
