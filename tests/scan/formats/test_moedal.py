"""MoEDAL's lists of JSON, read as their own code reads them."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from scan.errors import ScanError
from scan.formats.moedal import write_global, write_local
from scan.hit_lists import read_places
from tests.support.formats import HITS, context


def test_accepted_hits_are_listed_on_frames_in_whole_pixels(tmp_path: Path) -> None:
    write_local(HITS, tmp_path, context())
    assert json.loads((tmp_path / "moedal" / "c1_local.json").read_text()) == [[2, 100, 50], [10, 3, 4]]
    write_local([replace(HITS[0], slide="s2")], tmp_path, context())
    assert json.loads((tmp_path / "moedal" / "c1_local.json").read_text()) == [["s2", 100, 50]]


def test_accepted_hits_are_listed_on_the_foil(tmp_path: Path) -> None:
    write_global(HITS, tmp_path, context())
    path = tmp_path / "moedal" / "c1_global.json"
    assert json.loads(path.read_text()) == [[1000.12, -20], [5000, 0.5]]
    assert len(read_places(path)) == 2


def test_every_foil_has_its_list_even_where_nothing_is_accepted(tmp_path: Path) -> None:
    write_local([HITS[0], replace(HITS[1], foil="d/1")], tmp_path, context())
    assert json.loads((tmp_path / "moedal" / "d_1_local.json").read_text()) == []


def test_places_on_the_foil_must_be_known(tmp_path: Path) -> None:
    with pytest.raises(ScanError, match="need the positions of its frames, but hit a has none"):
        write_global([replace(HITS[0], x_foil=None)], tmp_path, context())
