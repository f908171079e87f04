"""Subjects for Zooniverse: the manifest read by pandas, every crop that it names by Pillow."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas
import pytest
from PIL import Image

from scan.errors import ScanError
from scan.formats.zooniverse import write_zooniverse
from tests.support.formats import HITS, context


def test_every_hit_is_a_subject_with_an_image_for_each_light(tmp_path: Path) -> None:
    write_zooniverse(HITS, tmp_path, context())
    folder = tmp_path / "zooniverse"
    manifest = pandas.read_csv(folder / "manifest.csv")
    assert list(manifest.columns[:3]) == ["hit", "image_1", "image_2"]
    # What could lead a volunteer is hidden.
    assert all(column.startswith("#") for column in manifest.columns[3:])
    assert manifest["hit"].tolist() == ["a", "b", "c"]
    assert manifest["#p_signal"].tolist() == [0.9, 0.25, 0.75]
    files = [*manifest["image_1"], *manifest["image_2"]]
    assert sorted([*files, "manifest.csv"]) == sorted(path.name for path in folder.iterdir())
    for file in files:
        with Image.open(folder / file) as image:
            assert (image.size, image.mode) == ((56, 56), "L")
    with Image.open(folder / "a_1.png") as image:
        # The crop begins at column 100 - 28; each shows its column by the eighth.
        np.testing.assert_array_equal(np.asarray(image)[0], np.arange(72, 128) // 8)
    with Image.open(folder / "c_9.png") as image:
        # Over the frame's edge its first column goes on.
        np.testing.assert_array_equal(np.asarray(image)[0, :26], [100] * 26)


def test_sixteen_bits_are_brought_to_eight_and_shrunk_frames_to_56_pixels(tmp_path: Path) -> None:
    about = context()
    deep = replace(about, pixels=lambda frame: about.pixels(frame).astype(np.uint16) * 257, full_scale=65_535)
    write_zooniverse([HITS[0], replace(HITS[1], scale=2.0, x=300.0)], tmp_path, deep)
    with Image.open(tmp_path / "zooniverse" / "a_1.png") as image:
        np.testing.assert_array_equal(np.asarray(image)[0], np.arange(72, 128) // 8)
    with Image.open(tmp_path / "zooniverse" / "b_1.png") as image:
        assert image.size == (56, 56)
        assert np.asarray(image)[0, -1] == pytest.approx((300 + 55) // 8, abs=1)


def test_a_hit_without_its_frame_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ScanError, match="the frames of all hits, but got none of c1:2"):
        write_zooniverse(HITS, tmp_path, replace(context(), frames={}))
    assert not (tmp_path / "zooniverse" / "manifest.csv").exists()
