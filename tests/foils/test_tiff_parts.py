"""Parts of a TIFF's pages are those of the whole image, whatever its layout, and nothing else of it is read or decoded."""

from __future__ import annotations

import tracemalloc
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import tifffile

from foils.image_faults import ImageFault
from foils.image_files import MOST_BYTES, open_file
from foils.images import open_image
from foils.open_image import Box
from tests.support.tiffs import chain, grey

GENERATOR = np.random.default_rng(0)
SIXTEEN = GENERATOR.integers(0, 65536, (70, 100), dtype=np.uint16)
EIGHT = GENERATOR.integers(0, 256, (70, 100), dtype=np.uint8)
# Corners, edges, across several strips and tiles, within one, one pixel, and the whole.
BOXES = [
    Box(0, 0, 12, 12),
    Box(88, 58, 12, 12),
    Box(10, 11, 25, 25),
    Box(33, 17, 8, 8),
    Box(99, 69, 1, 1),
    Box(0, 30, 100, 3),
    Box(0, 0, 100, 70),
]
LAYOUTS: dict[str, dict[str, Any]] = {
    "one strip": {},
    "strips": {"rowsperstrip": 7},
    "a row a strip": {"rowsperstrip": 1},
    "big-endian": {"byteorder": ">"},
    "big-endian strips": {"byteorder": ">", "rowsperstrip": 16, "compression": "zlib"},
    "BigTIFF": {"bigtiff": True, "rowsperstrip": 7},
    "tiles": {"tile": (16, 32)},
    "one tile": {"tile": (80, 112)},
    "tiles as wide as the image": {"tile": (16, 112), "compression": "lzw"},
    "compressed strip": {"compression": "zlib"},
    "compressed strips": {"compression": "lzw", "rowsperstrip": 7},
    "compressed tiles": {"compression": "zstd", "tile": (32, 16)},
    "predicted strips": {"compression": "zlib", "predictor": True, "rowsperstrip": 7},
    "predicted tiles": {"compression": "lzw", "predictor": True, "tile": (16, 16)},
}


def stored(values: npt.NDArray[Any], **options: Any) -> bytes:
    stream = BytesIO()
    tifffile.imwrite(stream, values, **{"photometric": "minisblack", "metadata": None, **options})
    return stream.getvalue()


