"""The table of scores: every pit that a model is judged by, out of fold and held out, alike in CSV and Parquet."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pandas
import pytest

from foils import Dataset
from models.metrics import threshold_at
from search.selection.confirm import ConfirmOptions
from search.selection.held_out import openings
from search.selection.pit_scores import COLUMNS, CSV, PARQUET, OutOfFold, pit_rows, write_pit_scores
from search.selection.select import select
from search.studies.study import Study


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
    assert {row["role"] for row in rows if row["label"] == "maybe"} <= {""}
    assert {row["role"] for row in rows if row["label"] == "candidate"} == {"signal"}
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


def test_a_kept_model_lists_what_select_computed(finished: Study, tiny: Dataset) -> None:
    selection = select(finished, ConfirmOptions(top=1, repeats=2, reliability=0.0), workers=1)
    table, plan = pandas.read_parquet(selection.bundle_folder / PARQUET), finished.plan
    parts = {part: table[table["set"] == part] for part in ("out-of-fold", "held-out")}
    searched, locked = plan.search_set(tiny), plan.held_out_set(tiny)
    assert parts["held-out"]["pit"].tolist() == [pit.pit for pit in locked.pits]
    # Bit for bit those of the reading, which is the only one.
    np.testing.assert_array_equal(parts["held-out"]["p_signal"], selection.ensemble.scores(locked.crops()))
    assert len(openings(finished)) == 1
    assert parts["out-of-fold"]["pit"].tolist() == [pit.pit for pit in searched.pits]
    assert {len(fold.split()) for fold in parts["out-of-fold"]["fold"]} == {2}
    scores = parts["out-of-fold"]["p_signal"].to_numpy(float)
    usable = searched.is_scored & np.isfinite(scores)
    assert threshold_at(scores[usable], searched.is_signal[usable], plan.options.working_point) == selection.threshold
    assert (parts["out-of-fold"]["accepted"].to_numpy()[usable] == (scores[usable] >= selection.threshold)).all()
