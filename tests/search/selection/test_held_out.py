"""The held-out set is opened once a model; every opening is counted, whoever opens it at the same time."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from threading import Barrier
from typing import Any

import numpy as np
import pytest
from sqlalchemy.orm import Session

from foils import Dataset
from models.inference.ensemble import Ensemble
from search.report.selection_tables import opening_lines
from search.selection import held_out
from search.selection.held_out import OPENINGS, HeldOut, OperatingPoint, open_held_out, openings, read, recall
from search.selection.selection_record import ModelKey
from search.statistics.intervals import wilson
from search.storage.rdb import RetryingRDBStorage
from search.studies.study import Study, open_or_create
from search.training.fold_cache import trial_members

THRESHOLDS = {0.1: 0.5, 0.01: 0.9}
MODEL = ModelKey(1, "ensemble", 1, "a" * 64)
READING = HeldOut(4, 10, 1.0, (OperatingPoint(0.1, 0.5, wilson(3, 4), wilson(10, 10)),))


@pytest.fixture
def ensemble(finished: Study, tiny: Dataset) -> Ensemble:
    return trial_members(finished.plan.search_set(tiny), finished.trial(1), finished.plan, 1)


def test_a_reading_is_recorded_and_seeing_it_again_opens_nothing(
    finished: Study, tiny: Dataset, ensemble: Ensemble, monkeypatch: pytest.MonkeyPatch
) -> None:
    locked = finished.plan.held_out_set(tiny)
    assert recall(finished, MODEL) is None
    first = open_held_out(finished, MODEL, ensemble, locked, THRESHOLDS)
    assert (first.number, first.honest) == (1, True)
    scores = ensemble.scores(locked.crops())
    assert first.held_out == read(scores, locked, THRESHOLDS)
    assert first.scores is not None
    assert np.array_equal(first.scores, scores)
    monkeypatch.setattr(held_out, "read", None)
    again = open_held_out(finished, MODEL, ensemble, locked, THRESHOLDS)
    assert again == first
    assert again.scores is not None
    assert np.array_equal(again.scores, scores)


def test_every_further_model_is_numbered_also_of_the_same_trial(finished: Study, tiny: Dataset, ensemble: Ensemble) -> None:
    locked = finished.plan.held_out_set(tiny)
    kinds = [(1, "ensemble", 1), (1, "refit", 1), (1, "ensemble", 2), (1, "ensemble", 1)]
    models = [ModelKey(*kind, letter * 64) for kind, letter in zip(kinds, "abcd", strict=True)]
    readings = [open_held_out(finished, model, ensemble, locked, THRESHOLDS) for model in models]
    assert [one.number for one in readings] == [1, 2, 3, 4]
    assert [one.honest for one in readings] == [True, False, False, False]
    assert [one.unproven for one in readings] == [()] * 4
    again = recall(finished, models[0])
    assert again is not None
    assert (again.number, again.openings) == (1, 4)


def test_an_opening_that_was_cut_short_counts(
    finished: Study, tiny: Dataset, ensemble: Ensemble, monkeypatch: pytest.MonkeyPatch
) -> None:
    locked = finished.plan.held_out_set(tiny)
    with monkeypatch.context() as patch, pytest.raises(TypeError):
        patch.setattr(held_out, "read", None)
        open_held_out(finished, MODEL, ensemble, locked, THRESHOLDS)
    assert [(number, record.held_out) for number, record in openings(finished)] == [(1, None)]
    assert open_held_out(finished, MODEL, ensemble, locked, THRESHOLDS).number == 2


@pytest.mark.parametrize("hashes", ["abcdefgh", "aaaaaaaa"], ids=["different models", "the same model"])
def test_selections_at_the_same_time_are_all_counted(
    finished: Study, storage_url: str, hashes: str, monkeypatch: pytest.MonkeyPatch, ensemble: Ensemble, tiny: Dataset
) -> None:
    study = open_or_create("at once", storage_url.replace("studies.db", "other.db"), finished.plan)
    opened, start = Barrier(len(hashes)), Barrier(len(hashes))

    def wait_for_all(*_: object) -> HeldOut:
        opened.wait(60)  # until every opening is recorded, and no reading
        return READING

    def select_one(letter: str) -> int:
        start.wait(60)
        return open_held_out(study, ModelKey(1, "ensemble", 1, letter * 64), ensemble, tiny, THRESHOLDS).number

    monkeypatch.setattr(held_out, "read", wait_for_all)
    with ThreadPoolExecutor(len(hashes)) as pool:
        numbers = [*pool.map(select_one, hashes)]
    assert sorted(numbers) == [*range(1, len(hashes) + 1)]
    assert [number for number, _ in openings(study)] == sorted(numbers)
    assert all(record.held_out == READING for _, record in openings(study))
    assert {record.model.sha256[0] for _, record in openings(study)} == set(hashes)


def test_an_opening_whose_answer_was_lost_is_not_counted_twice(
    finished: Study, tiny: Dataset, ensemble: Ensemble, monkeypatch: pytest.MonkeyPatch
) -> None:
    transact = RetryingRDBStorage.transact

    def twice(self: RetryingRDBStorage, work: Any, **options: Any) -> Any:
        transact(self, work, **options)
        return transact(self, work, **options)

    def write(session: Session) -> int:
        return 0

    monkeypatch.setattr(RetryingRDBStorage, "transact", twice)
    assert finished.backend.transact(write) == 0
    first = open_held_out(finished, MODEL, ensemble, finished.plan.held_out_set(tiny), THRESHOLDS)
    assert (first.number, first.openings) == (1, 1)


def test_openings_without_a_hash_count_and_prove_nothing(finished: Study, tiny: Dataset, ensemble: Ensemble) -> None:
    unhashed = [{"trial": 1, "final": "ensemble", "repeats": 1}, {"trial": 1, "final": "refit", "repeats": 1}]
    entries: list[dict[str, Any]] = [
        {"model": unhashed[0], "held_out": asdict(READING)},
        {"model": unhashed[1], "held_out": None},
    ]
    finished.optuna.set_user_attr(OPENINGS, entries)
    assert recall(finished, MODEL) is None
    assert recall(finished, ModelKey(1, "ensemble", 1)) is None
    opening = open_held_out(finished, MODEL, ensemble, finished.plan.held_out_set(tiny), THRESHOLDS)
    assert (opening.number, opening.openings, opening.unproven, opening.honest) == (3, 3, (1,), False)
    assert openings(finished)[0][1].held_out == READING
    assert finished.optuna.user_attrs[OPENINGS] == entries_as_stored(entries)
    lines = [*opening_lines(opening)]
    assert (
        "  reading 1 was of trial 1, too, but has no hash of its model: it cannot be proven to be of these weights, and "
        in "".join(lines)
    )
    assert recall(finished, MODEL) == opening


def entries_as_stored(entries: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Give entries as JSON holds them: lists in place of tuples."""
    return [
        {**entry, "held_out": entry["held_out"] and {**entry["held_out"], "points": [*entry["held_out"]["points"]]}}
        for entry in entries
    ]