@pytest.mark.parametrize("values", [EIGHT, SIXTEEN], ids=["8 bits", "16 bits"])
@pytest.mark.parametrize("layout", LAYOUTS.values(), ids=LAYOUTS)
def test_parts_are_those_of_the_whole(layout: dict[str, Any], values: npt.NDArray[Any]) -> None:
    content = stored(values, **layout)
    whole = tifffile.imread(BytesIO(content))
    np.testing.assert_array_equal(whole, values)
    parts = open_image(BytesIO(content), ".tif").parts(BOXES)
    for box, part in zip(BOXES, parts, strict=True):
        assert part.dtype == values.dtype
        assert part.dtype.isnative
        np.testing.assert_array_equal(part[0], whole[box.top : box.top + box.height, box.left : box.left + box.width])


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"compression": "zlib", "rowsperstrip": 9},
        {"tile": (16, 16)},
        {"truncate": True},
        {"imagej": True},
        {"planes": True},
    ],
    ids=str,
)
def test_pages_planes_and_equal_colours_have_parts(options: dict[str, Any]) -> None:
    stack = np.stack([SIXTEEN, SIXTEEN[::-1], SIXTEEN // 3])
    if options.pop("planes", False):
        content = stored(np.stack([SIXTEEN] * 3, axis=-1), photometric="rgb", tile=(16, 16))
        stack = stack[:1]
    else:
        content = stored(stack, **{"metadata": {}, **options})
    parts = open_image(BytesIO(content), ".tif").parts(BOXES)
    for box, part in zip(BOXES, parts, strict=True):
        np.testing.assert_array_equal(part, stack[:, box.top : box.top + box.height, box.left : box.left + box.width])


class CountingStream(BytesIO):
    """A file that counts the bytes that are read of it."""

    count = 0

    def read(self, size: int | None = -1) -> bytes:
        content = super().read(size)
        self.count += len(content)
        return content

    def readinto(self, buffer: Any) -> int:
        length = super().readinto(buffer)
        self.count += length
        return length


@pytest.fixture(scope="module")
def large() -> npt.NDArray[np.uint16]:
    return GENERATOR.integers(0, 65536, (2000, 1500), dtype=np.uint16)


@pytest.mark.parametrize(
    ("layout", "share"),
    [
        ({}, 0.001),
        ({"rowsperstrip": 10}, 0.001),
        ({"compression": "zlib", "rowsperstrip": 10}, 0.1),
        ({"tile": (64, 64)}, 0.05),
    ],
    ids=str,
)
def test_only_what_parts_touch_is_read(layout: dict[str, Any], share: float, large: npt.NDArray[np.uint16]) -> None:
    content = stored(large, **layout)
    stream = CountingStream(content)
    image = open_image(stream, ".tif")
    stream.count = 0
    boxes = [Box(700, top, 12, 12) for top in (5, 900, 905, 1700)]
    parts = image.parts(boxes)
    assert 0 < stream.count < share * len(content)
    for box, part in zip(boxes, parts, strict=True):
        np.testing.assert_array_equal(part[0], large[box.top : box.top + 12, 700:712])


def test_a_scan_of_200_million_pixels_is_read_where_its_pits_are(tmp_path: Path) -> None:
    width, height = 20_000, 10_000
    header = chain([grey(width, height, 4096, width * height)])
    with (tmp_path / "a.tif").open("wb") as stream:  # most of it takes no place on the disk
        stream.write(header)
        stream.truncate(4096 + width * height)
        stream.seek(4096 + 9_000 * width + 19_000)
        stream.write(bytes(range(200)))
    tracemalloc.start()
    with open_file(tmp_path / "a.tif", MOST_BYTES) as opened:
        image = open_image(opened, ".tif")
        (part,) = image.parts([Box(19_000, 8_999, 28, 28)])
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert (image.width, image.height) == (width, height)
    np.testing.assert_array_equal(part[0, 1], np.arange(28))
    assert np.count_nonzero(part) == 27
    assert most < 2**22


def test_a_strip_is_decoded_once_for_all_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    decoded: list[int] = []
    decoder: Any = tifffile.TiffPage.__dict__["decode"]

    def counting(page: tifffile.TiffPage) -> Any:
        decode = decoder.func(page)

        def counted(content: bytes, number: int) -> Any:
            decoded.append(number)
            return decode(content, number)

        return counted

    image = open_image(BytesIO(stored(SIXTEEN, compression="zlib", rowsperstrip=10)), ".tif")
    monkeypatch.setattr(tifffile.TiffPage, "decode", property(counting))
    image.parts([Box(3, 12, 8, 8), Box(60, 12, 8, 8), Box(3, 48, 8, 8)])
    assert decoded == [1, 4, 5]


def cuts(content: bytes) -> Iterator[bytes]:
    for length in range(0, len(content), len(content) // 40):
        yield content[:length]


@pytest.mark.parametrize(
    "layout", [{}, {"compression": "zlib", "rowsperstrip": 7}, {"tile": (16, 16)}, {"imagej": True}], ids=str
)
def test_a_file_cut_short_is_refused_also_where_its_first_rows_are_left(layout: dict[str, Any]) -> None:
    content = stored(np.stack([SIXTEEN, SIXTEEN]), **layout)
    before, first = 0, open_image(BytesIO(content), ".tif").parts([Box(0, 0, 8, 8)])[0]
    for cut in cuts(content):
        try:
            part = open_image(BytesIO(cut), ".tif").parts([Box(0, 0, 8, 8)])[0]
        except ImageFault:
            before = len(cut)
        else:
            np.testing.assert_array_equal(part, first)
    assert before > 0.9 * len(content)


def test_a_strip_that_is_not_stored_is_zero_and_a_missing_one_is_refused() -> None:
    content = bytearray(stored(SIXTEEN, compression="zlib", rowsperstrip=10))
    with tifffile.TiffFile(BytesIO(bytes(content))) as tiff:
        tags = tiff.pages.first.tags
        lengths, places = tags["StripByteCounts"], tags["StripOffsets"]
    size = lengths.valuebytecount // lengths.count
    content[lengths.valueoffset + size : lengths.valueoffset + 2 * size] = bytes(size)
    (part,) = open_image(BytesIO(bytes(content)), ".tif").parts([Box(0, 5, 10, 10)])
    np.testing.assert_array_equal(part[0], np.concatenate([SIXTEEN[5:10, :10], np.zeros((5, 10), np.uint16)]))
    content[places.offset + 4 : places.offset + 8] = (6).to_bytes(4, "little")  # of seven strips
    with pytest.raises(ImageFault, match=r"^the file is damaged \(a strip or tile is missing\)$"):
        open_image(BytesIO(bytes(content)), ".tif").parts([Box(0, 60, 10, 10)])
