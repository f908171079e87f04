"""Lists of hits of two faces: which hits count, in which coordinates, and what is written."""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from scan.errors import ScanError
from scan.faces import COLUMNS, line_up, write_pairs
from scan.place_list import Places


def face(seed: int, *, mirrored: bool) -> Places:
    """Give a face with 30 hits that both have and 5 of its own; the last ten of all are not accepted."""
    both = np.random.default_rng(0).uniform(0, 5000, (30, 2))
    random = np.random.default_rng(seed)
    points = np.concatenate([random.uniform(0, 5000, (5, 2)), both + random.normal(0, 1, both.shape)])
    if mirrored:
        points[:, 0] = 5000 - points[:, 0]
    count = len(points)
    names = tuple(f"{seed}-{number}" for number in range(count))
    scores = np.linspace(1, 0, count).round(3)
    return Places(Path(f"{seed}.csv"), names, points, foils=("c1",) * count, scores=scores, accepted=np.arange(count) < 25)


def test_accepted_hits_that_lie_on_both_faces_are_written(tmp_path: Path) -> None:
    pairs = line_up(face(1, mirrored=False), face(2, mirrored=True))
    assert pairs.not_accepted == 20
    write_pairs(pairs, tmp_path / "pairs.csv")
    with (tmp_path / "pairs.csv").open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert tuple(rows[0]) == COLUMNS
    assert [(row["front"], row["back"]) for row in rows] == [(f"1-{number}", f"2-{number}") for number in range(5, 25)]
    assert all(abs(float(row[axis])) < 6 for row in rows for axis in ("residual_x", "residual_y"))
    assert float(rows[0]["p_front"]) == pytest.approx(1 - 5 / 34, abs=1e-3)
    front, back = face(1, mirrored=False).on_foil, face(2, mirrored=True).on_foil
    assert front is not None and back is not None
    assert (float(rows[0]["x_front"]), float(rows[0]["y_back"])) == pytest.approx((front[5, 0], back[5, 1]), abs=0.01)


def test_all_hits_count_where_that_is_asked_for() -> None:
    pairs = line_up(face(1, mirrored=False), face(2, mirrored=True), all_hits=True)
    assert len(pairs.alignment.pairs) == 30
    assert pairs.not_accepted == 0


def test_lists_without_scores_have_none_in_the_file(tmp_path: Path) -> None:
    one, other = (replace(face(seed, mirrored=seed == 2), scores=None, accepted=None) for seed in (1, 2))
    write_pairs(line_up(one, other), tmp_path / "pairs.csv")
    assert (tmp_path / "pairs.csv").read_text().splitlines()[1].endswith(",,")


def test_a_single_frame_needs_no_places_on_the_foil() -> None:
    one, other = (face(seed, mirrored=seed == 2) for seed in (1, 2))
    one, other = (replace(each, on_foil=None, on_frames=each.on_foil, slides=("1",) * len(each)) for each in (one, other))
    assert len(line_up(one, other).alignment.pairs) == 20
    two_frames = replace(one, slides=("1",) * 10 + ("2",) * (len(one) - 10))
    with pytest.raises(ScanError, match="hits on 2 frames must have places on the foil"):
        line_up(two_frames, other)


def test_what_is_no_face_is_refused(tmp_path: Path) -> None:
    one, other = (face(seed, mirrored=seed == 2) for seed in (1, 2))
    with pytest.raises(ScanError, match="a face must be one foil, but got c1, c2"):
        line_up(replace(one, foils=("c2", *("c1",) * (len(one) - 1))), other)
    with pytest.raises(ScanError, match="a face must have places"):
        line_up(replace(one, on_foil=None), other)
    with pytest.raises(ScanError, match="the pairs must be writable"):
        write_pairs(line_up(one, other), tmp_path / "none" / "pairs.csv")
