"""The table of scores: every pit that a model is judged by, out of fold and held out, alike in CSV and Parquet."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pandas
import pytest

from foils import Dataset
from search.selection.pit_scores import COLUMNS, CSV, PARQUET, OutOfFold, pit_rows, write_pit_scores


@pytest.fixture
def searched(tiny: Dataset) -> Dataset:
    return tiny.take(np.arange(6))


@pytest.fixture
def locked(tiny: Dataset) -> Dataset:
    return tiny.take(np.arange(6, 8))


OUT = OutOfFold(np.array([[0.1, 0.5, 0.9, np.nan, 0.49, 1.0]]), [["0 1", "1 0", "2 2", "0 0", "1 1", "2 0"]])


def read_csv(folder: Path) -> list[dict[str, str]]:
    with (folder / CSV).open() as stream:
        return list(csv.DictReader(stream))


def test_the_table_is_alike_in_csv_and_parquet(searched: Dataset, locked: Dataset, tmp_path: Path) -> None:
    write_pit_scores(tmp_path, pit_rows(searched, OUT, 0.5, locked, np.array([0.2, 0.7])))
    rows, table = read_csv(tmp_path), pandas.read_parquet(tmp_path / PARQUET)
    assert [*rows[0]] == [*table.columns] == [*COLUMNS]
    assert [row["pit"] for row in rows] == [pit.pit for pit in (*searched.pits, *locked.pits)] == table["pit"].tolist()
    assert [row["label"] for row in rows] == [pit.label for pit in (*searched.pits, *locked.pits)]
    assert [row["set"] for row in rows] == ["out-of-fold"] * 6 + ["held-out"] * 2
    assert [row["fold"] for row in rows] == [*OUT.folds[0], "", ""]
    # What reaches the threshold is accepted; what no network scored is empty.
    assert [row["accepted"] for row in rows] == ["0", "1", "1", "", "0", "1", "0", "1"]
    assert rows[3]["p_signal"] == ""
    assert table["p_signal"].isna().tolist() == [place == 3 for place in range(8)]
    assert table["p_signal"].dropna().tolist() == [0.1, 0.5, 0.9, 0.49, 1.0, 0.2, 0.7]
    assert table["accepted"].dropna().tolist() == [False, True, True, False, True, False, True]


def test_several_cross_validations_have_a_row_each(searched: Dataset, tmp_path: Path) -> None:
    twice = OutOfFold(np.repeat(OUT.scores, 2, 0), [["0"] * 6, ["1"] * 6])
    write_pit_scores(tmp_path, pit_rows(searched, twice, 0.5))
    assert [row["fold"] for row in read_csv(tmp_path)] == ["0"] * 6 + ["1"] * 6


def test_held_out_scores_that_an_older_version_did_not_keep_are_empty(
    searched: Dataset, locked: Dataset, tmp_path: Path
) -> None:
    write_pit_scores(tmp_path, pit_rows(searched, OUT, 0.5, locked, None))
    assert [(row["pit"], row["p_signal"], row["accepted"]) for row in read_csv(tmp_path)[6:]] == [
        (pit.pit, "", "") for pit in locked.pits
    ]
