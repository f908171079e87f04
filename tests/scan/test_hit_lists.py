"""Lists of places: every form that is read, what two lists share, and what is refused."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from foils.errors import DataError
from pitsearch.errors import PitsearchError
from scan.errors import ScanError
from scan.hit_lists import read_places
from scan.hits import write_hits
from scan.places import comparable, on_slides, only_signal
from tests.support.foil_hits import foil_hit


def written(folder: Path, name: str, content: object) -> Path:
    """Write a list, a value as JSON."""
    path = folder / name
    path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    return path


@pytest.mark.parametrize("name", ["hits.csv", "hits.parquet"])
def test_hits_of_a_scan_are_read_with_all_that_they_say(name: str, tmp_path: Path) -> None:
    hits = [
        foil_hit("a", 10.5, 20, slide="007", x_foil=5.0, y_foil=6.25),
        foil_hit("b", 1, 2, p_signal=0.2, x_foil=7.0, y_foil=8.0),
    ]
    write_hits(hits, tmp_path / name)
    places = read_places(tmp_path)  # the folder that a scan wrote
    assert places.path.name == name
    assert places.names == ("a", "b")
    assert places.on_foil is not None and places.on_frames is not None
    np.testing.assert_array_equal(places.on_foil, [[5, 6.25], [7, 8]])
    np.testing.assert_array_equal(places.on_frames, [[10.5, 20], [1, 2]])
    assert places.slides == ("007", "1")
    assert places.foils == ("c1", "c1")
    assert places.scores is not None and places.accepted is not None
    assert places.scores.tolist() == [0.9, 0.2]
    assert places.accepted.tolist() == [True, False]


def test_hits_without_places_on_the_foil_are_on_frames_alone(tmp_path: Path) -> None:
    write_hits([foil_hit("a", 10, 20)], tmp_path / "hits.csv")
    assert read_places(tmp_path).on_foil is None


def test_json_lists_are_on_the_foil_or_on_frames(tmp_path: Path) -> None:
    on_foil = read_places(written(tmp_path, "global.json", [[1, 2.5], [3, 4]]))
    assert on_foil.on_foil is not None and on_foil.on_frames is None
    assert on_foil.on_foil.tolist() == [[1, 2.5], [3, 4]]
    on_frames = read_places(written(tmp_path, "local.json", [[12, 1, 2], ["7", 3, 4]]))
    assert on_frames.on_frames is not None and on_frames.on_foil is None
    assert on_frames.slides == ("12", "7")
    assert len(read_places(written(tmp_path, "none.json", []))) == 0


def test_a_table_of_a_spreadsheet_is_read(tmp_path: Path) -> None:
    places = read_places(written(tmp_path, "mine.csv", "slide;y;x;radius\n1;20;10;7\n;;;\n2;40;30;8\n"))
    assert places.on_frames is not None
    assert places.on_frames.tolist() == [[10, 20], [30, 40]]
    assert places.names == ("2", "4")  # their lines
    assert places.foils is None


def test_rows_that_predict_left_without_a_score_are_no_hits(tmp_path: Path) -> None:
    table = "pit,p_signal,accepted,foil,slide,x,y\na,0.5,1,f,1,10,20\nb,,,f,1,1,2\n"
    places = read_places(written(tmp_path, "scores.csv", table))
    assert places.names == ("a",)


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


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.json", "{", "must be a readable table or a list of JSON"),
        ("a.json", {"a": 1}, "a list of [x, y] or [image, x, y] is needed"),
        ("a.json", [[1, 2], [1, 2, 3]], "all of a list must be [x, y], or all [image, x, y]"),
        ("a.json", [1, 2], "all of a list must be"),
        ("a.json", [[1, 2, 3, 4]], "and one is [1, 2, 3, 4]"),
        ("a.json", [[1, "x"]], "place 1 must have numbers"),
        ("a.json", [[1, True]], "place 1 must have numbers"),
        ("a.json", [[1.5, 2, 3]], "an image must be a number or a name, and one is 1.5"),
        ("a.json", "[[1, NaN]]", "NaN"),
        ("a.csv", "", "must have the columns x_foil, y_foil or slide, x, y, and has none of them"),
        ("a.csv", "x,y\n1,2\n", "and has x, y"),
        ("a.csv", "slide,x,y\n1,2,z\n", "line 2 must have numbers"),
        ("a.csv", "slide,x,y\n1,2,inf\n", "line 2 must have numbers"),
        ("a.csv", "slide,x,y\n1,2,3\n1,2,\n", "every row must have a place, but line 3 has none"),
        ("a.csv", "x_foil,y_foil\n1,2\n1\n", "every row must have a place, but line 3 has none"),
        ("a.csv", "slide,x,x,y\n1,2,3,4\n", "must differ"),
        ("a.csv", "slide,x,y,accepted\n1,2,3,yes\n", "`accepted` must be 0 or 1, and is 'yes' in line 2"),
        ("a.csv", 'slide,x,y\n1,2,"3\n', "a quote must be closed"),
        ("a.parquet", "no parquet", "must be a readable table"),
    ],
)
def test_what_is_no_list_is_refused_on_one_line(name: str, content: object, said: str, tmp_path: Path) -> None:
    with pytest.raises(PitsearchError) as caught:
        read_places(written(tmp_path, name, content))
    assert said in str(caught.value)
    assert name in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_list_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ScanError, match="a folder must have a list of places"):
        read_places(tmp_path)
    for name in ("none.csv", "none.json", "none.parquet"):
        with pytest.raises(ScanError, match="No such file"):
            read_places(tmp_path / name)
