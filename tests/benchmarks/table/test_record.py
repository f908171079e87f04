"""The table's configurations, and what is recorded of one."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from benchmarks.table.collect import Pits, collect
from benchmarks.table.configurations import BASELINE, SOUND, draw, fitted_space
from benchmarks.table.data_sets import DATA_SETS, JUDGED, TUNING, Searched
from benchmarks.table.record import _check, _missing, record
from foils import Dataset
from spaces.initial_configs import BASELINE as IN_USE
from spaces.initial_configs import STARTS
from tests.support.recorded_trainings import training


def test_a_number_means_the_same_configuration_on_every_data_set(tiny: Dataset) -> None:
    space = fitted_space(tiny)
    drawn = [draw(number, tiny, space) for number in range(40)]
    assert drawn == [draw(number, tiny, space) for number in range(40)]
    assert drawn[BASELINE].network.name == STARTS[IN_USE]["network.name"]
    assert (drawn[SOUND].network.width, drawn[SOUND].optimiser.schedule) == (32, "cosine")
    assert len({config.channels.mode for config in drawn}) == 4
    assert len({config.optimiser.learning_rate for config in drawn}) == 40


def test_no_policy_is_tuned_on_the_data_set_that_judges() -> None:
    assert {*TUNING, JUDGED} == set(DATA_SETS)
    assert JUDGED not in TUNING


@pytest.mark.parametrize("poor", [0.0, 2.0])
def test_a_record_holds_every_epoch_of_every_fold_and_the_truth(tiny: Dataset, poor: float) -> None:
    scored = tiny.take(np.flatnonzero(tiny.is_scored))
    searched = Searched(tiny, scored.crops(), scored.is_signal)
    values = json.loads(json.dumps(record(searched, SOUND, 0, poor, epochs=3)))
    assert [len(curve) for curve in values["curves"]] == [3] * 5
    assert {*values["curves"][0][0]} >= {
        "acceptance",
        "mean_acceptance",
        "standard_error",
        "auc",
        "train_loss",
        "ms",
        "verdict",
    }
    assert len(values["members"]) == len(values["verdicts"]) == 5
    assert values["fresh"] == len(scored)
    assert values["ensemble"] is None or values["ensemble"]["auc"] > 0.5


def test_another_seed_has_another_split(tiny: Dataset) -> None:
    searched = Searched(tiny, tiny.crops(), tiny.is_signal)
    assert (searched.folds() == searched.folds(0)).all()
    assert (searched.folds() != searched.folds(1)).any()


def test_what_the_table_holds_is_not_recorded_again(tmp_path: Path) -> None:
    place = tmp_path / "trainings" / "easy"
    place.mkdir(parents=True)
    for number, value in {0: 0.4, 1: 0.5, 3: 0.9}.items():
        (place / f"{number}-0.json").write_text(json.dumps(training(value, 3)))
    collect(tmp_path, "easy", Pits((20, 19), (70, 71)), tmp_path / "table")
    (place / "3-0.json").rename(place / "2-0.json")
    for emptied in (place / "0-0.json", place / "1-0.json"):
        emptied.unlink()
    missing = list(_missing(tmp_path, tmp_path / "table", ["easy"], 5))
    assert missing[0] == ("easy", 4, 0)
    assert [(number, seed) for _, number, seed in missing[1:]] == [(n, s) for s in (1, 2, 3) for n in (2, 3, 1, 0)]


def test_other_configurations_than_those_drawn_now_are_refused(tiny: Dataset, tmp_path: Path) -> None:
    place = tmp_path / "trainings" / "easy"
    place.mkdir(parents=True)
    kept = training(0.5, 3) | {"config": draw(2, tiny, fitted_space(tiny)).to_dict()}
    (place / "2-0.json").write_text(json.dumps(kept))
    collect(tmp_path, "easy", Pits((20, 19), (70, 71)), tmp_path / "table")
    _check(tmp_path / "table", "easy", tiny)
    _check(tmp_path / "table", "hard", tiny)
    (place / "3-0.json").write_text(json.dumps(kept))
    collect(tmp_path, "easy", Pits((20, 19), (70, 71)), tmp_path / "other")
    with pytest.raises(ValueError, match="has another number 3; record into an empty folder"):
        _check(tmp_path / "other", "easy", tiny)
