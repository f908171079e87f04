"""Frames in a folder: found by their names, whatever they end in; what is wrong with one does not hide the others."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image

from foils.errors import DataError
from foils.frames import cut_crops, find_frames, is_within, list_frames, read_frame
from tests.support.tiny import write_dataset

GREY = np.arange(48, dtype=np.uint8).reshape(6, 8)


def save(folder: Path, *names: str, pixels: np.ndarray = GREY) -> None:
    """Write images."""
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels).save(path)


def test_frames_are_found_in_the_order_of_their_numbers_at_any_depth(tmp_path: Path) -> None:
    save(tmp_path, *(f"{place}c1_s{slide}_{light}.png" for slide, place in ((10, ""), (2, "deep/"), (1, "")) for light in "12"))
    save(tmp_path, "c1_s1_3.png", "notes.png", "a/b_c_s7_1.tif", "a/b_c_s7_2.TGA")
    frames = find_frames(tmp_path, ["1", "2"])
    assert [frame.name for frame in frames] == ["b_c:7", "c1:1", "c1:2", "c1:10"]
    assert [path.name for path in frames[0].files] == ["b_c_s7_1.tif", "b_c_s7_2.TGA"]
    assert read_frame(frames[1], 2).tolist() == [GREY.tolist()] * 2


def test_a_data_set_of_frames_is_read_by_its_pattern(tmp_path: Path) -> None:
    data = write_dataset(tmp_path / "data", frames=True)
    assert [frame.name for frame in find_frames(data, ["1", "2"])] == ["f1:1", "f1:2", "f1:3", "f1:4"]
    paged = write_dataset(tmp_path / "paged", frames=True, paged=True, suffix="tif")
    assert len(read_frame(find_frames(paged, ["1", "2"])[0], 6)) == 6
    crops = write_dataset(tmp_path / "crops")
    with pytest.raises(DataError, match="score its pits with `pitsearch predict`"):
        find_frames(crops, ["1"])


def test_a_frame_without_a_light_or_with_two_is_a_fault_of_its_own(tmp_path: Path) -> None:
    save(tmp_path, "c_s1_1.png", "c_s1_2.png", "c_s2_1.png", "c_s3_1.png", "c_s3_2.png", "again/c_s3_2.png")
    frames, faults = list_frames(tmp_path, ["1", "2"])
    assert [frame.name for frame in frames] == ["c:1"]
    assert "a light of a frame must be one file, but got c_s3_2.png too" in faults[0]
    assert "but got c:2 without 2; add the files." in faults[1]
    with pytest.raises(DataError) as caught:
        find_frames(tmp_path, ["1", "2"])
    assert len(caught.value.faults) == 2


def test_a_folder_without_frames_and_no_folder_are_refused_on_one_line(tmp_path: Path) -> None:
    for folder in (tmp_path, tmp_path / "missing"):
        with pytest.raises(DataError) as caught:
            find_frames(folder, ["1"])
        assert len(str(caught.value).splitlines()) == 1


def test_lights_that_differ_and_damaged_files_are_refused(tmp_path: Path) -> None:
    save(tmp_path, "c_s1_1.png")
    save(tmp_path, "c_s1_2.png", pixels=GREY[:5])
    with pytest.raises(DataError, match=r"must agree in size and bit depth \(8 x 6 uint8\), but got 8 x 5 uint8"):
        read_frame(find_frames(tmp_path, ["1", "2"])[0], 2)
    (tmp_path / "c_s1_2.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    with pytest.raises(DataError, match="every image must be readable"):
        read_frame(find_frames(tmp_path, ["1", "2"])[0], 2)
    tifffile.imwrite(tmp_path / "c_s1_1.tif", np.stack([GREY, GREY]), photometric="minisblack")


def test_crops_are_cut_as_the_reading_of_data_cuts_them(tmp_path: Path) -> None:
    from foils import load

    data = load(write_dataset(tmp_path / "data", frames=True))
    frames = {frame.slide: frame for frame in find_frames(data.folder, [c.name for c in data.description.channels])}
    for pit, crop in zip(data.pits[:10], data.crops()[:10], strict=True):
        pixels = read_frame(frames[pit.slide], len(crop))
        assert pit.x is not None and pit.y is not None
        assert is_within(pit.x, pit.y, data.description.crop, *pixels.shape[1:])
        np.testing.assert_array_equal(cut_crops(pixels, [(pit.x, pit.y)], data.description.crop)[0], crop)


def test_beyond_a_frame_its_edge_is_repeated() -> None:
    crop = cut_crops(GREY[None], [(0, 0)], 4)[0, 0]
    assert crop[:3, :3].tolist() == [[0] * 3] * 3
    assert not is_within(0, 0, 4, 6, 8)
