"""Corrected labels: everything else stays, the old file stays, and every fault is told before anything is written."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path

import pytest

from foils import DataError, load
from foils.relabel import relabel
from tests.support.tiny import CHANNELS, write_dataset

HEAD = "pit,label,suggested,sure,repeats,reason,corrected"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_dataset(tmp_path / "data", counts={"candidate": 8, "bottom": 8, "maybe": 2}, channels=CHANNELS[:1])


def labels_of(folder: Path) -> dict[str, str]:
    with (folder / "labels.csv").open(newline="", encoding="utf-8-sig") as stream:
        return {row["pit"]: row["label"] for row in csv.DictReader(stream)}


def some(folder: Path, label: str, number: int = 0) -> str:
    """Name a pit of this label."""
    return [pit for pit, given in labels_of(folder).items() if given == label][number]


def write(folder: Path, rows: Sequence[str], head: str = HEAD) -> Path:
    path = folder.parent / "suspects.csv"
    path.write_text("\n".join([head, *rows]) + "\n", encoding="utf-8")
    return path


def test_a_corrected_label_is_written_and_the_old_file_kept(folder: Path) -> None:
    wrong, right, open_ = some(folder, "bottom"), some(folder, "candidate"), some(folder, "candidate", 1)
    before, fingerprint = (folder / "labels.csv").read_bytes(), load(folder).fingerprint
    rows = [
        f"{wrong},bottom,candidate,0.981,5 of 5,networks disagree with the label,candidate",
        f"{right},candidate,bottom,0.912,4 of 5,networks disagree with the label,candidate",
        f"{open_},candidate,bottom,0.802,3 of 5,networks disagree with the label,",
    ]
    done = relabel(folder, write(folder, rows))
    assert [(one.pit, one.label, one.corrected, one.line) for one in done.corrections] == [(wrong, "bottom", "candidate", 2)]
    assert done.confirmed == 1
    assert done.kept == folder / "labels.1.csv"
    assert done.kept.read_bytes() == before
    changed = before.decode().replace(f"{wrong},bottom,", f"{wrong},candidate,").encode()
    assert (folder / "labels.csv").read_bytes() == changed
    assert load(folder).fingerprint != fingerprint


def test_old_files_are_numbered_and_never_written_over(folder: Path) -> None:
    (folder / "labels.1.csv").write_text("mine")
    pit = some(folder, "bottom")
    assert relabel(folder, write(folder, [f"{pit},bottom,,,,,maybe"])).kept.name == "labels.2.csv"
    assert relabel(folder, write(folder, [f"{pit},maybe,,,,,bottom"])).kept.name == "labels.3.csv"
    assert (folder / "labels.1.csv").read_text() == "mine"
    second, third = ((folder / f"labels.{number}.csv").read_text() for number in (2, 3))
    assert third == second.replace(f"{pit},bottom", f"{pit},maybe")


def test_marks_line_ends_blanks_quotes_and_unknown_columns_stay(folder: Path) -> None:
    path = folder / "labels.csv"
    lines = path.read_text().splitlines()
    lines = [lines[0] + ", note", *(f'{line},"seen, twice"' for line in lines[1:])]
    path.write_bytes(("\ufeff" + "\r\n".join(lines) + "\r\n").encode())
    before, pit = path.read_bytes(), some(folder, "bottom")
    relabel(folder, write(folder, [f"{pit},candidate,bottom"], "pit,corrected,label"))
    assert path.read_bytes() == before.replace(f"{pit},bottom,".encode(), f"{pit},candidate,".encode())
    assert dict(load(folder).pits[0].further) == {"note": "seen, twice"}


def test_a_file_that_a_spreadsheet_saved_is_read(folder: Path) -> None:
    pit = some(folder, "bottom")
    path = write(folder, [])
    path.write_bytes(f'\ufeff{HEAD}\r\n"{pit}",bottom,candidate,0.9,5 of 5,x, candidate \r\n'.encode())
    assert len(relabel(folder, path).corrections) == 1


def test_every_fault_is_told_at_once_and_nothing_is_written(folder: Path) -> None:
    one, other, third = some(folder, "bottom"), some(folder, "candidate"), some(folder, "bottom", 1)
    rows = [
        "p999,bottom,,,,,candidate",
        f"{one},candidate,,,,,bottom",
        f"{other},candidate,,,,,botom",
        f"{third},bottom,,,,,candidate",
        f"{third},bottom,,,,,maybe",
    ]
    before = sorted(folder.iterdir()), (folder / "labels.csv").read_bytes()
    with pytest.raises(DataError) as caught:
        relabel(folder, write(folder, rows))
    assert caught.value.faults == (
        "suspects.csv:2: `pit` must be in labels.csv, but got 'p999'; is this list of other data?",
        f"suspects.csv:3: `label` must be what labels.csv says of pit '{one}', 'bottom', but got 'candidate'; was it corrected "
        "before? Diagnose again, or empty the cell under `corrected`.",
        "suspects.csv:4: `corrected` must be one of candidate, bottom, maybe, but got 'botom'; correct it, or add it to "
        "`labels` in foil.toml.",
        f"suspects.csv:6: a pit must be corrected to one label, but got 'maybe' for '{third}' and 'candidate' on line 5; "
        "empty one.",
    )
    assert (sorted(folder.iterdir()), (folder / "labels.csv").read_bytes()) == before


@pytest.mark.parametrize(
    ("rows", "head", "message"),
    [
        ([], HEAD, "suspects.csv: at least one row must have a `corrected` label that differs from `label`, but none has;"),
        (
            ["x,y"],
            "pit,label",
            "suspects.csv:1: the columns pit, label, corrected must be there, but `corrected` is missing (got pit, label);",
        ),
        (
            ["x^y"],
            "pit^label^corrected",
            "suspects.csv:1: the columns pit, label, corrected must be there, but `pit`, `label`, `corrected` are missing (got",
        ),
    ],
)
def test_a_list_that_corrects_nothing_is_refused(folder: Path, rows: list[str], head: str, message: str) -> None:
    with pytest.raises(DataError) as caught:
        relabel(folder, write(folder, rows, head))
    assert str(caught.value).startswith(message)
    assert not (folder / "labels.1.csv").exists()


def test_a_list_or_a_folder_that_is_not_there_is_refused(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="a list of suspects must exist, but does not; run `pitsearch diagnose` first"):
        relabel(folder, tmp_path / "none.csv")
    with pytest.raises(DataError, match=r"^foil.toml: a data set needs this file"):
        relabel(tmp_path / "none", write(folder, []))


def test_corrections_that_leave_no_signal_are_refused(folder: Path) -> None:
    rows = [f"{some(folder, 'candidate', number)},candidate,,,,,bottom" for number in range(5)]
    with pytest.raises(
        DataError, match=r"^after these corrections: labels\.csv: there must be at least as many signal pits as"
    ):
        relabel(folder, write(folder, rows))
    assert not (folder / "labels.1.csv").exists()


def test_without_a_list_of_labels_only_those_in_use_are_taken(tmp_path: Path) -> None:
    folder = write_dataset(tmp_path / "data", counts={"candidate": 8, "bottom": 8}, channels=CHANNELS[:1], listed=False)
    pit = some(folder, "bottom")
    with pytest.raises(DataError, match="`corrected` must be one of bottom, candidate, maybe, but got 'top'"):
        relabel(folder, write(folder, [f"{pit},bottom,,,,,top"]))
    assert relabel(folder, write(folder, [f"{pit},bottom,,,,,maybe"])).corrections[0].corrected == "maybe"


def test_a_table_of_another_kind_stays_of_its_kind(folder: Path) -> None:
    pit = some(folder, "bottom")
    text = (folder / "labels.csv").read_text()
    semicolons = "sep=;\r\n" + text.replace(",", ";").replace("\n", "\r\n") + ";;;;;;\r\n"
    (folder / "labels.csv").write_bytes(semicolons.encode("utf-16"))
    suspects = write(folder, [])
    suspects.write_bytes(f"\ufeffpit;label;corrected;\r\n{pit};bottom;candidate;\r\n;;;\r\n".encode())
    assert len(relabel(folder, suspects).corrections) == 1
    corrected = semicolons.replace(f"{pit};bottom;", f"{pit};candidate;")
    assert (folder / "labels.csv").read_bytes() == corrected.encode("utf-16")
