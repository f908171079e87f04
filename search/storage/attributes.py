"""Add an attribute of a study in one transaction, so that processes which add at once overwrite nothing of each other's.

Knows nothing of what the attributes hold.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from sqlalchemy.orm import Session

from search.storage.json_values import as_json
from search.storage.optuna_internals import models
from search.storage.rdb import RetryingRDBStorage

# Gives a key and a value from all attributes of a study.
Change = Callable[[Mapping[str, Any]], tuple[str, Any]]


def add_attribute(storage: RetryingRDBStorage, study_id: int, change: Change) -> str:
    """Write one user attribute that follows from those that the study has, and give its key; the study's row is locked.

    `change` may run again where the database lost its answer: it then has to recognise what it wrote before.
    """

    def write(session: Session) -> str:
        models.StudyModel.find_or_raise_by_id(study_id, session, for_update=True)  # one process at a time
        rows: list[Any] = session.query(models.StudyUserAttributeModel).filter_by(study_id=study_id).all()
        key, value = change({row.key: json.loads(row.value_json) for row in rows})
        row = next((row for row in rows if row.key == key), None)
        if row is None:
            session.add(models.StudyUserAttributeModel(study_id=study_id, key=key, value_json=as_json(value)))
        else:
            row.value_json = as_json(value)
        return key

    return storage.transact(write)
