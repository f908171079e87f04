"""A list of suspects is never written over what a person filled in, nor over another file."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from foils import Dataset
from search.analysis.suspects import Suspect
from search.errors import StudyError
from search.report.suspect_files import check_out, write_suspects


def suspects(data: Dataset) -> list[Suspect]:
    return [Suspect(index, str(data.labels[index]), "misc", 0.9, 5, 5, "unlike its label") for index in (3, 4)]


def fill_in(path: Path, pit: int) -> None:
    with path.open(newline="") as stream:
        rows = list(csv.reader(stream))
    rows[1 + pit][-1] = "misc"
    with path.open("w", newline="") as stream:
        csv.writer(stream).writerows(rows)


def test_a_list_that_nobody_has_filled_in_is_written_anew(tiny: Dataset, tmp_path: Path) -> None:
    out = tmp_path / "suspects.csv"
    for _ in range(2):
        check_out(out)
        assert write_suspects(suspects(tiny), tiny, out, "tiny") == tmp_path / "suspects.html"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["suspects.csv", "suspects.html"]


def test_a_list_that_a_person_filled_in_is_refused_before_anything_is_trained(tiny: Dataset, tmp_path: Path) -> None:
    out = tmp_path / "suspects.csv"
    write_suspects(suspects(tiny), tiny, out, "tiny")
    fill_in(out, 1)
    said = r"must not be written over what a person filled in, but this list has 1 corrected label; run `pitsearch relabel`,"
    with pytest.raises(StudyError, match=said):
        check_out(out)


def test_a_list_that_was_filled_in_meanwhile_stays_and_the_new_one_goes_beside_it(tiny: Dataset, tmp_path: Path) -> None:
    out = tmp_path / "suspects.csv"
    write_suspects(suspects(tiny), tiny, out, "tiny")
    fill_in(out, 0)
    before = out.read_bytes()
    assert write_suspects(suspects(tiny), tiny, out, "tiny") == tmp_path / "suspects.1.html"
    assert out.read_bytes() == before
    assert (tmp_path / "suspects.1.csv").is_file()


@pytest.mark.parametrize("content", [b"pit,label,foil,slide\np1,top,f1,1\n", b"\xff\xfe", b"pit;label;suggested;corrected\n"])
def test_another_file_is_never_written_over(tmp_path: Path, content: bytes) -> None:
    out = tmp_path / "labels.csv"
    out.write_bytes(content)
    with pytest.raises(StudyError, match="--out must be a new file or an earlier list of suspects, but"):
        check_out(out)
    assert out.read_bytes() == content
