"""A list of suspects is somebody's file: read as a spreadsheet saves it, or refused in a line, and the labels stay."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from foils import DataError
from foils.relabel import relabel
from tests.support.tiny import CHANNELS, write_dataset

HEAD = "pit,label,corrected"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_dataset(tmp_path / "data", channels=CHANNELS[:1])


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (os.mkfifo, "a pipe or a device"),
        (lambda path: path.symlink_to("/dev/zero"), "a pipe or a device"),
        (lambda path: path.mkdir(), "Is a directory"),
        (lambda path: path.write_text(f'{HEAD}\np1,bottom,"candidate\np2,bottom,candidate\n'), "unexpected end of data"),
        (lambda path: path.write_text(f"{HEAD},corrected\np1,bottom,,candidate\n"), "columns must differ, but got `corrected`"),
        (lambda path: path.write_text(f"{HEAD}\n{'x' * 200_000},bottom,top\n"), "field larger than field limit"),
        (lambda path: path.write_text(f"{HEAD}\n{'x' * 20_000},bottom,top\n"), "must be in labels.csv, but got 'xxx"),
        (lambda path: path.write_text(f"{'x' * 100_000}\n"), "are missing (got xxx"),
    ],
)
def test_a_list_that_is_none_is_refused(folder: Path, make: Callable[[Path], object], message: str) -> None:
    before = (folder / "labels.csv").read_bytes()
    make(folder.parent / "suspects.csv")
    with pytest.raises(DataError) as caught:
        relabel(folder, folder.parent / "suspects.csv")
    assert message in str(caught.value)
    assert len(str(caught.value)) < 600
    assert (folder / "labels.csv").read_bytes() == before
