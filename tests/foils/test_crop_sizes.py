"""Crops of another size: resized or cut by a key of foil.toml, named in the fault without one, counted in stored pixels."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image

from foils import DataError, load
from foils.description import Description
from foils.resize import resized
from tests.support.tiny import SIZE, move_pits, write_dataset

FEW = {"candidate": 6, "top": 6}
LIGHTS = (("1", "rotating", 0.0), ("9", "backlit", None))


def add_key(folder: Path, text: str) -> None:
    path = folder / "foil.toml"
    path.write_text(f"{text}\n{path.read_text()}")


def set_crop(folder: Path, edge: int) -> None:
    path = folder / "foil.toml"
    path.write_text(path.read_text().replace(f"crop = {SIZE}", f"crop = {edge}"))


@pytest.fixture(params=[8, 16], ids=["8 bits", "16 bits"])
def folder(tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    return write_dataset(tmp_path / "data", counts=FEW, channels=LIGHTS, slides=2, bits=request.param)


def test_the_middle_of_larger_crops_is_kept(folder: Path) -> None:
    whole = load(folder)
    set_crop(folder, 8)
    add_key(folder, "cut_from = 12")
    data = load(folder)
    np.testing.assert_array_equal(data.crops(), whole.crops()[:, :, 2:10, 2:10])
    assert data.crops().dtype == whole.crops().dtype


def test_larger_crops_are_resized(folder: Path) -> None:
    whole = load(folder)
    set_crop(folder, 8)
    add_key(folder, "resize_from = 12")
    data = load(folder)
    np.testing.assert_array_equal(data.crops(), resized(whole.crops(), 8))
    assert data.crops().dtype == whole.crops().dtype
    assert data.crops().shape == (12, 2, 8, 8)


def test_crops_are_resized_after_they_were_cut_from_frames(tmp_path: Path) -> None:
    folder = write_dataset(tmp_path / "data", counts=FEW, channels=LIGHTS, slides=2, frames=True)
    whole = load(folder)
    set_crop(folder, 24)
    add_key(folder, f"resize_from = {SIZE}")
    np.testing.assert_array_equal(load(folder).crops(), resized(whole.crops(), 24))


def test_resizing_keeps_means_and_bounds_and_leaves_no_pattern_of_the_old_pixels() -> None:
    generator = np.random.default_rng(0)
    images = generator.integers(1000, 60000, (3, 2, 56, 56), dtype=np.uint16)
    small = resized(images, 28)
    assert small.shape == (3, 2, 28, 28)
    assert small.dtype == np.uint16
    assert images.min() <= small.min() <= small.max() <= images.max()
    np.testing.assert_allclose(small.mean((2, 3)), images.mean((2, 3)), rtol=0.01)
    stripes = np.zeros((56, 56), np.uint8)
    stripes[:, ::2] = 200
    inner = resized(stripes[None], 28)[0, :, 2:-2]
    assert np.ptp(inner.astype(int)) <= 20  # every second pixel of the stripes themselves is 0 or 200
    flat = np.full((1, 20, 20), 65535, np.uint16)
    np.testing.assert_array_equal(resized(flat, 28), np.full((1, 28, 28), 65535))


def test_each_image_is_resized_on_its_own() -> None:
    images = np.random.default_rng(0).integers(0, 256, (2, 3, 20, 20), dtype=np.uint8)
    one = resized(images[1:, 2:], 13)
    np.testing.assert_array_equal(one[0, 0], resized(images, 13)[1, 2])


@pytest.mark.parametrize(
    ("edge", "remedy"),
    [
        (
            16,
            "replace the file, or, if all are 16 x 16, add `resize_from = 16` or `cut_from = 16` (their middle is kept) to "
            "foil.toml",
        ),
        (15, "replace the file, or, if all are 15 x 15, add `resize_from = 15` to foil.toml"),
        (10, "replace the file, or, if all are 10 x 10, add `resize_from = 10` to foil.toml"),
        (5, "replace the file"),
    ],
)
def test_a_crop_of_another_size_names_the_keys(tmp_path: Path, edge: int, remedy: str) -> None:
    folder = write_dataset(tmp_path / "data", counts=FEW, channels=LIGHTS)
    for path in (folder / "crops").glob("p003_*.png"):
        Image.fromarray(np.resize(np.asarray(Image.open(path)), (edge, edge))).save(path)
    with pytest.raises(DataError) as caught:
        load(folder)
    assert caught.value.faults == (f"crops/p003_1.png ({edge} x {edge}): every image must be 12 x 12 pixels; {remedy}.",)


def test_a_stack_far_larger_than_its_crops_names_the_keys(tmp_path: Path) -> None:
    folder = write_dataset(tmp_path / "data", counts=FEW, suffix="tif", bits=16, paged=True)
    stack = np.random.default_rng(0).integers(0, 65536, (6, 600, 600), dtype=np.uint16)
    tifffile.imwrite(folder / "crops" / "p003.tif", stack, photometric="minisblack")
    with pytest.raises(DataError, match=r"^crops/p003\.tif \(600 x 600\): .* add `resize_from = 600` or `cut_from = 600` "):
        load(folder)


@pytest.mark.parametrize("key", ["resize_from", "cut_from"])
def test_a_crop_that_is_not_what_the_key_says_is_refused(folder: Path, key: str) -> None:
    add_key(folder, f"{key} = 40")
    with pytest.raises(DataError) as caught:
        load(folder)
    (fault,) = caught.value.faults
    assert fault.startswith(
        f"crops/p000_1.png (12 x 12): every image must be 40 x 40 pixels; replace the file, or correct `{key}` in foil.toml "
        "(12 such faults: crops/p000_1.png (12 x 12), crops/p001_1.png (12 x 12), "
    )


@pytest.mark.parametrize("key", ["resize_from = 12", "cut_from = 12"])
def test_the_fingerprint_and_the_hashes_of_pits_follow_the_key(folder: Path, key: str) -> None:
    before = load(folder)
    text = (folder / "foil.toml").read_text()
    set_crop(folder, 8)
    add_key(folder, key)
    after = load(folder)
    assert after.fingerprint != before.fingerprint
    assert set(after.pixel_hashes).isdisjoint(before.pixel_hashes)
    (folder / "foil.toml").write_text(text)
    assert load(folder).fingerprint == before.fingerprint


def in_frame(folder: Path) -> None:
    """Put two pits 14 pixels of the frame apart: nearer than crops of 24 such pixels are wide."""
    move_pits(folder, {"p000": (24, 24), "p002": (38, 24)})


def on_stage(folder: Path) -> None:
    """Put two pits of two slides 7 micrometres apart: 14 pixels of half a micrometre."""
    lines = (folder / "labels.csv").read_text().splitlines()
    places = [f"{100 * number},0" for number in range(len(lines) - 1)]
    places[1] = "7,0"
    rows = [f"{line},{place}" for line, place in zip(lines[1:], places, strict=True)]
    (folder / "labels.csv").write_text("\n".join([f"{lines[0]},stage_x_um,stage_y_um", *rows]) + "\n")
    add_key(folder, "pixel_um = 0.5")


@pytest.mark.parametrize("place", [in_frame, on_stage])
def test_crops_overlap_by_what_they_show(tmp_path: Path, place: Callable[[Path], None]) -> None:
    folder = write_dataset(tmp_path / "data", counts=FEW, channels=LIGHTS, slides=2, frames=True)
    noise = np.random.default_rng(0)
    for path in (folder / "frames").iterdir():  # of which no two crops look alike
        Image.fromarray(noise.integers(0, 256, (216, 216), dtype=np.uint8)).save(path)
    place(folder)
    assert len(set(load(folder).groups.tolist())) == 12
    add_key(folder, "resize_from = 24")
    assert len(set(load(folder).groups.tolist())) == 11


def test_no_key_leaves_the_description_as_it_was() -> None:
    description = Description("a", "b", "{pit}.png", 28, (), pixel_um=0.5)
    assert (description.window, description.stored_crop, description.crop_pixel_um) == (28, 28, 0.5)
    assert Description("a", "b", "{pit}.png", 28, ()).crop_pixel_um is None
