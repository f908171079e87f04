"""Confusion counts every pit once, by the class that the best trial of each scheme took it for."""

from __future__ import annotations

import pytest

from foils import Dataset
from search.analysis.confusion import PASSING, confusions
from search.studies.study import Study
from search.trials.ranking import rank_trials
from search.trials.records import RungResult
from search.trials.stored_scores import pack_scores, read_scores


def test_the_best_trial_of_a_scheme_is_counted_by_its_classes(finished: Study, tiny: Dataset) -> None:
    plan, trials = finished.plan, finished.optuna.get_trials()
    data = plan.search_set(tiny)
    order = tuple(data.counts())
    (table,) = confusions(trials, plan, data.labels, order)
    best = rank_trials(trials)[0]
    assert (table.scheme, table.trial) == ("binary", best.number)
    assert table.classes == ("signal", "background")
    assert dict(zip(table.labels, table.counts.sum(1), strict=True)) == data.counts()
    stored = read_scores(best, "5x6")
    assert stored is not None
    assert table.counts[0, 0] == (stored.scores[data.labels == "candidate"] > 0.5).sum()
    assert (table.shares.sum(1).round(9) == 1).all()


def test_where_no_classes_were_recorded_pits_pass_or_not(finished: Study, tiny: Dataset) -> None:
    plan, trials = finished.plan, finished.optuna.get_trials()
    data = plan.search_set(tiny)
    for trial in trials:
        stored = read_scores(trial, "5x6")
        assert stored is not None
        # As format 1 had it.
        packed = pack_scores("5x6", type(stored)(stored.scores, stored.folds, stored.is_signal, stored.is_scored))
        trial.user_attrs |= {name: {**values, "format": 1} for name, values in packed.items()}
    (table,) = confusions(trials, plan, data.labels, tuple(data.counts()))
    assert table.classes == PASSING
    quoted = RungResult.demand(trials[table.trial]).quoted.value
    assert table.counts[0, 0] / table.counts[0].sum() == pytest.approx(quoted, abs=0.03)


def test_labels_of_other_pits_are_not_counted(finished: Study, tiny: Dataset) -> None:
    assert confusions(finished.optuna.get_trials(), finished.plan, tiny.labels, ("candidate",)) == ()
