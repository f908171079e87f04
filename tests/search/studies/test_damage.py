"""A damaged study is refused in one line that names study, trial and attribute; `status` shows the rest of it."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from search.analysis.status import known_text, summarise
from search.errors import StudyError
from search.studies.study import Study, find_study


def execute(study: Study, statement: str, *values: Any) -> None:
    with sqlite3.connect(study.storage.removeprefix("sqlite:///")) as connection:
        assert connection.execute(statement, values).rowcount, statement
    connection.close()


def rewrite(study: Study, table: str, key: str, change: Any, number: int = 1) -> None:
    """Write another value for an attribute of the study, or of one trial: a function of what it was, or text as it is."""
    where = f"key = '{key}'" + (f" and trial_id = {number + 1}" if table.startswith("trial") else "")
    with sqlite3.connect(study.storage.removeprefix("sqlite:///")) as connection:
        (text,) = connection.execute(f"select value_json from {table} where {where}").fetchone()  # noqa: S608
        new = json.dumps(change(json.loads(text))) if callable(change) else change
        connection.execute(f"update {table} set value_json = ? where {where}", [new])  # noqa: S608
    connection.close()


OF_STUDY = "study_user_attributes"
OF_TRIAL = "trial_user_attributes"
DAMAGES = [
    (OF_TRIAL, "recipe", "{", "trial 1 has rows that are not Optuna's"),
    (OF_TRIAL, "recipe", lambda old: 7, "the record 'recipe' of trial 1 must be a table"),
    (OF_TRIAL, "recipe", lambda old: {**old, "seed": "x"}, "`seed` must be a whole number, but got 'x'"),
    (OF_TRIAL, "recipe", lambda old: {**old, "config": {}}, "the record 'recipe' of trial 1 has no configuration"),
    (OF_TRIAL, "recipe", lambda old: {**old, "format": 99}, "must have a format of up to"),
    (OF_TRIAL, "reached", lambda old: None, "has no record 'reached'"),
    (OF_TRIAL, "reached", lambda old: {**old, "rung": "7x7"}, "of a rung '7x7' that the ladder has not"),
    (OF_TRIAL, "reached", lambda old: {**old, "auc": [0.5]}, "there must be one value a fold"),
    (OF_TRIAL, "reached", lambda old: {**old, "accepted": "11111"}, "`accepted` must be a list"),
    (OF_TRIAL, "reached", lambda old: {**old, "signals": [-1] * 5}, "must be from 0"),
    (OF_TRIAL, "reached", lambda old: {**old, "seconds": float("nan")}, "`seconds` must be a finite number"),
    (OF_TRIAL, "start", lambda old: [], "the record 'start' of trial 1 must be a table"),
]


@pytest.mark.parametrize(("table", "key", "change", "message"), DAMAGES)
def test_a_damaged_record_is_named_and_the_rest_shown(finished: Study, table: str, key: str, change: Any, message: str) -> None:
    rewrite(finished, table, key, change)
    with pytest.raises(StudyError) as caught:
        find_study("tiny", finished.storage)
    (line,) = str(caught.value).splitlines()
    assert line.startswith("study 'tiny' must be as pitsearch wrote it, but ")
    assert message in line
    assert "trial 1" in line
    assert "2 of 3 trials can be read" in line
    status = summarise(find_study("tiny", finished.storage, whole=False))
    assert (status.complete, len(status.unreadable)) == (2, 1)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("{", "its attribute 'pitsearch:plan' is no JSON"),
        (lambda old: {**old, "folds": "012"}, "its attribute 'pitsearch:plan' is none"),
        (lambda old: {**old, "folds": [9, 9]}, "its attribute 'pitsearch:plan' is none"),
        (lambda old: {**old, "space": {"network.depth": [1e30]}}, "its attribute 'pitsearch:plan' is none"),
        (lambda old: [1], "its attribute 'pitsearch:plan' is none"),
    ],
)
def test_a_damaged_plan_is_refused_everywhere(finished: Study, change: Any, message: str) -> None:
    rewrite(finished, OF_STUDY, "pitsearch:plan", change)
    for refuse in (
        lambda: find_study("tiny", finished.storage),
        lambda: summarise(find_study("tiny", finished.storage, whole=False)),
    ):
        with pytest.raises(StudyError, match="study 'tiny' must be as pitsearch wrote it") as caught:
            refuse()
        assert message in str(caught.value)
        assert "3 of 3 trials can be read" in str(caught.value)


def test_a_damaged_launch_record_is_named(finished: Study) -> None:
    rewrite(finished, OF_STUDY, "pitsearch:launch", lambda old: {**old, "trials": "many"})
    with pytest.raises(StudyError, match=r"the last launch of study 'tiny' must .* `trials` must be a whole number"):
        summarise(finished)


@pytest.mark.parametrize(
    ("statement", "message"),
    [
        ("update trials set state = 'DREAMING' where number = 1", "trial 1 has rows that are not Optuna's"),
        ("update trial_params set distribution_json = '{}' where trial_id = 2", "trial 1 has rows that are not Optuna's"),
        ("delete from trial_user_attributes where key = 'recipe' and trial_id = 2", "has no record 'recipe'"),
    ],
)
def test_rows_of_another_program_are_named(finished: Study, statement: str, message: str) -> None:
    execute(finished, statement)
    with pytest.raises(StudyError, match=message):
        find_study("tiny", finished.storage)
    assert summarise(find_study("tiny", finished.storage, whole=False)).complete == 2


def test_the_configuration_of_a_whole_trial_can_be_read(finished: Study) -> None:
    rewrite(finished, OF_TRIAL, "recipe", "{")
    assert "labelling.scheme" in known_text(find_study("tiny", finished.storage, whole=False), 0)
    with pytest.raises(StudyError, match=r"trial 1 of study 'tiny' has none; choose from 0 to 2"):
        known_text(find_study("tiny", finished.storage, whole=False), 1)


def test_a_study_of_another_program_is_not_called_damaged(finished: Study, tmp_path: Path) -> None:
    execute(finished, "delete from study_user_attributes where key = 'pitsearch:plan'")
    with pytest.raises(StudyError, match="must be one that pitsearch made"):
        _ = find_study("tiny", finished.storage).plan
