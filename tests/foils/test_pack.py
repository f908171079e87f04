"""Packing crops: any format, crops or frames, the same pixels; a cache that is reused, mended, and never half written."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

import numpy as np
import numpy.typing as npt
import pytest
import tifffile
from PIL import Image

import foils.crops
from foils import DataError, Dataset, load
from foils.image_files import open_file
from tests.support.tiny import CHANNELS, SIZE, draw_pits, move_pits, write_dataset

FEW = {"candidate": 6, "top": 6, "maybe": 2}
LIGHTS = (CHANNELS[0], CHANNELS[1], CHANNELS[4])


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache folder that is not there yet."""
    monkeypatch.setenv("PITSEARCH_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def write(folder: Path, *, suffix: str = "png", bits: int = 8, frames: bool = False, paged: bool = False) -> Path:
    return write_dataset(folder, counts=FEW, channels=LIGHTS, suffix=suffix, bits=bits, frames=frames, paged=paged, slides=2)


def drawn(data: Dataset, bits: int) -> npt.NDArray[np.uint8 | np.uint16]:
    """The pixels that `write` drew, in the order of the pits."""
    values = draw_pits([pit.label for pit in data.pits], LIGHTS, seed=0) * (2**bits - 1)
    stored: npt.NDArray[np.uint8 | np.uint16] = values.astype(np.uint8 if bits == 8 else np.uint16)
    return stored


@pytest.mark.parametrize("frames", [False, True], ids=["crops", "frames"])
@pytest.mark.parametrize(
    ("suffix", "bits", "paged"),
    [("png", 8, False), ("png", 16, False), ("tga", 8, False), ("tif", 8, False), ("tif", 16, False), ("tif", 16, True)],
)
def test_crops_and_frames_of_any_format_give_the_pixels_that_were_drawn(
    tmp_path: Path, suffix: str, bits: int, paged: bool, frames: bool
) -> None:
    data = load(write(tmp_path / "data", suffix=suffix, bits=bits, frames=frames, paged=paged))
    assert len(data) == sum(FEW.values())
    assert data.full_scale == 2**bits - 1
    assert data.crops().dtype == (np.uint8 if bits == 8 else np.uint16)
    np.testing.assert_array_equal(data.crops(), drawn(data, bits))


def test_pits_whose_crop_leaves_the_frame_are_left_out_and_named(tmp_path: Path) -> None:
    folder = write(tmp_path / "data", frames=True)
    whole = load(folder)
    edge = 18 * SIZE  # the tiny frames' width and height
    half = SIZE // 2
    move_pits(folder, {"p001": (half - 1, 100), "p005": (100, edge - half + 1), "p009": (0, edge - 1)})
    data = load(folder)
    assert [pit.pit for pit in data.pits] == [f"p{number:03}" for number in range(14) if number not in (1, 5, 9)]
    assert "3 pits left out: nearer to the border than half a crop (p001, p005, p009)" in data.notes
    np.testing.assert_array_equal(data.crops(), np.delete(whole.crops(), [1, 5, 9], axis=0))


def test_a_crop_that_just_fits_is_kept(tmp_path: Path) -> None:
    folder = write(tmp_path / "data", frames=True)
    edge = 18 * SIZE
    move_pits(folder, {"p001": (SIZE // 2, edge - SIZE // 2), "p005": (edge - SIZE // 2, SIZE // 2)})
    data = load(folder)
    assert len(data) == 14
    assert not [note for note in data.notes if "left out" in note]


def test_frames_with_every_pit_at_the_border_are_refused(tmp_path: Path) -> None:
    folder = write(tmp_path / "data", frames=True)
    move_pits(folder, {f"p{number:03}": (0, 0) for number in range(14)})
    with pytest.raises(DataError) as caught:
        load(folder)
    assert caught.value.faults == (
        "labels.csv: crops of 12 pixels must fit on the frames, but got all 14 pits nearer to a border; correct x and y "
        "(pixels, from the top-left corner), or `crop` in foil.toml.",
    )


def test_crops_are_cut_around_the_nearest_pixel(tmp_path: Path) -> None:
    folder = write(tmp_path / "data", frames=True)
    whole = load(folder)
    places = {pit.pit: (pit.x, pit.y) for pit in whole.pits if pit.x is not None and pit.y is not None}
    move_pits(folder, {pit: (x - 0.5, y + 0.49) for pit, (x, y) in places.items()})
    np.testing.assert_array_equal(load(folder).crops(), whole.crops())


def touch_pixel(folder: Path) -> None:
    path = folder / "crops" / "p003_9.png"
    values = np.asarray(Image.open(path)).copy()
    values[0, 0] ^= 1
    Image.fromarray(values).save(path)


def replace(name: str, old: str, new: str) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        text = (folder / name).read_text()
        assert old in text
        (folder / name).write_text(text.replace(old, new, 1))

    return change


def add_column(folder: Path) -> None:
    lines = (folder / "labels.csv").read_text().splitlines()
    (folder / "labels.csv").write_text("\n".join([lines[0] + ",by", *(f"{line},Ann" for line in lines[1:])]))


@pytest.mark.parametrize(
    ("change", "same"),
    [
        (touch_pixel, False),
        (replace("labels.csv", ",top,", ",misc,"), False),
        (replace("labels.csv", ",new", ",old"), False),
        (replace("foil.toml", "azimuth_deg = 90.0", "azimuth_deg = 80.0"), False),
        (replace("foil.toml", '[[channels]]\nname = "2"\nkind = "rotating"\nazimuth_deg = 90.0\n', ""), False),
        (replace("foil.toml", "crop =", "# a remark\ncrop ="), True),
        (replace("foil.toml", "crop = 12", "crop   =   12"), True),
        (add_column, True),
    ],
    ids=["pixel", "label", "style", "azimuth", "channel", "comment", "spaces", "column"],
)
def test_the_fingerprint_follows_the_content_alone(tmp_path: Path, change: Callable[[Path], None], same: bool) -> None:
    folder = write_dataset(tmp_path / "data", counts=FEW | {"misc": 5}, channels=LIGHTS)
    before = load(folder).fingerprint
    assert load(folder).fingerprint == before
    shutil.copytree(folder, tmp_path / "elsewhere")
    assert load(tmp_path / "elsewhere").fingerprint == before
    change(folder)
    assert (load(folder).fingerprint == before) is same


def test_the_packed_file_is_used_again(tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = write(tmp_path / "data")
    first = load(folder)
    assert [first.pixels_file] == list(cache.iterdir())

    def refuse(path: Path, most: int) -> None:
        raise AssertionError(f"{path} was read again")

    monkeypatch.setattr(foils.crops, "open_file", refuse)
    again = load(folder)
    assert again.pixels_file == first.pixels_file
    np.testing.assert_array_equal(again.crops(), first.crops())


def test_frames_that_are_packed_are_never_decoded_again(tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = write(tmp_path / "data", frames=True)
    move_pits(folder, {"p001": (0, 0)})
    decoded: list[Path] = []

    def counting(path: Path, most: int) -> BinaryIO:
        decoded.append(path)
        return open_file(path, most)

    monkeypatch.setattr(foils.crops, "open_file", counting)
    first = load(folder)
    assert set(decoded) == set((folder / "frames").iterdir())
    decoded.clear()
    again = load(folder)
    assert not decoded
    assert (again.pits, again.notes, again.fingerprint) == (first.pits, first.notes, first.fingerprint)
    np.testing.assert_array_equal(again.crops(), first.crops())
    # What is packed holds for this content alone.
    frame = next((folder / "frames").iterdir())
    values = np.asarray(Image.open(frame)).copy()
    values[0, 0] ^= 1
    Image.fromarray(values).save(frame)
    assert load(folder).fingerprint != first.fingerprint
    assert set(decoded) == set((folder / "frames").iterdir())


@pytest.mark.parametrize("damage", ["missing", "empty", "no flags", "of other pits", "another count"])
def test_frames_whose_list_of_packed_pits_is_damaged_are_packed_again(tmp_path: Path, cache: Path, damage: str) -> None:
    folder = write(tmp_path / "data", frames=True)
    move_pits(folder, {"p001": (0, 0)})
    first = load(folder)
    (beside,) = set(cache.iterdir()) - {first.pixels_file}
    good = beside.read_bytes()
    flags = {"no flags": np.ones(14), "of other pits": np.ones(13, bool), "another count": np.ones(14, bool)}
    beside.unlink()
    if damage in flags:
        np.save(beside, flags[damage])
    elif damage == "empty":
        beside.touch()
    again = load(folder)
    assert again.pits == first.pits
    np.testing.assert_array_equal(again.crops(), first.crops())
    assert beside.read_bytes() == good


@pytest.mark.parametrize("damage", ["empty", "cut short", "no array", "another shape"])
def test_a_damaged_packed_file_is_packed_again(tmp_path: Path, cache: Path, damage: str) -> None:
    folder = write(tmp_path / "data")
    path = load(folder).pixels_file
    good = path.read_bytes()
    path.unlink()
    if damage == "another shape":
        np.save(path, np.zeros((3, 3, SIZE, SIZE), np.uint8))
    else:
        path.write_bytes({"empty": b"", "cut short": good[:-1], "no array": b"nothing" * 9}[damage])
    data = load(folder)
    np.testing.assert_array_equal(data.crops(), drawn(data, 8))
    assert path.read_bytes() == good
    assert list(cache.iterdir()) == [path]


@pytest.mark.parametrize("below", ["", "deep/er"], ids=["a file in its place", "a file above it"])
def test_a_cache_folder_that_cannot_be_written_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, below: str) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("PITSEARCH_CACHE", str(tmp_path / "file" / below))
    with pytest.raises(DataError) as caught:
        load(write(tmp_path / "data"))
    reason = "Not a directory" if below else "File exists"
    assert caught.value.faults == (
        f"{tmp_path / 'file' / below}: the cache folder must be writable, but: {reason}; free space there, or set "
        "PITSEARCH_CACHE to another folder.",
    )


def test_a_refused_data_set_leaves_nothing_in_the_cache(tmp_path: Path, cache: Path) -> None:
    folder = write(tmp_path / "data")
    replace("labels.csv", ",top,", ",tpo,")(folder)
    with pytest.raises(DataError, match="tpo"):
        load(folder)
    assert not cache.exists()


def test_a_fault_of_many_files_is_one_line(tmp_path: Path) -> None:
    folder = write(tmp_path / "data")
    for path in sorted((folder / "crops").glob("*_1.png"))[1:]:
        path.unlink()
    with pytest.raises(DataError) as caught:
        load(folder)
    assert caught.value.faults == (
        "crops/p001_1.png: every image must be readable, but the file is missing; replace the file (13 such faults: "
        "crops/p001_1.png, crops/p002_1.png, crops/p003_1.png, crops/p004_1.png, crops/p005_1.png, ...).",
    )


@pytest.mark.parametrize(("pages", "found"), [(LIGHTS[:2], "2"), ((*LIGHTS, LIGHTS[0]), "4")], ids=["too few", "too many"])
def test_a_file_of_pages_holds_one_page_a_channel(
    tmp_path: Path, pages: tuple[tuple[str, str, float | None], ...], found: str
) -> None:
    folder = write(tmp_path / "data", suffix="tif", paged=True)
    tifffile.imwrite(folder / "crops" / "p004.tif", np.zeros((len(pages), SIZE, SIZE), np.uint8), photometric="minisblack")
    with pytest.raises(DataError) as caught:
        load(folder)
    assert caught.value.faults == (
        f"crops/p004.tif ({found}): a file must have 3 pages (the channels it stands for); replace the file.",
    )
