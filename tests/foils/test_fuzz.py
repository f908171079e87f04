"""Whatever stands in foil.toml, labels.csv, suspects.csv or an image, only our own errors come of it."""

from __future__ import annotations

import io
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
import tifffile
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from foils import DataError
from foils.description import Description, read_description
from foils.image_faults import ImageFault
from foils.images import open_image, read_pages
from foils.labels import read_labels
from foils.open_image import Box, Grey
from foils.relabel import relabel
from tests.support.fuzzing import LENGTHS, bounded, edited_bytes, edited_text
from tests.support.tiny import CHANNELS, write_dataset

EXAMPLES = {"few": 60, "many": 1200}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_dataset(
        tmp_path_factory.mktemp("fuzz") / "data", counts={"candidate": 6, "bottom": 8, "maybe": 2}, channels=CHANNELS[:1]
    )


def assert_lines(faults: list[str]) -> None:
    """Check that faults are one line each, and short enough to be read."""
    assert not any("\n" in fault or "\r" in fault or len(fault) > 5000 for fault in faults), faults


@pytest.mark.parametrize("length", LENGTHS)
def test_foil_toml(folder: Path, length: str) -> None:
    @bounded(EXAMPLES[length])
    @given(edited_text((folder / "foil.toml").read_text()))
    def check(text: str) -> None:
        with TemporaryDirectory() as place:
            (Path(place) / "foil.toml").write_bytes(text.encode("utf-8", "surrogatepass"))
            faults: list[str] = []
            assert (read_description(Path(place), faults) is None) == bool(faults)
            assert_lines(faults)

    check()


@pytest.mark.parametrize("length", LENGTHS)
def test_labels_csv(folder: Path, length: str) -> None:
    description = read_description(folder, [])
    assert isinstance(description, Description)
    text = (folder / "labels.csv").read_text()

    @bounded(EXAMPLES[length])
    @given(edited_text(text[:400]), st.booleans())
    def check(start: str, labelled: bool) -> None:
        with TemporaryDirectory() as place:
            (Path(place) / "labels.csv").write_bytes((start + text[400:]).encode("utf-8", "surrogatepass"))
            faults: list[str] = []
            try:
                read_labels(Path(place), description, faults, labelled=labelled)
            except DataError as error:
                faults.extend(error.faults)
            assert_lines(faults)

    check()


@pytest.mark.parametrize("length", LENGTHS)
def test_suspects_csv(folder: Path, length: str) -> None:
    labels = (folder / "labels.csv").read_bytes()
    pits = [line.split(",")[:2] for line in labels.decode().splitlines()[1:6]]
    text = "pit,label,suggested,sure,repeats,reason,corrected\n" + "".join(f"{p},{of},x,0.9,5 of 5,r,maybe\n" for p, of in pits)

    @bounded(EXAMPLES[length])
    @given(edited_text(text))
    def check(suspects: str) -> None:
        with TemporaryDirectory() as place:
            for name in ("foil.toml", "labels.csv"):
                (Path(place) / name).write_bytes((folder / name).read_bytes())
            (Path(place) / "suspects.csv").write_bytes(suspects.encode("utf-8", "surrogatepass"))
            try:
                relabel(place, Path(place) / "suspects.csv")
            except DataError as error:
                assert_lines(list(error.faults))
                assert (Path(place) / "labels.csv").read_bytes() == labels

    check()


def image_bytes(kind: str) -> bytes:
    """Write a small image of a kind."""
    stream = io.BytesIO()
    values = np.arange(144, dtype=np.uint8).reshape(12, 12)
    if kind == "tif":
        tifffile.imwrite(stream, np.stack([values, values]), photometric="minisblack", compression="zlib")
    elif kind == "tiles":
        tifffile.imwrite(stream, values.astype(np.uint16), photometric="minisblack", tile=(16, 16), compression="lzw")
    elif kind == "strips":
        tifffile.imwrite(stream, values, photometric="minisblack", rowsperstrip=5)
    else:
        Image.fromarray(values).save(stream, {"png": "PNG", "tga": "TGA", "bmp": "BMP", "jpg": "JPEG"}[kind])
    return stream.getvalue()


def half(pages: Grey) -> tuple[int, int]:
    """Give the width and height of a part that holds the middle."""
    return pages.shape[2] // 2 + 1, pages.shape[1] // 2 + 1


@pytest.mark.parametrize("length", LENGTHS)
@pytest.mark.parametrize("kind", ["png", "tga", "tif", "tiles", "strips", "bmp", "jpg"])
def test_images(kind: str, length: str) -> None:
    @bounded(EXAMPLES[length])
    @given(edited_bytes(image_bytes(kind)))
    def check(content: bytes) -> None:
        with TemporaryDirectory() as place:
            path = Path(place) / f"a.{kind}"
            path.write_bytes(content)
            try:
                pages = read_pages(path)
                (part,) = open_image(io.BytesIO(content), path.suffix).parts([Box(0, 0, *half(pages))])
            except ImageFault as fault:
                assert len(str(fault)) < 500
            else:
                assert pages.ndim == 3
                assert pages.dtype in (np.uint8, np.uint16)
                np.testing.assert_array_equal(part, pages[:, : part.shape[1], : part.shape[2]])

    check()
