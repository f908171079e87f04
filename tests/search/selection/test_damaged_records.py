"""What another program wrote into a study under the names of selections is refused on one line."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from foils import Dataset
from search.analysis.diagnose import study_subject
from search.errors import StudyError
from search.selection.confirmations import CONFIRMATION, Confirmation, read_confirmations
from search.selection.held_out import OPENING, OPENINGS, openings
from search.selection.json_values import to_json
from search.selection.race_record import CANDIDATES, RACE, read_judged, read_race
from search.selection.selection_record import SELECTION
from search.selection.slide_validation import VALIDATION, validate_by_slides
from search.studies.study import Study
from spaces import Config


def confirmation(pits: int, folds: int) -> Confirmation:
    zeros = (0,) * folds
    return Confirmation(np.zeros(pits), zeros, zeros, (0.5,) * folds, ("learned",) * folds, zeros, 1, 1.0)


def test_a_confirmation_has_a_score_a_pit_and_a_value_a_fold(finished: Study) -> None:
    plan, key = finished.plan, f"{CONFIRMATION}:0:0"
    pits, folds = len(plan.folds), plan.ladder.folds
    for wrong in (
        confirmation(pits - 1, folds),
        confirmation(pits, folds + 1),
        replace(confirmation(pits, folds), verdicts=("learned",)),
    ):
        finished.optuna.set_user_attr(key, to_json(wrong))
        with pytest.raises(StudyError, match=rf"^the confirmation '{key}' of study 'tiny' must have scores of {pits} pits and"):
            read_confirmations(finished.optuna)
    finished.optuna.set_user_attr(key, to_json(confirmation(pits, folds)))
    assert list(read_confirmations(finished.optuna)) == [(0, 0)]


def test_a_validation_by_slides_has_a_score_a_pit(finished: Study, tiny: Dataset) -> None:
    finished.optuna.set_user_attr(f"{VALIDATION}:0", to_json(confirmation(3, 4)))
    with pytest.raises(StudyError, match=rf"^the attribute '{VALIDATION}:0' of study 'tiny' must have scores of"):
        validate_by_slides(finished, finished.plan.search_set(tiny), 0, Config())


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        (OPENINGS, 3, f"the attribute '{OPENINGS}' must be a list of openings, but is 3"),
        (OPENINGS, [3], f"an opening in the attribute '{OPENINGS}' must be a table"),
        (f"{OPENING}:first", {}, f"the attribute '{OPENING}:first' must end in the number of an opening"),
        (f"{OPENING}:1", {"model": 3}, f"the attribute '{OPENING}:1' must be what pitsearch wrote"),
    ],
)
def test_an_opening_that_is_none_is_refused(finished: Study, key: str, value: object, message: str) -> None:
    finished.optuna.set_user_attr(key, value)
    with pytest.raises(StudyError, match=f"^{message}") as caught:
        openings(finished)
    assert len(str(caught.value).splitlines()) == 1


def test_a_winner_that_is_none_is_refused(finished: Study) -> None:
    for selected in (3, {"winner": {"trial": "0"}}, {}):
        finished.optuna.set_user_attr(SELECTION, selected)
        with pytest.raises(StudyError, match=f"^the attribute '{SELECTION}' of study 'tiny' must be"):
            study_subject(finished)


@pytest.mark.parametrize(
    "stored", [3, {"format": 2}, {"format": 99}, {"format": 2, "repeats": 2, "reliability": 0.8, "entries": [3]}]
)
def test_a_race_and_its_judgement_that_are_none_are_refused(finished: Study, stored: object) -> None:
    finished.optuna.set_user_attr(RACE, stored)
    with pytest.raises(StudyError, match=rf"^the attribute '{RACE}' of study 'tiny' must"):
        read_race(finished)
    finished.optuna.set_user_attr(CANDIDATES, stored)
    with pytest.raises(StudyError, match=rf"^the attribute '{CANDIDATES}' of study 'tiny' must"):
        read_judged(finished, "0" * 64)


def test_a_plan_has_a_fold_for_each_pit(finished: Study, tiny: Dataset) -> None:
    plan = replace(finished.plan, folds=finished.plan.folds[1:])
    with pytest.raises(StudyError, match=r"^a plan must have a fold for each pit that is searched, but has \d+ for the \d+ of"):
        plan.search_set(tiny)
