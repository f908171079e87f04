"""The held-out set is opened once; that it was opened again is remembered, and said."""

from __future__ import annotations

import pytest

from foils import Dataset
from models.inference.ensemble import Ensemble
from search.selection import held_out as openings
from search.selection.held_out import OPENINGS, ModelKey, open_held_out, read, recall
from search.studies.study import Study
from search.training.fold_cache import trial_members

THRESHOLDS = {0.1: 0.5, 0.01: 0.9}


@pytest.fixture
def ensemble(finished: Study, tiny: Dataset) -> Ensemble:
    return trial_members(finished.plan.search_set(tiny), finished.trial(1), finished.plan, 1)


def test_a_reading_is_kept_and_seeing_it_again_opens_nothing(
    finished: Study, tiny: Dataset, ensemble: Ensemble, monkeypatch: pytest.MonkeyPatch
) -> None:
    study, locked, model = finished.optuna, finished.plan.held_out_set(tiny), ModelKey(1, "ensemble", 1)
    assert recall(study, model) is None
    first = open_held_out(study, model, ensemble, locked, THRESHOLDS)
    assert (first.number, first.honest) == (1, True)
    assert first.held_out == read(ensemble, locked, THRESHOLDS)
    monkeypatch.setattr(openings, "read", None)
    assert open_held_out(finished.optuna, model, ensemble, locked, THRESHOLDS) == first


def test_every_further_model_is_numbered(finished: Study, tiny: Dataset, ensemble: Ensemble) -> None:
    study, locked = finished.optuna, finished.plan.held_out_set(tiny)
    models = [ModelKey(1, "ensemble", 1), ModelKey(1, "refit", 1), ModelKey(1, "ensemble", 2), ModelKey(2, "ensemble", 1)]
    found = [open_held_out(study, model, ensemble, locked, THRESHOLDS) for model in models]
    assert [one.number for one in found] == [1, 2, 3, 4]
    assert [one.honest for one in found] == [True, False, False, False]
    again = recall(finished.optuna, models[0])
    assert again is not None
    assert (again.number, again.openings) == (1, 4)


def test_an_opening_that_was_cut_short_counts(
    finished: Study, tiny: Dataset, ensemble: Ensemble, monkeypatch: pytest.MonkeyPatch
) -> None:
    study, locked = finished.optuna, finished.plan.held_out_set(tiny)
    with monkeypatch.context() as patch, pytest.raises(TypeError):
        patch.setattr(openings, "read", None)
        open_held_out(study, ModelKey(1, "ensemble", 1), ensemble, locked, THRESHOLDS)
    assert len(finished.optuna.user_attrs[OPENINGS]) == 1
    assert open_held_out(finished.optuna, ModelKey(1, "ensemble", 1), ensemble, locked, THRESHOLDS).number == 2
