"""Selection from beginning to end: one winner, one reading of the held-out set, and the same answer again."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from optuna.trial import create_trial

from foils import Dataset
from models.inference.bundle import model_hash, networks_of, read_bundle
from search.errors import StudyError
from search.selection import confirm as confirm_module
from search.selection import select as select_module
from search.selection.confirm import ConfirmOptions
from search.selection.final_model import FinalModel, make_final_model
from search.selection.held_out import openings
from search.selection.race_record import read_judged, read_race
from search.selection.select import select
from search.studies.study import Study, open_or_create
from tests.support.trials import reached, recipe, written

# Tiny pits teach too little for any bar.
OPTIONS = ConfirmOptions(top=2, repeats=1, reliability=0.0)


def test_a_selection_states_two_numbers(finished: Study, tiny: Dataset) -> None:
    selection = select(finished, OPTIONS, workers=1)
    assert [candidate.wins for candidate in selection.candidates].count(True) == 1
    locked = finished.plan.held_out_set(tiny)
    look = selection.opening.held_out
    assert (look.signals, look.backgrounds) == (int(locked.is_signal.sum()), int(locked.is_background.sum()))
    assert [point.working_point for point in look.points] == [0.1, 0.01]
    assert selection.gap == selection.winner.searched.value - look.points[0].acceptance.value
    assert look.points[0].threshold == selection.threshold
    race, judged = read_race(finished), read_judged(finished, selection.key.sha256)
    assert race is not None and judged is not None
    entered = {entry.trial for entry in race.entries}
    assert [(one.trial, one.confirmed, one.reason, one.wins) for one in judged.candidates] == [
        (one.number, one.confirmed, one.reason, one.wins) for one in selection.candidates if one.number in entered
    ]
    assert judged.by_slides == selection.by_slides
    assert read_judged(finished, "0" * 64) is None  # of another selection


def test_selecting_again_gives_the_same_and_opens_nothing(finished: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    first = select(finished, OPTIONS, workers=1)
    monkeypatch.setattr(confirm_module, "_train", None)
    again = select(finished, OPTIONS, workers=1)
    assert again.opening == first.opening
    assert again.candidates == first.candidates
    assert (again.key, again.bundle_folder) == (first.key, first.bundle_folder)
    assert len(openings(finished)) == 1
    refit = select(finished, OPTIONS, final="refit", workers=1)
    assert (refit.opening.number, refit.opening.honest) == (2, False)


def test_the_model_is_kept_as_a_bundle_named_by_its_hash(finished: Study, tmp_path: Path) -> None:
    selection = select(finished, OPTIONS, workers=1)
    folder = selection.bundle_folder
    assert folder == tmp_path / "runs" / "tiny" / "models" / selection.key.sha256
    assert [path.name for path in folder.parent.iterdir()] == [folder.name]
    bundle = read_bundle(folder)
    assert model_hash(bundle) == selection.key.sha256
    assert bundle.about["metrics"]["held_out"]["auc"] == selection.opening.held_out.auc
    assert networks_of(bundle).weights() == selection.ensemble.weights()


def test_other_weights_of_the_same_trial_are_another_reading(finished: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    first = select(finished, OPTIONS, workers=1)

    def elsewhere(*args: Any, **options: Any) -> FinalModel:
        """Make the model as another version of torch would: almost the same weights."""
        model = make_final_model(*args, **options)
        with torch.no_grad():
            next(model.ensemble.members[0].parameters()).mul_(1 + 1e-6)
        return model

    monkeypatch.setattr(select_module, "make_final_model", elsewhere)
    other = select(finished, OPTIONS, workers=1)
    assert (other.key.trial, other.key.final, other.key.repeats) == (first.key.trial, first.key.final, first.key.repeats)
    assert other.key.sha256 != first.key.sha256
    assert (other.opening.number, other.opening.honest) == (2, False)
    monkeypatch.undo()
    assert select(finished, OPTIONS, workers=1).opening == replace(first.opening, openings=2)


def test_a_disk_that_is_full_costs_no_reading(finished: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(select_module, "write_bundle", full)
        with pytest.raises(StudyError, match="a model's folder must be writable, but: No space left on device; make it"):
            select(finished, OPTIONS, workers=1)
    assert openings(finished) == []
    assert select(finished, OPTIONS, workers=1).opening.honest


def test_a_study_with_nothing_to_keep_is_refused_with_the_reasons(finished: Study) -> None:
    empty = open_or_create("empty", finished.storage, finished.plan)
    hopeless = written(recipe(), reached(verdicts=("collapsed",) * 5, reseeds=(1,) * 5))
    empty.optuna.add_trial(create_trial(value=0.9, user_attrs=hopeless))
    with pytest.raises(StudyError, match="study 'empty' has no trial to confirm: nothing has learned: none of 10 trainings"):
        select(empty, ConfirmOptions(top=2, repeats=2))
    bad = written(recipe(), reached(verdicts=("learned", *("collapsed",) * 4), reseeds=(1,) * 5))
    poor = open_or_create("poor", finished.storage, finished.plan)
    poor.optuna.add_trial(create_trial(value=0.9, user_attrs=bad))
    refused = "but trial 0 dropped: its reliability, 0.100 .*, 1 of 10, cannot pass 0.8 within 2 repeats; launch more trials"
    with pytest.raises(StudyError, match=refused):
        select(poor, ConfirmOptions(top=2, repeats=2))


def test_trials_of_another_program_are_refused(finished: Study) -> None:
    by_hand = open_or_create("by hand", finished.storage, finished.plan)
    by_hand.optuna.add_trial(create_trial(value=1.0))
    with pytest.raises(StudyError, match="trial 0 must be one that this version of pitsearch ran, but has no record"):
        select(by_hand)
