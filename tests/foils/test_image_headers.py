"""Headers that declare what a file cannot hold are refused quickly, in little memory, before anything is decoded."""

from __future__ import annotations

import os
import struct
import time
import tracemalloc
import zlib
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest

from foils.image_faults import ImageFault, check_size
from foils.image_files import open_file
from foils.images import open_image, read_pages
from tests.support.tiffs import BYTES, COMPRESSION, SAMPLES, STRIP, chain, grey

MIB = 2**20


def png(width: int, height: int, *, kind: int = 0, depth: int = 8, data: bytes = b"") -> bytes:
    def chunk(name: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))

    header = struct.pack(">IIBBBBB", width, height, depth, kind, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", data) + chunk(b"IEND", b"")


def tga(kind: int, width: int, height: int, depth: int, data: bytes = b"") -> bytes:
    return struct.pack("<BBBHHBHHHHBB", 0, 0, kind, 0, 0, 0, 0, 0, width, height, depth, 0x20) + data


def bmp(width: int, height: int, bits: int) -> bytes:
    return struct.pack("<2sIHHIIiiHHIIiiII", b"BM", 0, 0, 0, 54, 40, width, height, 1, bits, 0, 0, 0, 0, 0, 0) + bytes(1100)


def jpeg(width: int, height: int) -> bytes:
    frame = struct.pack(">HHBHHB", 0xFFC0, 11, 8, height, width, 1) + bytes([1, 0x11, 0])
    return b"\xff\xd8" + frame + struct.pack(">HHBBBBBB", 0xFFDA, 8, 1, 1, 0, 0, 63, 0) + bytes(99)


def zeros(count: int) -> bytes:
    """Compress so many zeros without holding them."""
    packer = zlib.compressobj(9)
    parts = [packer.compress(bytes(MIB)) for _ in range(-(-count // MIB))]
    return b"".join([*parts, packer.flush()])


def shared_strip() -> bytes:
    """Forty pages that all decode one strip of 81 million zeros."""
    strip = zeros(9000 * 9000)
    start = len(chain([grey(1, 1, 0, 0)] * 40))
    return chain([grey(9000, 9000, start, len(strip), tag259=8)] * 40, data=strip)


def plain_shared_strip() -> bytes:
    """Forty small pages that all stand for the same bytes."""
    start = len(chain([grey(1, 1, 0, 0)] * 40))
    return chain([grey(64, 64, start, 4096)] * 40, data=bytes(4096))


def swollen_strip() -> bytes:
    """One small page whose strip gives a hundred million bytes."""
    strip = zeros(10**8)
    return chain([grey(28, 28, len(chain([grey(1, 1, 0, 0)])), len(strip), tag259=8)], data=strip)


def behind_one_header(description: bytes) -> bytes:
    """One page of 28 x 28 pixels whose description tells of many more planes."""
    start = len(chain([grey(1, 1, 0, 0, tag270=0)]))
    return chain([grey(28, 28, 8, 784, tag270=start)], data=description + bytes(784), counts={270: len(description)})


FILES: dict[str, tuple[str, Callable[[], bytes]]] = {
    "a PNG of 2 ** 62 pixels": (".png", lambda: png(2**31 - 1, 2**31 - 1)),
    "a PNG of 169 million zeros": (".png", lambda: png(13000, 13000, data=zeros(13001 * 13000))),
    "a PNG of 36 million colours": (".png", lambda: png(6000, 6000, kind=6, data=zeros(6000 * 24001))),
    "an empty PNG": (".png", lambda: png(0, 12)),
    "a BMP without its pixels": (".bmp", lambda: bmp(20_000, 20_000, 8)),
    "a BMP of 2 ** 60 pixels": (".bmp", lambda: bmp(2**30, 2**30, 1)),
    "a JPEG of 520 million pixels": (".jpg", lambda: jpeg(65_500, 8_000)),
    "a JPEG of 4 billion pixels": (".jpg", lambda: jpeg(65_535, 65_535) + bytes(10**7)),
    "a JPEG whose header is lost": (".jpg", lambda: b"\xff\xd8\xff\xe0\0\2" + bytes(10**7)),
    "a TGA without its pixels": (".tga", lambda: tga(3, 65535, 65535, 8)),
    "a packed TGA without its pixels": (".tga", lambda: tga(10, 65535, 65535, 32, bytes(99))),
    "a TIFF whose page is its own next": (".tif", lambda: chain([grey(28, 28, 8, 784)], last=8, data=bytes(784))),
    "a TIFF whose pages go round": (".tif", lambda: chain([grey(28, 28, 8, 784)] * 3, last=8, data=bytes(784))),
    "a TIFF of 100,000 pages": (".tif", lambda: many_pages(100_000)),
    "pages that share a strip": (".tif", shared_strip),
    "small pages that share a strip": (".tif", plain_shared_strip),
    "a strip that swells": (".tif", swollen_strip),
    "an entry of 2 ** 31 values": (
        ".tif",
        lambda: chain([grey(28, 28, 8, 784)], data=bytes(784), counts={STRIP: 2**31, BYTES: 2**31}),
    ),
    "65,535 samples a pixel": (".tif", lambda: chain([grey(28, 28, 8, 784) | {SAMPLES: 65535}], data=bytes(784))),
    "a depth of 2 ** 30": (".tif", lambda: chain([grey(28, 28, 8, 784, tag32997=2**30)], data=bytes(784))),
    "a tile of 2 ** 60 pixels": (
        ".tif",
        lambda: chain([grey(28, 28, 8, 784, tag322=2**30, tag323=2**30, tag324=8, tag325=100)], data=bytes(784)),
    ),
    "134 million values in 100 bytes": (
        ".tif",
        lambda: chain([grey(2**14, 2**13, 8, 100) | {COMPRESSION: 5}], data=bytes(100)),
    ),
    "a description of 10 ** 9 planes": (".tif", lambda: behind_one_header(b'{"shape": [1000000000, 28, 28]}\0')),
    "a page beyond the end": (".tif", lambda: chain([grey(28, 28, 8, 784)], last=10**9, data=bytes(784))),
    "no page": (".tif", lambda: b"II*\0" + bytes(40)),
}


def many_pages(count: int) -> bytes:
    """Chain pages faster than `chain` lists them."""
    one = chain([grey(28, 28, 8, 784)])[8:]
    starts = range(8, 8 + count * len(one), len(one))
    return b"II*\0" + struct.pack("<I", 8) + b"".join(one[:-4] + struct.pack("<I", start) for start in [*starts[1:], 0])


@pytest.mark.parametrize(("suffix", "content"), FILES.values(), ids=FILES)
def test_a_header_that_cannot_be_true_is_refused_at_once(suffix: str, content: Callable[[], bytes]) -> None:
    stored = content()
    tracemalloc.start()
    start = time.process_time()
    with pytest.raises(ImageFault) as caught:
        open_image(BytesIO(stored), suffix).values()
    seconds = time.process_time() - start
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 200
    assert seconds < 1
    assert most < 200 * MIB


@pytest.mark.parametrize(("planes", "size"), [(1, 50), (2, 60), (4, 90)])
def test_the_size_of_a_scan_of_200_million_pixels_is_believed(planes: int, size: int) -> None:
    check_size(20_000, 10_000, planes, size * MIB)
    with pytest.raises(ImageFault, match=r"^its header claims 10000 x 20000 values"):
        check_size(20_000, 10_000, planes, MIB)


def test_pages_beyond_those_wanted_are_counted_and_not_looked_at() -> None:
    assert open_image(BytesIO(many_pages(5000)), ".tif", pages=10).pages == 5000


def test_a_large_image_that_its_file_can_hold_is_read(tmp_path: Path) -> None:
    values = np.random.default_rng(0).integers(0, 256, (3000, 4000), dtype=np.uint8)
    (tmp_path / "a.tga").write_bytes(tga(3, 4000, 3000, 8, values.tobytes()))
    np.testing.assert_array_equal(read_pages(tmp_path / "a.tga")[0], values)


def test_only_regular_files_are_read(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.png")
    (tmp_path / "endless.png").symlink_to("/dev/zero")
    for name in ("pipe.png", "endless.png"):
        with pytest.raises(ImageFault, match=r"^it is a pipe or a device, and a regular file is needed$"):
            read_pages(tmp_path / name)
    with (tmp_path / "sparse.png").open("wb") as stream:
        stream.truncate(10**11)
    with pytest.raises(ImageFault, match=r"^it has 100000000000 bytes, and at most 1000 are read$"):
        open_file(tmp_path / "sparse.png", 1000)


def test_a_name_that_no_file_system_takes_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ImageFault, match="File name too long"):
        read_pages(tmp_path / f"{'n' * 300}.png")
