"""What instruments write: photometric and orientation tags, planes behind one header, TGA by its bits, wrong suffixes."""

from __future__ import annotations

import struct
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import tifffile
from PIL import ExifTags, Image, PngImagePlugin

from foils.image_faults import ImageFault
from foils.images import open_image, read_pages

GENERATOR = np.random.default_rng(0)
EIGHT = GENERATOR.integers(0, 256, (9, 12), dtype=np.uint8)
SIXTEEN = GENERATOR.integers(0, 65536, (9, 12), dtype=np.uint16)
STACK = GENERATOR.integers(0, 65536, (10, 9, 12), dtype=np.uint16)

Write = Callable[[Path], object]


def tga(kind: int, depth: int, attributes: int, data: bytes, *, top_down: bool = True, mirrored: bool = False) -> bytes:
    bits = attributes | (0x20 if top_down else 0) | (0x10 if mirrored else 0)
    return struct.pack("<BBBHHBHHHHBB", 3, 0, kind, 0, 0, 0, 0, 0, 12, 9, depth, bits) + b"abc" + data


def packed(pixels: bytes, size: int) -> bytes:
    """Run-length code pixels of some bytes: the first of each row five times, the other twelve as they are."""
    parts = []
    for row in range(9):
        line = pixels[row * 12 * size : (row + 1) * 12 * size]
        parts += [bytes([0x80 | 4]), line[:size], bytes([6]), line[5 * size :]]
    return b"".join(parts)


def repeated(values: npt.NDArray[np.uint8 | np.uint16]) -> npt.NDArray[np.uint8 | np.uint16]:
    """Give the values with five equal ones at the start of each row, as `packed` writes them."""
    runs = values.copy()
    runs[:, :5] = runs[:, :1]
    return runs


ALPHA = np.stack([EIGHT, 255 - EIGHT], axis=-1)
TGAS: dict[str, tuple[bytes, npt.NDArray[np.uint8 | np.uint16]]] = {
    "8 bits": (tga(3, 8, 0, EIGHT.tobytes()), EIGHT),
    "16 bits": (tga(3, 16, 0, SIXTEEN.tobytes()), SIXTEEN),
    "16 bits, packed": (tga(11, 16, 0, packed(SIXTEEN.tobytes(), 2)), repeated(SIXTEEN)),
    "16 bits, from below": (tga(3, 16, 0, SIXTEEN[::-1].tobytes(), top_down=False), SIXTEEN),
    "16 bits, from the right": (tga(3, 16, 0, SIXTEEN[:, ::-1].tobytes(), mirrored=True), SIXTEEN),
    "with alpha": (tga(3, 16, 8, ALPHA.tobytes()), EIGHT),
    "with alpha, packed": (tga(11, 16, 8, packed(ALPHA.tobytes(), 2)), repeated(EIGHT)),
    "8 bits, packed": (tga(11, 8, 0, packed(EIGHT.tobytes(), 1)), repeated(EIGHT)),
    "8 bits, from below": (tga(3, 8, 0, EIGHT[::-1].tobytes(), top_down=False), EIGHT),
    "24 bits": (tga(2, 24, 0, np.stack([EIGHT] * 3, axis=-1).tobytes()), EIGHT),
    "32 bits": (tga(2, 32, 8, np.stack([EIGHT] * 4, axis=-1).tobytes()), EIGHT),
}


@pytest.mark.parametrize("suffix", [".tga", ".png"])
@pytest.mark.parametrize(("content", "expected"), TGAS.values(), ids=TGAS)
def test_a_tga_is_read_by_its_type_depth_and_attribute_bits(
    tmp_path: Path, content: bytes, expected: npt.NDArray[np.uint8 | np.uint16], suffix: str
) -> None:
    path = tmp_path / f"a{suffix}"
    path.write_bytes(content)
    pages = read_pages(path)
    assert pages.dtype == expected.dtype
    np.testing.assert_array_equal(pages, expected[np.newaxis])


@pytest.mark.parametrize(
    ("content", "clause"),
    [
        (tga(2, 16, 1, SIXTEEN.tobytes()), "its colours have 5 bits each, and 8- or 16-bit grey values are needed"),
        (tga(3, 16, 4, SIXTEEN.tobytes()), "its 16 bits hold 4 of alpha, and 8- or 16-bit grey values are needed"),
        (tga(3, 32, 0, SIXTEEN.tobytes() * 2), "the file is no PNG, TIFF, BMP, TGA or JPEG image"),
        (tga(3, 16, 0, SIXTEEN.tobytes()[:-9]), "the file is damaged (image file is truncated)"),
        (tga(11, 16, 0, packed(SIXTEEN.tobytes(), 2)[:-9]), "the file is damaged (image file is truncated)"),
    ],
)
def test_a_tga_without_grey_values_is_refused(content: bytes, clause: str) -> None:
    with pytest.raises(ImageFault) as caught:
        open_image(BytesIO(content), ".tga").values()
    assert str(caught.value) == clause


