"""The table of rungs beside Optuna's own: how every trial stood on each rung that it reached, and whether it is paused there.

A row is a fact that never changes but for `paused`: a trial is paused on the last rung that it reached, and on no other. What
may be promoted is decided from these rows alone, so that no trial need be read for it. Optuna's copy of a study has none of
them; `search/studies/standings.py` makes them again from the trials' records. Knows nothing of the rule of promotion.
"""

from __future__ import annotations

from enum import Enum
from typing import Any, NamedTuple

import sqlalchemy as sql
from optuna.trial import TrialState
from sqlalchemy.orm import Session

from search.storage.lease_table import METADATA
from search.storage.optuna_internals import models

RUNGS = sql.Table(
    "pitsearch_rungs",
    METADATA,
    sql.Column("trial_id", sql.Integer, primary_key=True, autoincrement=False),
    # The number of the rung on the ladder, from 0.
    sql.Column("height", sql.Integer, primary_key=True, autoincrement=False),
    sql.Column("study_id", sql.Integer, nullable=False, index=True),
    sql.Column("score", sql.Float(53), nullable=False),
    # Seconds that the trial has taken for an epoch of a fold.
    sql.Column("pace", sql.Float(53), nullable=False),
    # Whether the trial is to climb the whole ladder in the end.
    sql.Column("demanded", sql.Boolean, nullable=False),
    sql.Column("paused", sql.Boolean, nullable=False),
)


class Start(Enum):
    """What a worker does that promotes no trial."""

    NEW = "start a new trial"
    NOTHING = "nothing"


class Standing(NamedTuple):
    """How a trial stood on a rung. A tuple: a choice reads thousands, and a dataclass takes twice as long to make."""

    # Optuna's id of the trial.
    trial_id: int
    # The number of the rung, from 0.
    height: int
    # What trials on a rung are compared by.
    score: float
    # Seconds for an epoch of a fold.
    pace: float
    # Whether the trial is to climb the whole ladder in the end.
    demanded: bool = False
    # Whether it is paused on this rung.
    paused: bool = False


def of_study(study: Any) -> sql.ColumnElement[bool]:
    """Tell a row that is a study's, given its id or the column of it, where a row is looked up by its trial.

    `+ 0` hides the index of studies: as long as PostgreSQL has no statistics, and SQLite always, all rows of the study would be
    looked through for each trial.
    """
    mine: sql.ColumnElement[bool] = RUNGS.c.study_id + 0 == study
    return mine


def read_standings(session: Session, study_id: int) -> list[Standing]:
    """Read the standings of a study's trials, but for those that failed; what was ended from outside is not paused."""
    trial = models.TrialModel
    paused = RUNGS.c.paused & (trial.state == TrialState.WAITING)
    columns = RUNGS.c.trial_id, RUNGS.c.height, RUNGS.c.score, RUNGS.c.pace, RUNGS.c.demanded, paused
    rows = session.execute(_joined(sql.select(*columns), study_id).where(trial.state != TrialState.FAIL))
    return [Standing._make(row) for row in rows]


def write_standing(session: Session, study_id: int, standing: Standing) -> None:
    """Write a standing that is not there yet."""
    values = {**standing._asdict(), "study_id": study_id}
    session.execute(sql.insert(RUNGS).values(**values))


def has_standing(session: Session, trial_id: int, height: int) -> bool:
    """Tell whether a trial has a standing on a rung."""
    here = (RUNGS.c.trial_id == trial_id) & (RUNGS.c.height == height)
    return session.execute(sql.select(RUNGS.c.trial_id).where(here)).first() is not None


def end_pause(session: Session, trial_id: int) -> None:
    """Let a trial be paused on no rung any more."""
    session.execute(sql.update(RUNGS).where(RUNGS.c.trial_id == trial_id).values(paused=False))


def paused_heights(session: Session, study_id: int) -> dict[int, int]:
    """Give the rung that each paused trial of a study is on, by the trial's id."""
    rows = session.execute(_paused(sql.select(RUNGS.c.trial_id, RUNGS.c.height), study_id)).all()
    return {int(trial_id): int(height) for trial_id, height in rows}


def count_trials(session: Session, study_id: int) -> tuple[dict[TrialState, int], int]:
    """Count the trials of a study in each state, and the paused ones among those that wait.

    The paused ones are counted apart, in the same statement: where PostgreSQL has no statistics, an outer join of all trials
    takes 20 ms for a thousand of them.
    """
    trial = models.TrialModel
    paused = _paused(sql.select(sql.func.count()).select_from(RUNGS), study_id).correlate(None).scalar_subquery()
    counted = sql.select(trial.state, sql.func.count(), paused).where(trial.study_id == study_id).group_by(trial.state)
    rows = session.execute(counted).all()
    return {state: count for state, count, _ in rows}, rows[0][2] if rows else 0


def _paused(query: sql.Select[Any], study_id: int) -> sql.Select[Any]:
    return _joined(query, study_id).where(RUNGS.c.paused, models.TrialModel.state == TrialState.WAITING)


def _joined(query: sql.Select[Any], study_id: int) -> sql.Select[Any]:
    """Join a study's trials to their rows."""
    trial = models.TrialModel
    return query.join(trial, (trial.trial_id == RUNGS.c.trial_id) & of_study(trial.study_id)).where(trial.study_id == study_id)
