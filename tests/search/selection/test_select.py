"""Selection from beginning to end: one winner, one reading of the held-out set, and the same answer again."""

from __future__ import annotations

import pytest
from optuna.trial import create_trial

from foils import Dataset
from search.errors import StudyError
from search.selection import confirm as confirming
from search.selection.confirm import ConfirmOptions
from search.selection.held_out import OPENINGS
from search.selection.select import select, selected
from search.studies.study import Study, open_or_create
from tests.support.trials import reached, recipe, written

# Tiny pits teach too little for any bar.
TERMS = ConfirmOptions(top=2, repeats=1, reliability=0.0)


def test_a_selection_states_two_numbers(finished: Study, tiny: Dataset) -> None:
    selection = select(finished, TERMS, workers=1)
    assert [candidate.wins for candidate in selection.candidates].count(True) == 1
    locked = finished.plan.held_out_set(tiny)
    look = selection.opening.held_out
    assert (look.signals, look.backgrounds) == (int(locked.is_signal.sum()), int(locked.is_background.sum()))
    assert [point.working_point for point in look.points] == [0.1, 0.01]
    assert selection.gap == selection.winner.searched.value - look.points[0].acceptance.value
    assert look.points[0].threshold == selection.threshold


def test_selecting_again_gives_the_same_and_opens_nothing(finished: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    first = select(finished, TERMS, workers=1)
    monkeypatch.setattr(confirming, "_train", None)
    again = select(finished, TERMS, workers=1)
    assert again.opening == first.opening
    assert again.candidates == first.candidates
    assert len(finished.optuna.user_attrs[OPENINGS]) == 1
    refit = select(finished, TERMS, final="refit", workers=1)
    assert (refit.opening.number, refit.opening.honest) == (2, False)


def test_a_selection_is_recalled_whatever_came_after(finished: Study) -> None:
    with pytest.raises(StudyError, match="must have been selected from, but was not; run `pitsearch select --study tiny`"):
        selected(finished)
    first = select(finished, TERMS, workers=1)
    better = written(recipe(), reached(accepted=(10,) * 5, auc=(1.0,) * 5))
    finished.optuna.add_trial(create_trial(value=1.0, user_attrs=better))
    recalled = selected(finished, workers=1)
    assert recalled.winner.number == first.winner.number
    assert recalled.opening == first.opening
    assert recalled.threshold == first.threshold
    assert recalled.ensemble.weights() == first.ensemble.weights()


def test_a_study_with_nothing_to_keep_is_refused_with_the_reasons(finished: Study) -> None:
    empty = open_or_create("empty", finished.storage, finished.plan)
    bad = written(recipe(), reached(verdicts=("collapsed",) * 5, reseeds=(1,) * 5))
    empty.optuna.add_trial(create_trial(value=0.9, user_attrs=bad))
    refused = "but trial 0 dropped: its reliability, 0.000 .*, 0 of 10, cannot pass 0.8 within 2 repeats; launch more trials"
    with pytest.raises(StudyError, match=refused):
        select(empty, ConfirmOptions(top=2, repeats=2))


def test_trials_of_another_program_are_refused(finished: Study) -> None:
    by_hand = open_or_create("by hand", finished.storage, finished.plan)
    by_hand.optuna.add_trial(create_trial(value=1.0))
    with pytest.raises(StudyError, match="trial 0 must be one that this version of pitsearch ran, but has no record"):
        select(by_hand)