@pytest.mark.parametrize(
    "options",
    [{}, {"truncate": True}, {"imagej": True}, {"imagej": True, "truncate": True}, {"ome": True}, {"bigtiff": True}],
    ids=str,
)
def test_planes_are_counted_also_behind_one_header(tmp_path: Path, options: dict[str, bool]) -> None:
    tifffile.imwrite(tmp_path / "a.tif", STACK, photometric="minisblack", **options)  # type: ignore[arg-type]
    assert open_image(BytesIO((tmp_path / "a.tif").read_bytes()), ".tif").pages == 10
    np.testing.assert_array_equal(read_pages(tmp_path / "a.tif"), STACK)


@pytest.mark.parametrize("photometric", ["minisblack", "miniswhite"])
def test_what_is_white_is_told_and_values_stay_as_stored(tmp_path: Path, photometric: str) -> None:
    tifffile.imwrite(tmp_path / "a.tif", SIXTEEN, photometric=photometric)
    image = open_image(BytesIO((tmp_path / "a.tif").read_bytes()), ".tif")
    assert image.white_is_zero is (photometric == "miniswhite")
    np.testing.assert_array_equal(image.values()[0], SIXTEEN)


def mixed_pages(path: Path) -> None:
    with tifffile.TiffWriter(path) as writer:
        writer.write(EIGHT, photometric="minisblack")
        writer.write(EIGHT, photometric="miniswhite")


def turned_png(path: Path) -> None:
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6
    Image.fromarray(EIGHT).save(path, exif=exif)


def turned_by_xmp(path: Path) -> None:
    text = PngImagePlugin.PngInfo()
    text.add_itxt("XML:com.adobe.xmp", '<x:xmpmeta><rdf:Description tiff:Orientation="3"/></x:xmpmeta>')
    Image.fromarray(EIGHT).save(path, pnginfo=text)


TURNED = "its orientation tag says that it is stored turned or mirrored ({}); save it upright"


@pytest.mark.parametrize(
    ("name", "write", "clause"),
    [
        ("mixed.tif", mixed_pages, "its pages differ in what they call white (photometric interpretation)"),
        (
            "cmyk.tif",
            lambda path: tifffile.imwrite(path, np.stack([EIGHT] * 4, axis=-1), photometric="separated"),
            "its values are SEPARATED (photometric interpretation), and grey values are needed",
        ),
        (
            "turned.tif",
            lambda path: tifffile.imwrite(path, EIGHT, extratags=[(274, "H", 1, 8, True)]),
            TURNED.format(8),
        ),
        ("turned.png", turned_png, TURNED.format(6)),
        ("xmp.png", turned_by_xmp, TURNED.format(3)),
        (
            "animation.png",
            lambda path: Image.fromarray(EIGHT).save(path, save_all=True, append_images=[Image.fromarray(EIGHT // 2)]),
            "it is an animation of 2 frames, and one image is needed",
        ),
        (
            "web.png",
            lambda path: Image.fromarray(EIGHT).save(path, format="WebP"),
            "the file is a WebP file, and PNG, TIFF, BMP, TGA or JPEG is needed",
        ),
        (
            "animation.tga",
            lambda path: Image.fromarray(EIGHT).save(path, format="GIF"),
            "the file is a GIF file, and PNG, TIFF, BMP, TGA or JPEG is needed",
        ),
        (
            "planar.tif",
            lambda path: tifffile.imwrite(path, np.stack([EIGHT] * 3), photometric="rgb", planarconfig="separate"),
            "its planes of colour are stored one after the other, and grey values are needed",
        ),
    ],
)
def test_what_would_be_misread_is_refused(tmp_path: Path, name: str, write: Write, clause: str) -> None:
    write(tmp_path / name)
    with pytest.raises(ImageFault) as caught:
        read_pages(tmp_path / name)
    assert str(caught.value) == clause


def test_an_upright_orientation_tag_changes_nothing(tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "a.tif", EIGHT, extratags=[(274, "H", 1, 1, True)])
    np.testing.assert_array_equal(read_pages(tmp_path / "a.tif")[0], EIGHT)


@pytest.mark.parametrize(("kind", "suffix"), [("TIFF", ".png"), ("PNG", ".tif"), ("TGA", ".png"), ("BMP", ".tga")])
def test_a_wrong_suffix_is_told_by_the_content(tmp_path: Path, kind: str, suffix: str) -> None:
    Image.fromarray(EIGHT).save(tmp_path / f"a{suffix}", format=kind)
    np.testing.assert_array_equal(read_pages(tmp_path / f"a{suffix}")[0], EIGHT)
