"""Lists of places: every form that is read, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from pitsearch.errors import PitsearchError
from scan.errors import ScanError
from scan.hit_lists import read_places
from scan.hits import read_hits, write_hits
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


@pytest.mark.parametrize("cut", [20, 60, 100])
def test_hits_that_are_cut_short_are_refused_on_one_line(cut: int, tmp_path: Path) -> None:
    write_hits([foil_hit("a", 10.5, 20), foil_hit("b", 1, 2)], tmp_path / "hits.csv")
    content = (tmp_path / "hits.csv").read_bytes()
    (tmp_path / "hits.csv").write_bytes(content[: content.index(b"\n") + 1 + cut])
    with pytest.raises(ScanError, match=r"^[^\n]*a list of hits must be a table that [^\n]*$"):
        read_hits(tmp_path / "hits.csv")


def test_a_list_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ScanError, match="a folder must have a list of places"):
        read_places(tmp_path)
    for name in ("none.csv", "none.json", "none.parquet"):
        with pytest.raises(ScanError, match="No such file"):
            read_places(tmp_path / name)
