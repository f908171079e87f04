"""The table of leases beside Optuna's own, and how rows of our own tables go. Knows nothing of who holds a lease.

SQLite gives the numbers of studies and trials that were deleted to later ones: a row counts for a trial only while both of its
numbers are the trial's, and rows go when their study is deleted, or another study or trial gets its number.
"""

from __future__ import annotations

import sqlalchemy as sql
from sqlalchemy.orm import Session

from search.storage.optuna_internals import models

METADATA = sql.MetaData()
LEASES = sql.Table(
    "pitsearch_leases",
    METADATA,
    sql.Column("trial_id", sql.Integer, primary_key=True, autoincrement=False),
    sql.Column("study_id", sql.Integer, nullable=False, index=True),
    # The holder's; null while no worker holds the lease.
    sql.Column("token", sql.String(64), index=True),
    sql.Column("process", sql.String(256), nullable=False),
    # The clock that `until` is counted by.
    sql.Column("clock", sql.String(64), nullable=False),
    # In seconds.
    sql.Column("until", sql.Float(53), nullable=False),
    # How often a worker was lost while it held the trial.
    sql.Column("taken_up", sql.Integer, nullable=False),
)


def remove_lost_rows(session: Session) -> None:
    """Remove our rows of all studies that were deleted: whoever deletes a study by Optuna alone knows nothing of them."""
    study = models.StudyModel
    for table in METADATA.sorted_tables:
        session.execute(sql.delete(table).where(~sql.exists().where(study.study_id == table.c.study_id)))


def remove_rows(session: Session, *, study_id: int | None = None, trial_id: int | None = None) -> None:
    """Remove our rows of a study, or of a trial."""
    name, number = ("study_id", study_id) if trial_id is None else ("trial_id", trial_id)
    for table in METADATA.sorted_tables:
        session.execute(sql.delete(table).where(table.c[name] == number))
