"""`labels.csv`: what people called the pits comes through, and every fault names its line."""

from __future__ import annotations

from pathlib import Path

import pytest

from foils.description import Channel, Description
from foils.labels import read_labels
from foils.pit import Pit

CHANNEL = (Channel("1", "backlit"),)
CROPS = Description("mine", "candidate", "{pit}_{channel}.png", 12, CHANNEL)
LISTED = Description("mine", "candidate", "{pit}_{channel}.png", 12, CHANNEL, labels=("candidate", "top", "misc"))
FRAMES = Description("mine", "candidate", "{slide}_{channel}.png", 12, CHANNEL)


def lines(extra: str = "", header: str = "pit,label,foil,slide") -> str:
    """Five signal pits on lines 2-6, five top pits on lines 7-11, and then what is asked for."""
    rows = [f"p{number},{'candidate' if number < 5 else 'top'},f1,1" for number in range(10)]
    return "\n".join([header, *rows, *([extra] if extra else [])]) + "\n"


def read(folder: Path, text: str, description: Description = CROPS, *, labelled: bool = True) -> tuple[list[Pit], list[str]]:
    (folder / "labels.csv").write_text(text, encoding="utf-8")
    faults: list[str] = []
    return read_labels(folder, description, faults, labelled=labelled), faults


def test_every_column_comes_through(tmp_path: Path) -> None:
    rows = [f"p{number}, candidate ,f1,3,{number}.5,-2,old,dusty,Ann" for number in range(5)]
    text = "\n".join(["pit,label,foil,slide,x,y,style,remark,by", *rows])
    pits, faults = read(tmp_path, text)
    assert faults == []
    assert pits[2] == Pit("p2", "candidate", "f1", "3", 2.5, -2.0, "old")
    assert pits[2].further == (("remark", "dusty"), ("by", "Ann"))


def test_what_a_spreadsheet_writes_is_read(tmp_path: Path) -> None:
    (tmp_path / "labels.csv").write_bytes(lines().replace("\n", "\r\n").encode("utf-8-sig") + b"\r\n")
    faults: list[str] = []
    assert len(read_labels(tmp_path, CROPS, faults)) == 10
    assert faults == []


def test_crops_need_no_place(tmp_path: Path) -> None:
    pits, faults = read(tmp_path, lines())
    assert faults == []
    assert {(pit.x, pit.y, pit.style) for pit in pits} == {(None, None, "")}


# The lines after the good ones, what describes the data, and the one fault.
BROKEN = {
    "empty label": ("q,,f1,1", CROPS, "labels.csv:12: `label` must not be empty (pit 'q'); label it or remove the line."),
    "unknown label": (
        "q,tpo,f1,1",
        LISTED,
        "labels.csv:12: `label` must be one of candidate, top, misc, but got 'tpo'; correct it, or add it to `labels` in "
        "foil.toml.",
    ),
    "a slip of the pen": (
        "q,tpo,f1,1",
        CROPS,
        "labels.csv:12: a label not listed in foil.toml must be on at least 5 pits, but got 'tpo' on 1; correct it, or list "
        "it: labels = [...] in foil.toml.",
    ),
    "pit twice": (
        "p3,top,f1,1",
        CROPS,
        "labels.csv:12: pit ids must be unique, but got 'p3' again (first on line 5); rename or remove one.",
    ),
    "pit that is a path": (
        "../p,top,f1,1",
        CROPS,
        "labels.csv:12: `pit` must be letters, digits, '.', '_' or '-' (it becomes part of a file name), but got '../p'; "
        "correct it.",
    ),
    "foil that is a path": (
        "q,top,..,1",
        CROPS,
        "labels.csv:12: `foil` must be letters, digits, '.', '_' or '-' (it becomes part of a file name), but got '..'; "
        "correct it.",
    ),
    "empty slide": (
        "q,top,f1,",
        CROPS,
        "labels.csv:12: `slide` must be letters, digits, '.', '_' or '-' (it becomes part of a file name), but got ''; "
        "correct it.",
    ),
    "a cell too few": (
        "q,top,f1",
        CROPS,
        "labels.csv:12: a line must have as many cells as the header; count its commas.",
    ),
    "a cell too many": (
        "q,top,f1,1,9",
        CROPS,
        "labels.csv:12: a line must have as many cells as the header; count its commas.",
    ),
}


@pytest.mark.parametrize(("extra", "description", "fault"), BROKEN.values(), ids=BROKEN)
def test_a_broken_line_is_one_fault(tmp_path: Path, extra: str, description: Description, fault: str) -> None:
    _, faults = read(tmp_path, lines(extra), description)
    assert faults == [fault]


@pytest.mark.parametrize("column", ["pit", "label", "foil", "slide"])
def test_a_missing_column_is_named(tmp_path: Path, column: str) -> None:
    header = "pit,label,foil,slide".replace(column, "other")
    pits, faults = read(tmp_path, lines(header=header))
    assert pits == []
    assert faults == [
        f"labels.csv:1: the columns pit, label, foil, slide must be there, but `{column}` is missing "
        f"(got {', '.join(header.split(','))}); add it."
    ]


