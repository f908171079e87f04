"""Read a study so that one row which nobody can read does not hide the others. Changes nothing.

Optuna reads all trials of a study at once, which is fast, and all attributes; where that fails, rows are read one by one. Knows
nothing of what rows hold.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from optuna.trial import FrozenTrial
from sqlalchemy.orm import Session

from search.storage.optuna_internals import models
from search.storage.rdb import RetryingRDBStorage
from search.storage.retry import reason_of


@dataclass(frozen=True)
class RawStudy:
    """The rows of a study that can be read, and why the others cannot."""

    # By key; those of the user, which are ours, and those of Optuna.
    attributes: Mapping[str, Any]
    system: Mapping[str, Any]
    # By number.
    trials: Mapping[int, FrozenTrial]
    # Of attributes by key, and of trials by number.
    attribute_faults: Mapping[str, str]
    trial_faults: Mapping[int, str]


def study_names(storage: RetryingRDBStorage) -> list[str]:
    """List the names of all studies; Optuna's own list reads every attribute, and fails at one that is damaged."""

    def names(session: Session) -> list[str]:
        return sorted(str(name) for (name,) in session.query(models.StudyModel.study_name))

    return storage.transact(names, reads=True)


def read_raw(storage: RetryingRDBStorage, study_id: int) -> RawStudy:
    """Read the rows of a study. Raises what a database raises whose tables cannot be read at all."""
    faults: dict[str, str] = {}
    attributes = _attributes(storage, study_id, models.StudyUserAttributeModel, faults)
    system = _attributes(storage, study_id, models.StudySystemAttributeModel, faults)
    numbers = storage.transact(lambda session: _numbers(session, study_id), reads=True)
    trials = _all_trials(storage, study_id, len(numbers))
    trial_faults: dict[int, str] = {}
    if trials is None:
        trials = {}
        for trial_id, number in numbers:
            try:
                trials[int(number)] = storage.get_trial(trial_id)
            except Exception as error:  # whatever Optuna's reading of a row that it did not write ends in
                trial_faults[number if isinstance(number, int) else -1] = reason_of(error)[:200]
    return RawStudy(attributes, system, trials, faults, trial_faults)


def _all_trials(storage: RetryingRDBStorage, study_id: int, least: int) -> dict[int, FrozenTrial] | None:
    """Read all trials at once, by number; None where that fails, or does not give as many as there are rows."""
    try:
        trials = {trial.number: trial for trial in storage.get_all_trials(study_id, deepcopy=False)}
    except Exception:  # as above
        return None
    is_whole = len(trials) >= least and all(isinstance(number, int) for number in trials)
    return trials if is_whole else None


def _numbers(session: Session, study_id: int) -> list[tuple[int, Any]]:
    rows = session.query(models.TrialModel.trial_id, models.TrialModel.number).filter_by(study_id=study_id)
    return [(int(trial_id), number) for trial_id, number in rows.order_by(models.TrialModel.trial_id)]


def _attributes(storage: RetryingRDBStorage, study_id: int, kind: Any, faults: dict[str, str]) -> dict[str, Any]:
    def rows(session: Session) -> list[tuple[str, str]]:
        return [(str(row.key), row.value_json) for row in session.query(kind.key, kind.value_json).filter_by(study_id=study_id)]

    attributes = {}
    for key, text in storage.transact(rows, reads=True):
        try:
            attributes[key] = json.loads(text)
        except (ValueError, TypeError, RecursionError) as error:
            faults[key] = reason_of(error)[:200]
    return attributes
