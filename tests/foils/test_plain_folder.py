"""A folder of nothing but images of pits: what their names tell."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image

from foils import DataError
from foils.description import Channel, Description
from foils.plain_folder import is_plain, load_plain

LIGHTS = (Channel("1", "rotating", 0.0), Channel("10", "halo"), Channel("_1", "backlit"))
IMAGES = Description("model", "candidate", "", 9, LIGHTS)
CROPS = np.random.default_rng(1).integers(0, 255, (2, 3, 9, 9)).astype(np.uint8)


def test_names_end_in_a_channel_the_longest_that_fits(tmp_path: Path) -> None:
    for pit, crop in zip(("a_b", "c"), CROPS, strict=True):
        for light, image in zip(LIGHTS, crop, strict=True):
            Image.fromarray(image).save(tmp_path / f"{pit}_{light.name}.png")
    data = load_plain(tmp_path, IMAGES)
    assert [pit.pit for pit in data.pits] == ["a_b", "c"]
    assert (data.description.name, data.notes) == (tmp_path.name, ())
    np.testing.assert_array_equal(data.crops(), CROPS)


def test_a_tiff_has_a_page_a_channel(tmp_path: Path) -> None:
    for pit, crop in zip(("a", "b"), CROPS, strict=True):
        tifffile.imwrite(tmp_path / f"{pit}.tif", crop, photometric="minisblack", metadata=None)
    data = load_plain(tmp_path, IMAGES)
    assert [pit.pit for pit in data.pits] == ["a", "b"]
    np.testing.assert_array_equal(data.crops(), CROPS)


def test_of_one_channel_the_name_is_the_pit(tmp_path: Path) -> None:
    for pit, crop in zip(("a", "b_2"), CROPS, strict=True):
        Image.fromarray(crop[0]).save(tmp_path / f"{pit}.png")
    data = load_plain(tmp_path, replace(IMAGES, channels=LIGHTS[:1]))
    assert [pit.pit for pit in data.pits] == ["a", "b_2"]


def test_names_that_are_no_pits_are_refused(tmp_path: Path) -> None:
    for light in LIGHTS:
        Image.fromarray(CROPS[0, 0]).save(tmp_path / f"{{pit}}_{light.name}.png")
    with pytest.raises(DataError, match=r"the name of a pit must be letters, digits, .*but got '\{pit\}'; rename its files\.$"):
        load_plain(tmp_path, IMAGES)


def test_a_data_set_is_no_plain_folder(tiny_folder: Path, tmp_path: Path) -> None:
    assert is_plain(tmp_path)
    assert not is_plain(tiny_folder)
    assert not is_plain(tmp_path / "nowhere")