def test_frames_need_a_place_for_each_pit(tmp_path: Path) -> None:
    _, faults = read(tmp_path, lines(), FRAMES)
    assert [fault.split(", but ")[1].split(" (")[0] for fault in faults] == ["`x` is missing", "`y` is missing"]
    rows = [f"p{number},candidate,f1,1,{number},{number}" for number in range(5)]
    text = "\n".join(["pit,label,foil,slide,x,y", *rows, "q,candidate,f1,1,,7", "r,candidate,f1,1,7,inf"])
    _, faults = read(tmp_path, text, FRAMES)
    assert faults == [
        "labels.csv:7: `x` must be a number of pixels, but got ''; correct it.",
        "labels.csv:8: `y` must be a number of pixels, but got 'inf'; correct it.",
    ]


def test_a_column_twice_is_refused(tmp_path: Path) -> None:
    _, faults = read(tmp_path, "pit,label,foil,slide,label\np,top,f1,1,top\n")
    assert faults == ["labels.csv:1: columns must differ, but got `label` twice; rename one."]


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("", "labels.csv:1: the columns pit, label, foil, slide must be there, but `slide` is missing (got nothing); add it."),
        ("pit,label,foil,slide\n", "labels.csv:1: at least one pit must be listed, but got none; add a line for each pit."),
        (
            lines().replace("candidate", "bottom"),
            "labels.csv: at least 5 pits must carry the signal label 'candidate', but got 0 (labels found: bottom, top); label "
            "some, or correct `signal` in foil.toml.",
        ),
        (
            lines().replace("p4,candidate", "p4,top"),
            "labels.csv: there must be at least as many signal pits as folds (5), but got 4 pits labelled 'candidate'; label "
            "more.",
        ),
    ],
)
def test_a_file_without_pits_or_signal_is_refused(tmp_path: Path, text: str, fault: str) -> None:
    assert fault in read(tmp_path, text)[1]


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    faults: list[str] = []
    assert read_labels(tmp_path, CROPS, faults) == []
    assert faults == [f"labels.csv: a data set needs this file, but {tmp_path} has none; write pit,label,foil,slide lines."]


def test_a_file_that_is_no_text_is_refused(tmp_path: Path) -> None:
    (tmp_path / "labels.csv").write_bytes(b"pit,label,foil,slide\n\xff\xfe,top,f1,1\n")
    faults: list[str] = []
    assert read_labels(tmp_path, CROPS, faults) == []
    assert len(faults) == 1
    assert faults[0].startswith("labels.csv: the file must be readable UTF-8 CSV, but: 'utf-8' codec can't decode")


def test_all_faults_come_at_once_each_with_its_line(tmp_path: Path) -> None:
    text = lines("q,,f1,1\n\np1,top,f1,1\n/r,,f 1,1\ns,tpo,f1,1")
    _, faults = read(tmp_path, text)
    assert [fault.split(": ")[0] for fault in faults] == [f"labels.csv:{line}" for line in (12, 14, 15, 15, 15, 16)]


def test_rare_labels_that_are_listed_or_ignored_are_no_slip(tmp_path: Path) -> None:
    assert read(tmp_path, lines("q,misc,f1,1"), LISTED)[1] == []
    assert read(tmp_path, lines("q,maybe,f1,1"))[1] == []


def test_foil_to_be_scored_needs_no_labels(tmp_path: Path) -> None:
    pits, faults = read(tmp_path, "pit,foil,slide\np,f1,1\n", labelled=False)
    assert faults == []
    assert pits == [Pit("p", "", "f1", "1")]
    pits, faults = read(tmp_path, "pit,label,foil,slide\np,,f1,1\nq,top,f1,1\n", labelled=False)
    assert faults == []
    assert [pit.label for pit in pits] == ["", "top"]


def test_foil_to_be_scored_is_checked_all_the_same(tmp_path: Path) -> None:
    _, faults = read(tmp_path, "pit,foil\np,f1\n", labelled=False)
    assert faults == [
        "labels.csv:1: the columns pit, foil, slide must be there, but `slide` is missing (got pit, foil); add it."
    ]
    _, faults = read(tmp_path, "pit,foil,slide\np,f1,1\np,f1,1\n", labelled=False)
    assert faults == ["labels.csv:3: pit ids must be unique, but got 'p' again (first on line 2); rename or remove one."]


def test_a_crops_place_is_given_whole_or_not_at_all(tmp_path: Path) -> None:
    rows = [f"p{number},candidate,f1,1,," for number in range(5)]
    text = "\n".join(["pit,label,foil,slide,x,y", *rows, "q,candidate,f1,1,3,"])
    pits, faults = read(tmp_path, text)
    assert faults == ["labels.csv:7: x and y must be given together (pit 'q'), but one is empty; add it."]
    assert {(pit.x, pit.y) for pit in pits} == {(None, None)}
