"""Large files are read where they lie, not into memory, and what was written since it was hashed is refused."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from io import BytesIO
from pathlib import Path
from typing import BinaryIO

import numpy as np
import pytest

import foils.crops
import foils.image_files
from foils import DataError, load
from foils.image_faults import ImageFault
from foils.image_files import check_unchanged, hash_file, open_file
from foils.open_image import Box, Grey, OpenImage
from tests.support.tiny import write_dataset

FEW = {"candidate": 6, "top": 6}
WRITTEN = "the file was written while the data set was read"


@pytest.fixture
def large_files(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every file count as too large for memory."""
    monkeypatch.setattr(foils.image_files, "IN_MEMORY", 0)


@pytest.mark.parametrize(
    ("suffix", "bits", "paged"),
    [("png", 16, False), ("tga", 8, False), ("bmp", 8, False), ("tif", 8, False), ("tif", 16, True)],
)
def test_frames_that_are_not_read_into_memory_give_the_same_pixels(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, suffix: str, bits: int, paged: bool
) -> None:
    folder = write_dataset(tmp_path / "data", counts=FEW, suffix=suffix, bits=bits, frames=True, paged=paged)
    monkeypatch.setenv("PITSEARCH_CACHE", str(tmp_path / "one"))
    in_memory = load(folder)
    monkeypatch.setenv("PITSEARCH_CACHE", str(tmp_path / "other"))
    monkeypatch.setattr(foils.image_files, "IN_MEMORY", 0)
    on_disk = load(folder)
    assert on_disk.fingerprint == in_memory.fingerprint
    np.testing.assert_array_equal(on_disk.crops(), in_memory.crops())


def longer(path: Path) -> None:
    path.write_bytes(path.read_bytes() + b"0")


def replaced(path: Path) -> None:
    path.with_suffix(".new").write_bytes(path.read_bytes())
    path.with_suffix(".new").replace(path)


@pytest.mark.usefixtures("large_files")
@pytest.mark.parametrize("change", [longer, replaced])
def test_a_large_file_is_known_again_by_its_state(tmp_path: Path, change: Callable[[Path], None]) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"content")
    hashed = hash_file(path, 100)
    with open_file(path, 100) as stream:
        assert not isinstance(stream, BytesIO)
        check_unchanged(stream, hashed)
    change(path)
    with open_file(path, 100) as stream, pytest.raises(ImageFault, match=f"^{WRITTEN}$"):
        check_unchanged(stream, hashed)


def test_a_small_file_is_known_again_by_its_bytes(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"content")
    hashed = hash_file(tmp_path / "a", 100)
    replaced(tmp_path / "a")
    with open_file(tmp_path / "a", 100) as stream:
        assert isinstance(stream, BytesIO)
        check_unchanged(stream, hashed)
        with pytest.raises(ImageFault, match=f"^{WRITTEN}$"):
            check_unchanged(BytesIO(b"contend"), hashed)


def test_what_is_no_regular_file_or_too_large_is_not_hashed(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"content")
    assert hash_file(tmp_path / "a", 6) is None
    assert hash_file(tmp_path / "none", 6) is None
    assert hash_file(tmp_path, 6) is None


@pytest.mark.usefixtures("large_files")
def test_a_frame_written_while_it_is_decoded_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = write_dataset(tmp_path / "data", counts=FEW, frames=True, suffix="tif", paged=True, slides=2)
    monkeypatch.setenv("PITSEARCH_CACHE", str(tmp_path / "cache"))
    parts = OpenImage.parts

    def written_meanwhile(image: OpenImage, boxes: Sequence[Box]) -> list[Grey]:
        with (folder / "frames" / "f1_s2.tif").open("r+b") as stream:
            stream.seek(-1, 2)
            stream.write(b"0")
        return parts(image, boxes)

    monkeypatch.setattr(OpenImage, "parts", written_meanwhile)
    with pytest.raises(DataError) as caught:
        load(folder)
    assert caught.value.faults == (f"frames/f1_s2.tif: every image must be readable, but {WRITTEN}; replace the file.",)
    assert not (tmp_path / "cache").exists()


@pytest.mark.usefixtures("large_files")
def test_files_are_closed_after_each_slide(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = write_dataset(tmp_path / "data", counts=FEW, frames=True, slides=3)
    streams: list[BinaryIO] = []

    def counting(path: Path, most: int) -> BinaryIO:
        stream = open_file(path, most)
        assert sum(not other.closed for other in streams) < 6  # lights
        streams.append(stream)
        return stream

    monkeypatch.setattr(foils.crops, "open_file", counting)
    load(folder)
    assert len(streams) == 18
    assert all(stream.closed for stream in streams)
