"""Tables as spreadsheets write them: separators, marks, empty rows and columns are read, an open quote is one fault."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from foils import DataError, load
from foils.description import Channel, Description
from foils.labels import read_labels
from foils.pit import Pit
from tests.support.tiny import write_dataset

CROPS = Description("mine", "candidate", "{pit}_{channel}.png", 12, (Channel("1", "backlit"),))
HEADER = "pit,label,foil,slide,x,y,remark"
ROWS = [f"p{number},{'candidate' if number < 30 else 'top'},f1,{number % 3},{number}.5,7,dusty" for number in range(60)]
TEXT = "\n".join([HEADER, *ROWS]) + "\n"


def read(folder: Path, content: str | bytes, description: Description = CROPS) -> tuple[list[Pit], list[str], list[str]]:
    (folder / "labels.csv").write_bytes(content.encode() if isinstance(content, str) else content)
    faults: list[str] = []
    notes: list[str] = []
    pits = read_labels(folder, description, faults, notes=notes)
    return pits, faults, notes


def note(separators: str) -> list[str]:
    return [f"labels.csv is separated by {separators}, and commas in its numbers are read as decimal points"]


WRITTEN: dict[str, tuple[str | bytes, list[str]]] = {
    "semicolons": (TEXT.replace(",", ";"), note("semicolons")),
    "semicolons and decimal commas": (TEXT.replace(",", ";").replace(".5", ",5"), note("semicolons")),
    "tabs": (TEXT.replace(",", "\t"), note("tabs")),
    "bars": (TEXT.replace(",", "|"), note("bars")),
    "tabs in UTF-16": (TEXT.replace(",", "\t").encode("utf-16"), note("tabs")),
    "sep=;": ("sep=;\r\n" + TEXT.replace(",", ";").replace("\n", "\r\n"), note("semicolons")),
    '"sep=,"': ('"sep=,"\n' + TEXT, []),
    "sep=tab": ("sep=\t\n" + TEXT.replace(",", "\t"), note("tabs")),
    "sep=^": ("sep=^\n" + TEXT.replace(",", "^"), note("'^'")),
    "a mark": ("\ufeff" + TEXT, []),
    "empty rows": (TEXT.replace("p30,", ",,,,,,\n,,,,,,\np30,") + ",,,,,,\n" * 9, []),
    "empty rows above": (",,,,,,\n\n" + TEXT, []),
    "empty columns": (TEXT.replace("\n", ",,,\n"), []),
    "empty columns of which the header has none": (TEXT.replace("dusty\n", "dusty,,,\n"), []),
    "an empty column between": (TEXT.replace(",f1,", ",f1,,").replace("foil,", "foil,,"), []),
    "quotes": (TEXT.replace("dusty", '"dusty, ""very"""').replace("p3,", '"p3",'), []),
    "blanks": (TEXT.replace(",", " , "), []),
}


@pytest.mark.parametrize(("content", "notes"), WRITTEN.values(), ids=WRITTEN)
def test_what_a_spreadsheet_writes_is_read_and_said(tmp_path: Path, content: str | bytes, notes: list[str]) -> None:
    pits, faults, said = read(tmp_path, content)
    assert (faults, said) == ([], notes)
    assert [(pit.pit, pit.slide, pit.x, pit.y) for pit in pits] == [
        (f"p{number}", str(number % 3), number + 0.5, 7.0) for number in range(60)
    ]


def test_a_remark_of_several_lines_is_a_remark(tmp_path: Path) -> None:
    pits, faults, _ = read(tmp_path, TEXT.replace("dusty", '"dusty,\nlook again"', 1))
    assert faults == []
    assert len(pits) == 60
    assert pits[0].further == (("remark", "dusty,\nlook again"),)


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [
        ("p20,", '"p20,', 22),
        ("20.5,7,dusty", '20.5,7,"dusty', 22),
        ("p59,", '"p59,', 61),
        (",dusty", ',"dusty', 2),
    ],
)
def test_a_quote_that_is_not_closed_is_the_one_fault(tmp_path: Path, old: str, new: str, line: int) -> None:
    assert old in TEXT
    pits, faults, _ = read(tmp_path, TEXT.replace(old, new, 1))
    assert pits == []
    assert len(faults) == 1
    assert faults[0].startswith(f"labels.csv:{line}: a quote must be closed at the end of its cell, but one that opens here")


def test_a_quote_that_the_next_one_closes_swallows_nothing_in_silence(tmp_path: Path) -> None:
    text = TEXT.replace("20.5,7,dusty", '20.5,7,"dusty', 1).replace("40.5,7,dusty", '40.5,7,dusty"', 1)
    pits, faults, _ = read(tmp_path, text)
    assert pits == []
    assert faults == [
        "labels.csv:22: a quote must be closed at the end of its cell, but one that opens here is not (it takes in the lines "
        "that follow); correct it."
    ]


def test_a_used_column_without_a_name_is_one_fault(tmp_path: Path) -> None:
    _, faults, _ = read(tmp_path, TEXT.replace("slide,", "slide,,").replace(",7,", ",7,7,"))
    assert faults == ["labels.csv:1: a column that is used must have a name, but got none for column 5; name it."]


def test_a_million_columns_are_one_fault_at_once(tmp_path: Path) -> None:
    start = time.process_time()
    _, faults, _ = read(tmp_path, ",".join(f"c{number}" for number in range(10**6)) + "\n" + "1," * 999_999 + "1\n")
    assert faults == ["labels.csv:1: a line may have 1000 cells at the most, but got 1000000; remove some."]
    _, faults, _ = read(tmp_path, HEADER + "," * 10**6 + "\n" + "\n".join(ROWS) + "\n")
    assert faults == []
    assert time.process_time() - start < 2


def test_long_names_are_one_fault_each(tmp_path: Path) -> None:
    _, faults, _ = read(tmp_path, TEXT.replace("p20,", f"{'p' * 300},"))
    assert faults == [f"labels.csv:22: `pit` must be of 100 characters at the most, but got '{'p' * 75} ...; correct it."]


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "labels.csv")
    faults: list[str] = []
    assert read_labels(tmp_path, CROPS, faults) == []
    assert faults == [
        "labels.csv: the file must be readable UTF-8 CSV, but: it is a pipe or a device, and a regular file is needed; correct "
        "it."
    ]


def test_twenty_faults_of_one_kind_are_one_line(tmp_path: Path) -> None:
    folder = write_dataset(tmp_path / "data", counts={"candidate": 30, "top": 30})
    text = (folder / "labels.csv").read_text()
    (folder / "labels.csv").write_text(text.replace(",top,", ",,", 20).replace(",top,", ",tip,", 3))
    with pytest.raises(DataError) as caught:
        load(folder)
    empty = [number for number, line in enumerate(text.splitlines(), 1) if ",top," in line][:20]
    first = ", ".join(f"labels.csv:{number}" for number in empty[:5])
    assert len(caught.value.faults) == 4
    (joined,) = [fault for fault in caught.value.faults if "such faults" in fault]
    assert joined.startswith(f"labels.csv:{empty[0]}: `label` must not be empty (pit 'p")
    assert joined.endswith(f"); label it or remove the line (20 such faults: {first}, ...).")
