"""The places of a study's budget: how many trials may still start, and what a free worker is to do.

Counted in the transaction that hands out a trial. Knows nothing of leases, nor of how a choice is made.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

from optuna.trial import TrialState
from sqlalchemy.orm import Session

from search.storage.optuna_internals import models
from search.storage.rdb import RetryingRDBStorage
from search.storage.rung_table import Standing, Start, count_trials

# The keys of the study attributes with the options of its last launch, and with what tells it from others of its name.
LAUNCH, UID = "pitsearch:launch", "pitsearch:uid"
FINISHED = (TrialState.COMPLETE, TrialState.PRUNED)
# Stands for places without number, where a launch is to end by its time alone.
ANY = 2**31
# Where the attributes of a study are.
OF_STUDY = (models.StudyUserAttributeModel, "study_id")
# Chooses for a free worker, given the places of the budget that are free, what `read_launch` gives, and how a trial stands that
# is not in the table yet: the id of a paused trial, or what else to do.
Choose = Callable[[Session, int, Any, Standing | None], int | Start]


def start_new(session: Session, places: int, launched: Any, arrived: Standing | None) -> int | Start:
    """Start a new trial while the budget has room."""
    return Start.NEW if places else Start.NOTHING


def open_places(storage: RetryingRDBStorage, study_id: int, choose: Choose = start_new) -> int:
    """Count what there is to do: places of the budget that are free, trials that run, and one more that may be promoted."""

    def count(session: Session) -> int:
        launched = read_launch(session, study_id)
        free = count_places(session, study_id, launched, (*FINISHED, TrialState.RUNNING))
        promoted = not isinstance(choose(session, free, launched, None), Start)
        return count_places(session, study_id, launched, FINISHED) + promoted

    return storage.transact(count, reads=True)


def count_places(session: Session, study_id: int, launched: Any, filled: Sequence[TrialState]) -> int:
    """Count the places of the budget that these trials, paused ones, and those that broke in this launch leave."""
    if launched is None:
        return 0
    if launched["trials"] is None:
        return ANY
    counts, paused = count_trials(session, study_id)
    broken = counts.get(TrialState.FAIL, 0) - launched["failed"]
    taken = sum(counts.get(state, 0) for state in filled) + paused + max(broken, 0)
    return int(max(launched["trials"] - taken, 0))


def read_launch(session: Session, study_id: int) -> Any:
    """Read what the last launch of a study asked for, as it is stored; None where there was none."""
    return attribute_of(session, *OF_STUDY, study_id, LAUNCH)


def attribute_of(session: Session, kind: Any, owner: str, number: int, key: str) -> Any:
    """Read an attribute of a study or a trial, None where it has none. `owner`: the column of the number."""
    text = session.query(kind.value_json).filter_by(**{owner: number, "key": key}).scalar()
    return None if text is None else json.loads(text)
