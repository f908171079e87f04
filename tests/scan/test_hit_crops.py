"""Crops of hits are cut from their frames again, frame by frame, each where its hit lies."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from foils import load
from foils.frames import cut_crops
from foils.resize import resized
from scan.errors import ScanError
from scan.hit_crops import cut_hits, frames_of, order_by_frame
from tests.support.hits import hit
from tests.support.tiny import write_dataset


@pytest.fixture
def frames(tmp_path: Path) -> Path:
    return write_dataset(tmp_path / "frames", frames=True, counts={"candidate": 12, "top": 12}, slides=3)


def test_crops_come_in_the_order_of_their_frames(frames: Path) -> None:
    data = load(frames)
    names = [light.name for light in data.description.channels]
    hits = [hit(n, slide=pit.slide, x=pit.x, y=pit.y) for n, pit in enumerate(data.pits)]
    ordered = order_by_frame(hits, frames, names)
    parts = list(ordered.crops(len(names), 12))
    assert [len(part) for part in parts] == [8, 8, 8]
    expected = data.crops()[[int(one.hit[1:]) for one in ordered.hits]]
    assert np.array_equal(np.concatenate(parts), expected)


def test_hits_of_other_frames_are_refused(frames: Path, tmp_path: Path) -> None:
    names = [light.name for light in load(frames).description.channels]
    with pytest.raises(ScanError, match="f1:9 of h0001 is not; give --frames"):
        order_by_frame([hit(0), hit(1, slide="9")], frames, names)
    with pytest.raises(ScanError, match="a hit must lie on its frame of 216 x 216, but got h0000 at"):
        list(order_by_frame([hit(0, x=400.0)], frames, names).crops(len(names), 56))
    for text, said in (
        ("", "JSON|Expecting|must be"),
        ("[]", "must be named there"),
        (json.dumps({"frames_folder": 3}), "must be a path"),
    ):
        (tmp_path / "scan.json").write_text(text)
        with pytest.raises(ScanError, match=said) as caught:
            frames_of(tmp_path / "hits.csv")
        assert "\n" not in str(caught.value)
    (tmp_path / "scan.json").write_text(json.dumps({"frames_folder": str(frames)}))
    assert frames_of(tmp_path / "hits.csv") == frames


def test_a_crop_is_of_the_size_at_which_its_hit_was_found() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (3, 90, 90), dtype=np.uint8)
    hits = [hit(0, x=40, y=40, scale=2.0), hit(1, x=30, y=50), hit(2, x=50, y=45, scale=2.0)]
    crops = cut_hits(pixels, hits, 10)
    assert crops.shape == (3, 3, 10, 10) and crops.dtype == np.uint8
    assert np.array_equal(crops[1], cut_crops(pixels, [(30, 50)], 10)[0])
    for number in (0, 2):
        window = cut_crops(pixels, [(hits[number].x, hits[number].y)], 20)
        assert np.array_equal(crops[number], resized(window, 10)[0])
