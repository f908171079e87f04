"""Labels and classes are words, and no formula that a spreadsheet would compute, wherever they come from."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from foils.description import read_description
from foils.errors import DataError
from foils.folder_writer import WrittenPit, write_folder
from foils.labels import read_labels
from foils.pit import Pit
from pitsearch.plain_word import broken_word
from spaces.choices.labelling import own_scheme
from spaces.errors import SpaceError
from tests.support.tiny import write_dataset

FORMULA = '=HYPERLINK("http://example.org";"open")'
HOSTILE = (FORMULA, "@SUM(1)", "+cmd|' /C calc'!A0", "-2+3", "a\x1b[2Jb", "a\nb", "a\u202eb")


@pytest.mark.parametrize("word", HOSTILE)
def test_a_word_that_is_none_is_refused(word: str) -> None:
    assert broken_word(word)


@pytest.mark.parametrize("word", ["candidate", "top/bottom", "Grüße", "<script>", "-", "+", "-1", "+2.5", "a=b", "", "5 um"])
def test_a_word_may_be_any_other(word: str) -> None:
    assert broken_word(word) is None


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_dataset(tmp_path / "data", counts={"candidate": 6, "top": 6}, listed=False)


@pytest.mark.parametrize("column", ["label", "style"])
def test_a_formula_in_labels_csv_is_one_fault_of_its_line(folder: Path, column: str) -> None:
    description = read_description(folder, [])
    assert description is not None
    cells = {"label": "top", "style": "new", column: FORMULA.replace('"', '""')}
    (folder / "labels.csv").write_text(f'pit,label,foil,slide,style\np1,"{cells["label"]}",f,1,"{cells["style"]}"\n')
    faults: list[str] = []
    read_labels(folder, description, faults, labelled=False)
    assert faults[0].startswith(f"labels.csv:2: `{column}` must be no formula of a spreadsheet")


def test_a_formula_in_foil_toml_is_a_fault(folder: Path) -> None:
    text = (folder / "foil.toml").read_text()
    (folder / "foil.toml").write_text('labels = ["candidate", "=1+1"]\n' + text)
    faults: list[str] = []
    read_description(folder, faults)
    assert any("`labels` must hold labels that are no formula" in fault for fault in faults)


def test_a_formula_that_a_folder_or_an_export_of_another_program_brings_is_not_written(folder: Path, tmp_path: Path) -> None:
    description = read_description(folder, [])
    assert description is not None
    crop = np.zeros((6, 12, 12), np.uint8)
    with pytest.raises(DataError, match="`label` of a pit must be no formula"):
        write_folder(tmp_path / "new", description, [WrittenPit(Pit("p", FORMULA, "f", "1"), crop)])
    assert not (tmp_path / "new").exists()


def test_a_formula_as_a_class_is_refused() -> None:
    with pytest.raises(SpaceError, match="classes that are no formula"):
        own_scheme("mine", {"candidate": "signal", "top": "=1+1"})
