"""Selection: what is kept, how it is ranked, and the one look at the held-out set."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import optuna
import pytest
from optuna.trial import TrialState, create_trial

from foils import Dataset
from models.crossvalidation import make_task, start_fold
from models.metrics import threshold_at
from models.training import FoldTraining
from models.verdicts import Verdict
from search import members
from search.errors import StudyError
from search.members import train_members
from search.records import Reached, Recipe
from search.selection import SELECTION, rank, select, selected
from search.studies import Study, open_or_create
from spaces import Config
from tests.search.trials import reached, recipe, written


def trial_of(
    accepted: int, verdicts: str = "lllll", reseeds: tuple[int, ...] = (0,) * 5, auc: float = 0.9
) -> optuna.trial.FrozenTrial:
    """Make a complete trial that accepted so many of 100 signal pits."""
    names = {"l": "learned", "c": "collapsed", "d": "diverged", "o": "overtrained", "u": "unfinished"}
    return create_trial(
        value=accepted / 100,
        user_attrs=written(
            recipe(),
            reached(
                accepted=(accepted, 0, 0, 0, 0),
                signals=(100, 0, 0, 0, 0),
                auc=(auc,) * 5,
                verdicts=tuple(names[letter] for letter in verdicts),
                reseeds=reseeds,
            ),
        ),
    )


def test_only_what_converged_in_every_fold_is_kept() -> None:
    trials = [
        trial_of(80),
        trial_of(99, "lldll"),
        trial_of(98, "lclcl"),
        trial_of(97, "llllo"),
        trial_of(96, "ullll"),
        trial_of(95, reseeds=(0, 2, 0, 0, 0)),
        trial_of(90, reseeds=(0, 1, 0, 1, 0)),
    ]
    found = {round(candidate.acceptance.value, 2): candidate.reason for candidate in rank(trials)}
    assert found == {
        0.9: "kept, 2 reseeded",
        0.8: "kept",
        0.99: "dropped: diverged in fold 3",
        0.98: "dropped: collapsed in fold 2, 4",
        0.97: "dropped: overtrained in fold 5",
        0.96: "dropped: unfinished in fold 1",
        0.95: "dropped: a fold was reseeded 2 times",
    }
    assert [candidate.kept for candidate in rank(trials)] == [True] * 2 + [False] * 5


def test_the_rank_is_by_the_lower_bound_then_by_the_area_under_the_curve() -> None:
    ranked = rank([trial_of(80), trial_of(90, auc=0.91), trial_of(90, auc=0.95)])
    assert [(c.acceptance.value, round(c.auc, 2)) for c in ranked] == [(0.9, 0.95), (0.9, 0.91), (0.8, 0.9)]


def test_pruned_running_and_failed_trials_are_no_candidates(finished: Study) -> None:
    study = finished.optuna
    study.ask()
    study.tell(study.ask(), state=TrialState.FAIL)
    assert {candidate.number for candidate in rank(study.trials)} == {0, 1, 2}


def test_the_winner_is_trained_as_in_its_trial_and_scored_by_out_of_fold_thresholds(finished: Study, tiny: Dataset) -> None:
    selection = select(finished, workers=1)
    plan, trial = finished.plan, finished.optuna.trials[selection.winner]
    searched = plan.searched(tiny)
    trained = train_members(searched, trial, plan, 1)
    counted = searched.is_signal | searched.is_background
    for fold, acceptance in enumerate(Reached.demand(trial).acceptance):
        inside = (np.array(plan.folds) == fold) & counted
        scores, is_signal = trained.out_of_fold[inside], searched.is_signal[inside]
        assert (scores[is_signal] >= threshold_at(scores, is_signal, 0.1)).mean() == pytest.approx(acceptance)
    assert selection.threshold == threshold_at(trained.out_of_fold[counted], searched.is_signal[counted], 0.1)
    assert selection.held_out is not None
    locked = plan.locked(tiny)
    assert selection.held_out.signals == locked.is_signal.sum()
    assert selection.held_out.backgrounds == locked.is_background.sum()
    assert [point.working_point for point in selection.held_out.points] == [0.1, 0.01]


def test_the_held_out_set_is_opened_once(finished: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    first = select(finished, workers=1)
    looks: list[int] = []
    monkeypatch.setattr("search.selection._look", lambda *_: looks.append(1))
    again = select(finished, workers=1)
    assert again.held_out == first.held_out
    # Another winner, found later, gets no look.
    study = finished.optuna
    best = study.trials[first.winner]
    found = Reached.demand(best)
    better = written(Recipe.demand(best), replace(found, accepted=found.signals, auc=(1.01,) * 5))
    study.add_trial(create_trial(value=1.0, params=best.params, distributions=best.distributions, user_attrs=better))
    later = select(finished, workers=1)
    assert (later.winner, later.held_out, later.opened_for) == (3, None, first.winner)
    assert not looks


def test_a_selection_is_recalled_for_the_same_trial_whatever_came_after(finished: Study) -> None:
    with pytest.raises(StudyError, match="must have been selected from, but was not"):
        selected(finished)
    first = select(finished, workers=1)
    assert selected(finished, workers=1).winner == first.winner
    assert finished.optuna.user_attrs[SELECTION]["opened_for"] == first.winner


def test_members_are_trained_once(finished: Study, tiny: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    plan, trial = finished.plan, finished.optuna.trials[2]
    first = train_members(plan.searched(tiny), trial, plan, 1)
    monkeypatch.setattr(members, "start_fold", None)
    again = train_members(plan.searched(tiny), trial, plan, 1)
    assert np.array_equal(first.out_of_fold, again.out_of_fold)
    assert first.ensemble.weights() == again.ensemble.weights()


def test_members_trained_again_are_those_that_the_trial_kept(
    finished: Study, tiny: Dataset, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    plan, trial = finished.plan, finished.optuna.trials[1]
    kept = train_members(plan.searched(tiny), trial, plan, 1)
    monkeypatch.setenv("PITSEARCH_CACHE", str(tmp_path / "emptied"))
    again = train_members(plan.searched(tiny), trial, plan, 2)
    assert kept.ensemble.weights() == again.ensemble.weights()
    assert np.array_equal(kept.out_of_fold, again.out_of_fold)


def test_members_that_did_not_learn_are_dropped_with_their_scores(
    finished: Study, tiny: Dataset, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PITSEARCH_CACHE", str(tmp_path / "cache"))
    plan, trial = finished.plan, finished.optuna.trials[0]
    task = make_task(plan.searched(tiny), Config(), epochs=6, working_point=0.1)
    bad = start_fold(task, np.array(plan.folds), 1, 0, 0)
    judged = FoldTraining.verdict
    monkeypatch.setattr(
        FoldTraining,
        "verdict",
        lambda self, planned=None: Verdict.COLLAPSED if np.array_equal(self.validate, bad.validate) else judged(self, planned),
    )
    trained = train_members(plan.searched(tiny), trial, plan, 1)
    assert trained.learned.tolist() == [True, False, True, True, True]
    assert len(trained.ensemble.members) == 4
    assert np.array_equal(np.isnan(trained.out_of_fold), np.array(plan.folds) == 1)


def test_a_study_without_anything_to_keep_is_refused(finished: Study) -> None:
    empty = open_or_create("empty", finished.storage, finished.plan)
    with pytest.raises(StudyError, match="study 'empty' must have a trial whose folds all learned, but has no complete trial"):
        select(empty)
    by_hand = open_or_create("by hand", finished.storage, finished.plan)
    by_hand.optuna.add_trial(create_trial(value=1.0))
    with pytest.raises(StudyError, match="trial 0 must be one that this version of pitsearch ran, but has no record 'recipe'"):
        select(by_hand)
    empty.optuna.add_trial(trial_of(99, "ccccc"))
    with pytest.raises(StudyError, match="but has none that converged among 1 complete; launch more trials"):
        select(empty)
