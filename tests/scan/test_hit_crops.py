"""Crops of hits are cut from their frames again, frame by frame, each where its hit lies."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from foils import load
from scan.errors import ScanError
from scan.hit_crops import frames_of, order_by_frame
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
