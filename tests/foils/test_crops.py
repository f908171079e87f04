"""Reading crops: what one file may stand for, pits beside their frames, images that are not alike, files that change."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import BinaryIO

import numpy as np
import pytest
import tifffile
from PIL import Image

import foils.crops
from foils import DataError, load
from foils.image_files import open_file
from foils.open_image import Box, Grey, OpenImage
from tests.support.tiny import CHANNELS, SIZE, move_pits, write_dataset

FEW = {"candidate": 6, "top": 6, "maybe": 2}
LIGHTS = (CHANNELS[0], CHANNELS[1], CHANNELS[4])


def write(folder: Path, *, suffix: str = "png", bits: int = 8, frames: bool = False, paged: bool = False) -> Path:
    return write_dataset(folder, counts=FEW, channels=LIGHTS, suffix=suffix, bits=bits, frames=frames, paged=paged, slides=2)


def faults(folder: Path) -> tuple[str, ...]:
    with pytest.raises(DataError) as caught:
        load(folder)
    return caught.value.faults


def edit(path: Path, change: Callable[[str], str]) -> None:
    text = path.read_text()
    assert change(text) != text
    path.write_text(change(text))


def test_one_file_that_stands_for_two_pits_is_refused(tmp_path: Path) -> None:
    folder = write(tmp_path / "data")
    edit(folder / "foil.toml", lambda text: text.replace("crops/{pit}_", "crops/{foil}{pit}_"))
    for path in (folder / "crops").iterdir():
        path.rename(path.with_name(f"f1{path.name}"))
    with (folder / "labels.csv").open("a") as stream:
        stream.write("1p000,top,f,1,900,900,new\n")  # foil f, pit 1p000: the file of foil f1, pit p000
    assert faults(folder)[0] == (
        "foil.toml: a file must stand for one pit under one light, but got crops/f1p000_1.png for pit 'p000', foil 'f1', slide "
        "'1', channel '1' and for pit '1p000', foil 'f', slide '1', channel '1'; make `pattern` "
        "'crops/{foil}{pit}_{channel}.png' tell them apart."
    )


def test_a_frame_that_stands_for_two_foils_is_refused(tmp_path: Path) -> None:
    folder = write(tmp_path / "data", frames=True, suffix="tif", paged=True)
    edit(folder / "foil.toml", lambda text: text.replace("frames/{foil}_s{slide}", "frames/s{slide}"))
    for path in (folder / "frames").iterdir():
        path.rename(path.with_name(path.name.removeprefix("f1_")))
    with (folder / "labels.csv").open("a") as stream:
        stream.write("q,top,g7,2,30,30,new\n")
    assert faults(folder) == (
        "foil.toml: a file must stand for one slide under one light, but got frames/s2.tif for foil 'f1', slide '2' and for "
        "foil 'g7', slide '2'; make `pattern` 'frames/s{slide}.tif' tell them apart.",
    )


def test_a_file_that_stands_for_two_channels_is_refused(tmp_path: Path) -> None:
    folder = write_dataset(tmp_path / "data", counts=FEW, channels=(CHANNELS[0], ("11", "halo", None)))
    edit(folder / "foil.toml", lambda text: text.replace("{pit}_{channel}", "{pit}{channel}"))
    edit(folder / "labels.csv", lambda text: text.replace("p000,", "p,").replace("p002,", "p1,"))
    found = [fault for fault in faults(folder) if "must stand for one pit" in fault]
    assert found == [
        "foil.toml: a file must stand for one pit under one light, but got crops/p11.png for pit 'p', foil 'f1', slide '1', "
        "channel '11' and for pit 'p1', foil 'f1', slide '3', channel '1'; make `pattern` 'crops/{pit}{channel}.png' tell "
        "them apart."
    ]


def test_two_slides_with_the_same_frames_are_refused(tmp_path: Path) -> None:
    folder = write(tmp_path / "data", frames=True, suffix="tif", paged=True)
    shutil.copy(folder / "frames" / "f1_s1.tif", folder / "frames" / "f1_s2.tif")
    (fault,) = faults(folder)
    assert "the frames of two slides must differ" in fault
    assert "frames/f1_s1.tif" in fault
    assert "frames/f1_s2.tif" in fault


def test_pits_beside_their_frame_are_refused(tmp_path: Path) -> None:
    folder = write(tmp_path / "data", frames=True)
    move_pits(folder, {"p001": (5000, 20), "p009": (-40, 9e9), "p010": (0, 20)})
    assert faults(folder) == (
        "labels.csv: pits must lie on their frames, but got 2 outside: p001 (5000, 20) of 216 x 216, p009 (-40, 9e+09) of 216 "
        "x 216; correct x and y (pixels, from the top-left corner, x to the right).",
    )


@pytest.mark.parametrize("swapped", [True, False])
def test_x_and_y_that_look_swapped_are_named(tmp_path: Path, swapped: bool) -> None:
    folder = write(tmp_path / "data", frames=True)
    for path in (folder / "frames").iterdir():
        values = np.asarray(Image.open(path))
        Image.fromarray(np.hstack([values, values])).save(path)  # twice as wide as high
    if swapped:
        move_pits(folder, {"p003": (20, 300), "p004": (20, 400)})
        places = "2 outside: p004 (20, 400) of 432 x 216, p003 (20, 300) of 432 x 216"
        remedy = "x and y look swapped (exchanged, they put every pit on its frame): exchange the names of the two columns"
    else:
        move_pits(folder, {"p004": (20, 900)})
        places = "1 outside: p004 (20, 900) of 432 x 216"
        remedy = "correct x and y (pixels, from the top-left corner, x to the right)"
    assert faults(folder) == (f"labels.csv: pits must lie on their frames, but got {places}; {remedy}.",)


def test_a_file_written_between_its_hash_and_its_reading_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = write(tmp_path / "data")
    touched = folder / "crops" / "p003_9.png"

    def written_meanwhile(path: Path, most: int) -> BinaryIO:
        if path == touched:
            values = np.asarray(Image.open(path)).copy()
            values[0, 0] ^= 1
            Image.fromarray(values).save(path)
        return open_file(path, most)

    monkeypatch.setenv("PITSEARCH_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(foils.crops, "open_file", written_meanwhile)
    assert faults(folder) == (
        "crops/p003_9.png: every image must be readable, but the file was written while the data set was read; replace the "
        "file.",
    )
    assert not (tmp_path / "cache").exists()


def save_tiff(path: Path, photometric: str) -> None:
    tifffile.imwrite(path, tifffile.imread(path), photometric=photometric)


def test_images_that_differ_in_what_is_white_are_refused(tmp_path: Path) -> None:
    folder = write(tmp_path / "data", suffix="tif")
    save_tiff(folder / "crops" / "p003_2.tif", "miniswhite")
    assert faults(folder) == (
        "crops/p003_2.tif: every image must call the same value white, and the first calls 0 black (photometric tag); replace "
        "the file.",
    )


def test_images_that_all_call_zero_white_are_used_as_stored_and_remarked_on(tmp_path: Path) -> None:
    folder = write(tmp_path / "data", suffix="tif")
    plain = load(folder)
    for path in (folder / "crops").iterdir():
        save_tiff(path, "miniswhite")
    data = load(folder)
    np.testing.assert_array_equal(data.crops(), plain.crops())
    note = "the TIFF files declare that 0 is white (WhiteIsZero), as ImageJ does for display; values are used as stored"
    assert set(data.notes) - set(plain.notes) == {note}
    assert load(folder).notes == data.notes  # packed before


def test_planes_behind_one_header_are_the_channels(tmp_path: Path) -> None:
    folder = write(tmp_path / "data", suffix="tif", paged=True)
    plain = load(folder)
    for path in (folder / "crops").iterdir():
        tifffile.imwrite(path, tifffile.imread(path), photometric="minisblack", truncate=True)
    np.testing.assert_array_equal(load(folder).crops(), plain.crops())


def test_a_wrong_suffix_does_no_harm(tmp_path: Path) -> None:
    folder = write(tmp_path / "data")
    plain = load(folder)
    for path in (folder / "crops").glob("*_1.png"):
        tifffile.imwrite(path, np.asarray(Image.open(path)))
    np.testing.assert_array_equal(load(folder).crops(), plain.crops())


def test_a_pipe_in_place_of_a_crop_is_refused(tmp_path: Path) -> None:
    folder = write(tmp_path / "data")
    (folder / "crops" / "p003_2.png").unlink()
    os.mkfifo(folder / "crops" / "p003_2.png")
    assert faults(folder) == (
        "crops/p003_2.png: every image must be readable, but it is a pipe or a device, and a regular file is needed; replace "
        "the file.",
    )


def test_a_crop_of_another_size_is_not_decoded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = write(tmp_path / "data")
    for name in ("1", "2", "9"):
        Image.fromarray(np.zeros((4000, 4000), np.uint8)).save(folder / "crops" / f"p003_{name}.png")
    decoded: list[int] = []
    parts = OpenImage.parts

    def counting(image: OpenImage, boxes: Sequence[Box]) -> list[Grey]:
        decoded.append(image.width)
        return parts(image, boxes)

    monkeypatch.setattr(OpenImage, "parts", counting)
    assert faults(folder) == ("crops/p003_1.png (4000 x 4000): every image must be 12 x 12 pixels; replace the file.",)
    assert set(decoded) == {SIZE}


def test_a_file_far_larger_than_a_crop_is_not_read(tmp_path: Path) -> None:
    folder = write(tmp_path / "data")
    with (folder / "crops" / "p003_2.png").open("r+b") as stream:
        stream.truncate(10**10)
    (fault,) = faults(folder)
    assert fault.startswith("crops/p003_2.png: every image must be readable, but it has 10000000000 bytes, and at most ")


def test_the_bits_of_a_camera_are_its_full_scale(tmp_path: Path) -> None:
    folder = write(tmp_path / "data", bits=16)
    plain = load(folder)
    for path in (folder / "crops").iterdir():
        Image.fromarray(np.asarray(Image.open(path)) >> 4).save(path)
    data = load(folder)
    assert data.full_scale == 65535
    assert set(data.notes) - set(plain.notes) == {
        "16-bit files hold only values up to 4095 (12 bits); `bits = 12` in foil.toml makes that the full scale of noise "
        "and of unscaled values"
    }
    edit(folder / "foil.toml", lambda text: text.replace("crop = ", "bits = 12\ncrop = "))
    assert (load(folder).full_scale, load(folder).notes) == (4095, plain.notes)
    edit(folder / "foil.toml", lambda text: text.replace("bits = 12", "bits = 10"))
    (fault,) = faults(folder)
    assert "more than `bits = 10` in foil.toml allows; replace the file (42 such faults" in fault
