"""Places of a list: those of the signal, those on some slides, and what two lists have in common."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from foils.errors import DataError
from scan.errors import ScanError
from scan.hit_lists import read_places
from scan.hits import write_hits
from scan.place_list import comparable, on_slides, only_signal
from tests.support.foil_hits import foil_hit


def written(folder: Path, name: str, content: object) -> Path:
    """Write a list, a value as JSON."""
    path = folder / name
    path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    return path


def test_of_a_data_set_the_signal_counts(tmp_path: Path) -> None:
    table = "pit,label,foil,slide,x,y\na,candidate,f,1,10,20\nb,top,f,1,1,2\n"
    places = read_places(written(tmp_path, "labels.csv", table))
    assert only_signal(places, "top").names == ("b",)
    with pytest.raises(ScanError, match=r"must be known, but got candidate, top and no foil\.toml"):
        only_signal(places)
    with pytest.raises(ScanError, match="labelled 'signal', but got candidate, top"):
        only_signal(places, "signal")
    written(tmp_path, "foil.toml", "not a table")
    with pytest.raises(DataError, match=r"foil\.toml"):
        only_signal(places)
    written(
        tmp_path,
        "foil.toml",
        'name = "f"\nsignal = "candidate"\ncrop = 28\npattern = "frames/{foil}_s{slide}_{channel}.png"\n'
        '[[channels]]\nname = "1"\nkind = "halo"\n',
    )
    assert only_signal(places).names == ("a",)
    bare = read_places(written(tmp_path, "list.json", [[1, 2]]))
    assert only_signal(bare) is bare
    with pytest.raises(ScanError, match="--label needs a column `label`"):
        only_signal(bare, "top")


def test_slides_are_named_with_or_without_their_foil(tmp_path: Path) -> None:
    table = "foil,slide,x,y\nf,001,1,1\ng,1,2,2\nf,2,3,3\n"
    places = read_places(written(tmp_path, "list.csv", table))
    assert on_slides(places, ["1"]).names == ("2", "3")
    assert on_slides(places, ["f:1", "2"]).names == ("2", "4")
    with pytest.raises(ScanError, match="--slide needs places on slides"):
        on_slides(read_places(written(tmp_path, "list.json", [[1, 2]])), ["1"])


def rows(foils: Sequence[str]) -> str:
    """Give a table with a place on slide 1 of each foil."""
    return "foil,slide,x,y\n" + "".join(f"{foil},1,5,6\n" for foil in foils)


def test_lists_are_compared_in_the_coordinates_that_they_share(tmp_path: Path) -> None:
    write_hits([foil_hit("a", 10, 20, slide="001", x_foil=5.0, y_foil=6.0)], tmp_path / "hits.csv")
    both = read_places(tmp_path)
    on_foil = read_places(written(tmp_path, "global.json", [[1, 2]]))
    on_frames = read_places(written(tmp_path, "local.json", [[1, 3, 4], [2, 3, 4]]))
    first, second = comparable(both, on_foil)
    assert (first.points.tolist(), second.points.tolist()) == ([[5, 6]], [[1, 2]])
    assert first.groups[0] == second.groups[0]
    first, second = comparable(both, on_frames)
    assert first.points.tolist() == [[10, 20]]
    assert first.groups[0] == second.groups[0] != second.groups[1]
    # An empty list goes with any other.
    assert [len(one.points) for one in comparable(both, read_places(written(tmp_path, "none.json", [])))] == [1, 0]
    with pytest.raises(ScanError, match=r"same coordinates, but got .*global\.json on the foil; .*local\.json on frames"):
        comparable(on_foil, on_frames)


def test_foils_are_told_apart_where_both_lists_name_them(tmp_path: Path) -> None:
    two, one, other = (
        read_places(written(tmp_path, f"{name}.csv", rows(foils)))
        for name, foils in (("two", ["f", "g"]), ("one", ["f"]), ("other", ["h"]))
    )
    first, second = comparable(two, one)
    assert first.groups[0] == second.groups[0] != first.groups[1]
    nameless = read_places(written(tmp_path, "local.json", [[1, 5, 6]]))
    first, second = comparable(one, nameless)
    assert first.groups[0] == second.groups[0]
    with pytest.raises(ScanError, match="places of one foil, but got f, g"):
        comparable(two, nameless)
    with pytest.raises(ScanError, match="a frame in common, but got f:1, g:1 and h:1"):
        comparable(two, other)
