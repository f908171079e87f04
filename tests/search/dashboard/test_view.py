"""The dashboard shows our trials by name, and changes nothing that it is not to change."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import optuna
import pytest
from optuna.distributions import IntDistribution
from optuna.exceptions import ExperimentalWarning
from optuna.trial import TrialState

from search.dashboard.shown_trials import CONSTRAINTS, shown_study, shown_trial
from search.dashboard.view import StudyView
from search.errors import StudyError
from search.storage.connect import open_storage
from search.studies.study import Study
from search.trials.records import RungResult
from tests.support.status import TRIALS, trial_of


def test_a_trial_is_shown_by_name_and_none_of_our_records_is(finished: Study) -> None:
    view = StudyView(finished.storage)
    for recorded in finished.optuna.trials:
        shown = view.get_all_trials(finished.id)[recorded.number]
        assert all(isinstance(value, str | int | float) for value in shown.user_attrs.values())
        assert shown.user_attrs["acceptance"] == round(RungResult.demand(recorded).quoted.share.value, 4)
        assert (shown.params, shown.values, shown.state) == (recorded.params, recorded.values, recorded.state)
    assert next(iter(shown.user_attrs)) == "rung"  # the first column of a table


def test_trials_of_every_kind_are_shown() -> None:
    shown = [shown_trial(trial).user_attrs for trial in TRIALS]
    assert [attributes.get("rung") for attributes in shown] == ["5x30", "5x30", "1x3", None, "5x9", "5x9"]
    assert shown[0]["origin"] == "network in use"
    assert shown[0]["would_prune"] == "1x3"
    assert shown[3] == {"error": "RuntimeError: no such kernel"}
    assert (shown[4]["standing"], shown[4]["stopped"]) == ("interrupted", "stopped by hand")
    paused = trial_of(6, TrialState.WAITING, 1, paused="1x3")
    assert shown_trial(paused).user_attrs["standing"] == "paused"


def test_a_trial_of_somebody_else_is_shown_as_it_is() -> None:
    trial = optuna.trial.create_trial(value=0.5, user_attrs={"mine": [1, 2], "note": "x"})
    assert shown_trial(trial).user_attrs == {"mine": [1, 2], "note": "x"}


def test_a_record_that_is_damaged_is_said_and_hides_no_other_trial() -> None:
    trial = optuna.trial.create_trial(value=0.5, user_attrs={"reached": {"format": 1, "rung": 3}, "mine": 1})
    trial.number = 7
    shown = shown_trial(trial).user_attrs
    assert shown["mine"] == 1
    assert shown["error"].startswith("the record 'reached' of trial 7 must be one that")


def test_constraints_are_where_this_dashboard_looks_for_them_and_where_optuna_does(two: Study) -> None:
    recorded, shown = two.optuna.trials, StudyView(two.storage).get_all_trials(two.id)
    held = [trial for trial in recorded if trial.constraints]
    assert held
    for trial in held:
        values = list(trial.constraints.values())
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # of a constraint under both keys
            assert shown[trial.number].system_attrs[CONSTRAINTS] == list(shown[trial.number].constraints.values()) == values
    assert all(CONSTRAINTS not in trial.system_attrs for trial in shown if not recorded[trial.number].constraints)


def test_a_study_is_shown_by_name(finished: Study) -> None:
    (study,) = StudyView(finished.storage).get_all_studies()
    plan = finished.plan
    assert study.user_attrs == StudyView(finished.storage).get_study_user_attrs(finished.id)
    assert not any(name.startswith("pitsearch:") for name in study.user_attrs)
    assert study.user_attrs["data"] == plan.folder
    assert (study.user_attrs["pits_searched"], study.user_attrs["pits_held_out"]) == (len(plan.folds), len(plan.held_out))
    assert study.user_attrs["ladder"] == str(plan.ladder)


@pytest.mark.parametrize("plan", [{"format": 99}, "no plan", {}, {"format": 3, "options": []}])
def test_a_study_whose_plan_is_damaged_is_shown(plan: Any) -> None:
    shown = shown_study("broken", {"pitsearch:plan": plan, "mine": 1})
    assert shown["mine"] == 1
    assert shown["error"].startswith("its plan cannot be read: ")


def test_nothing_is_written_unless_the_view_may(finished: Study) -> None:
    view, number = StudyView(finished.storage), finished.id
    trial = finished.optuna.trials[0]
    before = Path(finished.storage.removeprefix("sqlite:///")).read_bytes()
    for write in (
        lambda: view.delete_study(number),
        lambda: view.set_study_user_attr(number, "mine", 1),
        lambda: view.set_study_system_attr(number, "mine", 1),
        lambda: view.set_trial_user_attr(1, "mine", 1),
        lambda: view.set_trial_system_attr(1, "mine", 1),
        lambda: view.set_trial_param(1, "x", 1.0, IntDistribution(0, 1)),
        lambda: view.set_trial_state_values(1, TrialState.FAIL),
        lambda: view.set_trial_intermediate_value(1, 1, 0.5),
    ):
        with pytest.raises(StudyError, match="start it with --write"):
            write()
    view.get_all_trials(number)
    assert finished.optuna.trials[0] == trial
    assert Path(finished.storage.removeprefix("sqlite:///")).read_bytes() == before


def test_a_view_that_may_write_touches_no_record_of_ours_and_makes_no_trials(finished: Study) -> None:
    waiting = finished.optuna.ask()
    view = StudyView(finished.storage, writes=True)
    view.set_trial_user_attr(waiting._trial_id, "mine", 1)
    storage = open_storage(finished.storage)
    storage.set_trial_user_attr(waiting._trial_id, "recipe", {"format": 1})
    with pytest.raises(StudyError, match="a record of pitsearch must stay as it is, but 'recipe' was to be written"):
        view.set_trial_user_attr(waiting._trial_id, "recipe", {})
    with pytest.raises(StudyError, match="a study must be made by `pitsearch launch`"):
        view.create_new_study([])
    with pytest.raises(StudyError, match="a trial must be added by `pitsearch launch`"):
        view.create_new_trial(finished.id)
    view.set_trial_state_values(waiting._trial_id, TrialState.FAIL)
    assert finished.optuna.trials[-1].user_attrs == {"mine": 1, "recipe": {"format": 1}}
    view.delete_study(finished.id)
    assert view.get_all_studies() == []


def test_a_study_that_was_given_the_number_of_a_deleted_one_is_not_taken_for_it(finished: Study, two: Study) -> None:
    view = StudyView(finished.storage)
    view.get_all_studies()
    assert len(view.get_all_trials(finished.id)) == 3
    other = sqlite(two.storage)
    sqlite(finished.storage).write_bytes(other.read_bytes())  # as if deleted and made anew: with the numbers of the other
    assert [study.study_name for study in view.get_all_studies()] == ["two"]
    assert len(view.get_all_trials(1)) == 4
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ExperimentalWarning)
        assert [trial.params for trial in view.get_all_trials(1)] == [trial.params for trial in two.optuna.trials]


def sqlite(address: str) -> Path:
    return Path(address.removeprefix("sqlite:///"))
