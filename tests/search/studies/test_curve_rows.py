"""The training curves of a study as a table, a row an epoch; and its trials, a row each."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from optuna.trial import TrialState, create_trial

from search.errors import StudyError
from search.studies.curve_rows import COLUMNS, curve_columns
from search.studies.study import Study
from search.studies.trial_rows import trial_rows
from search.trials.ranking import best_trial
from search.trials.records import RungResult
from search.trials.stored_curves import CURVES, read_curves
from tests.support.curves import trial_with_curves
from tests.support.trials import reached, written


def test_a_table_has_a_row_for_each_epoch_of_each_training() -> None:
    trials = [
        trial_with_curves(0, ("learned", "collapsed"), (1, 0)),
        create_trial(value=0.5),  # as an older pitsearch left it
        trial_with_curves(2, ("unfinished",), state=TrialState.RUNNING, epochs=3),
    ]
    table = curve_columns(trials)
    assert tuple(table) == COLUMNS
    keys = list(zip(table["trial"], table["fold"], table["start"], table["epoch"], table["verdict"], strict=True))
    assert keys == [
        *((0, 0, 0, epoch, "collapsed") for epoch in (1, 2)),
        *((0, 0, 1, epoch, "learned") for epoch in range(1, 7)),
        *((0, 1, 0, epoch, "collapsed") for epoch in range(1, 7)),
        *((2, 0, 0, epoch, "unfinished") for epoch in (1, 2, 3)),
    ]
    assert table["acceptance"][2:8] == list(read_curves(trials[0])[1].acceptance)


def test_curves_that_no_rung_judged_yet_are_unfinished() -> None:
    trial = trial_with_curves(0, ("learned", "learned"))
    trial.user_attrs = {**trial.user_attrs, **written(reached(1))}
    assert set(curve_columns([trial])["verdict"][:6]) == {"learned"}
    assert set(curve_columns([trial])["verdict"][6:]) == {"unfinished"}


def test_damaged_curves_are_one_error_that_names_the_trial() -> None:
    trial = trial_with_curves(7)
    trial.user_attrs = {**trial.user_attrs, CURVES: {**trial.user_attrs[CURVES], "packed": "AAAA"}}
    with pytest.raises(StudyError, match=r"^the training curves of trial 7 must be [^\n]* leave this trial out\.$"):
        curve_columns([trial])


def test_a_study_gives_its_curves_and_trials_as_tables(finished: Study) -> None:
    curves, frame = finished.curves(), finished.to_frame()
    assert tuple(curves.columns) == COLUMNS
    trials = finished.optuna.get_trials(deepcopy=False)
    assert len(curves) == sum(RungResult.demand(trial).epochs_run for trial in trials) == frame["epochs"].sum()
    best = best_trial(trials)
    assert best is not None
    quoted, row = RungResult.demand(best).quoted.share, frame.loc[best.number]
    assert (row["acceptance"], row["acceptance_low"], row["acceptance_high"]) == (quoted.value, quoted.low, quoted.high)
    assert (frame["reliability"] == frame["learned"] / frame["trainings"]).all()
    assert ((frame["reliability_low"] <= frame["reliability"]) & (frame["reliability"] <= frame["reliability_high"])).all()


def test_a_trial_that_counted_its_cost_has_it_and_one_that_has_not_ended_no_reliability() -> None:
    path = {"acceptance": (0.5, 0.9), "cost": (2e6, 2e6)}
    counted = create_trial(value=0.9, user_attrs=written(replace(reached(), steps=(3, 150), path=path)))
    under_way = create_trial(state=TrialState.RUNNING, user_attrs=written(reached(1, verdicts=("unfinished",))))
    rows = trial_rows([counted, under_way])
    assert rows[0]["multiply_adds"] == 2e6
    assert "multiply_adds" not in rows[1]
    assert np.isnan(rows[1]["reliability"])
