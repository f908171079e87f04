"""What was recorded comes back from the Parquet files, each value at its place."""

from __future__ import annotations

import json
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pyarrow.parquet
import pytest
from typer.testing import CliRunner

from benchmarks.table.__main__ import app
from benchmarks.table.collect import METADATA, Pits, collect, paths
from benchmarks.table.recorded import is_there, read, read_all
from tests.support.recorded_trainings import training

FOLDS, PITS = 2, Pits((20, 19), (70, 71))


@pytest.fixture
def tables(tmp_path: Path) -> Path:
    """Write three trainings of two configurations, numbers 0 and 7, and collect them."""
    place = tmp_path / "trainings" / "easy"
    place.mkdir(parents=True)
    for name, values in {"0-0": training(0.5, 3), "7-0": training(0.8, 4), "7-1": training(0.7, 4, learned=False)}.items():
        (place / f"{name}.json").write_text(json.dumps(values))
    assert collect(tmp_path, "easy", PITS, tmp_path) == 3
    return tmp_path


def test_every_value_is_at_its_place(tables: Path) -> None:
    table = read("easy", tables)
    assert table.numbers.tolist() == [0, 7]
    assert table.configs[0] == {"network": {"name": "pitnet"}}
    assert table.is_recorded.tolist() == [[True, False], [True, True]]
    assert table.pits == PITS
    assert table.epochs["acceptance_10"].shape == (2, 2, FOLDS, 4)
    assert table.epochs["acceptance_5"][1, 0, 0] == pytest.approx([0.4, 0.405, 0.41, 0.415])
    assert table.epochs["train_loss"][1, 1, 0, 0] == pytest.approx(1e30)
    assert table.epochs["validation_loss"][0, 0, 0, 0] == pytest.approx(0.1235)  # four digits are kept
    assert table.has_learned[1].tolist() == [[True, True], [True, False]]
    assert table.members["auc"].shape == (2, 2, FOLDS)
    assert table.members["acceptance_10"][1, 0] == pytest.approx([0.8, 0.4])


def test_a_training_that_ended_early_carries_on_its_last_epoch_at_no_cost(tables: Path) -> None:
    table = read("easy", tables)
    assert table.epochs["acceptance_10"][0, 0, 1] == pytest.approx([0.5, 0.51, 0.51, 0.51])
    assert table.epochs["ms"][0, 0].tolist() == [[100, 101, 102, 0], [100, 101, 0, 0]]


def test_what_is_not_recorded_is_no_number(tables: Path) -> None:
    table = read("easy", tables)
    assert all(np.isnan(values[0, 1]).all() for values in table.epochs.values())
    assert not table.has_learned[0, 1].any()
    # No member of one of the seeds learned: what it accepts is nothing, and counts in the mean.
    assert table.true_acceptance("acceptance_10") == pytest.approx([0.5, 0.4])


def test_a_table_grows_by_what_another_folder_holds(tables: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = read("easy", tables)
    place = tmp_path / "elsewhere" / "trainings" / "easy"
    place.mkdir(parents=True)
    for name, values in {"3-0": training(0.4, 3), "7-0": training(0.9, 4)}.items():
        (place / f"{name}.json").write_text(json.dumps(values))
    monkeypatch.setattr("benchmarks.table.collect.version", lambda package: f"{package} of later")
    for _ in range(2):
        assert collect(tmp_path / "elsewhere", "easy", PITS, tables) == 4
    table = read("easy", tables)
    assert table.numbers.tolist() == [0, 3, 7]
    assert table.true_acceptance("acceptance_10") == pytest.approx([0.5, 0.4, (0.9 + 0.0) / 2])
    assert np.array_equal(table.epochs["ms"][0], before.epochs["ms"][0], equal_nan=True)
    assert np.array_equal(table.epochs["auc"][2, 1], before.epochs["auc"][1, 1])
    origin = json.loads(pyarrow.parquet.read_schema(paths(tables, "easy")[0]).metadata[METADATA])
    assert origin["recorded"] == {"seed 0": 3, "seed 1": 1}
    assert [versions["torch"] for versions in origin["versions"]] == [version("torch"), "torch of later"]


def test_the_files_say_how_they_came_about(tables: Path) -> None:
    for place in paths(tables, "easy"):
        origin = json.loads(pyarrow.parquet.read_schema(place).metadata[METADATA])
        assert "benchmarks.table record" in origin["command"]
        assert origin["recorded"] == {"seed 0": 2, "seed 1": 1}
        assert [versions["torch"] for versions in origin["versions"]] == [version("torch")]


def test_only_what_is_there_is_read(tables: Path, tmp_path: Path) -> None:
    assert list(read_all(tables)) == ["easy"]
    assert is_there(tables)
    (tmp_path / "empty").mkdir()
    assert not is_there(tmp_path / "empty")
    with pytest.raises(ValueError, match="must hold the recorded table, but got no NAME-epochs"):
        read_all(tmp_path / "empty")


def test_nothing_recorded_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("BENCHMARK_DATA", raising=False)
    with pytest.raises(ValueError, match="trainings of 'hard' must be recorded, but got none"):
        collect(tmp_path, "hard", PITS, tmp_path)
    result = CliRunner().invoke(app, ["collect", str(tmp_path), "--names", "craters"])
    assert result.exit_code == 1
    assert "BENCHMARK_DATA names no folder; set it." in str(result.exception)
