"""The table of progress beside Optuna's own: how far each trial that runs has come since its last rung.

A row belongs to a lease. It is written in the transaction that renews the lease, and counts while the lease is held. Rows of
leases that ended are removed when the next trial is handed out. Knows nothing of what progress is.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sql
from optuna.trial import TrialState
from sqlalchemy.orm import Session

from search.storage.lease_table import LEASES, METADATA
from search.storage.optuna_internals import models

PROGRESS = sql.Table(
    "pitsearch_progress",
    METADATA,
    sql.Column("trial_id", sql.Integer, primary_key=True, autoincrement=False),
    sql.Column("study_id", sql.Integer, nullable=False, index=True),
    # Of the lease under which it was written.
    sql.Column("token", sql.String(64), nullable=False),
    sql.Column("content", sql.Text, nullable=False),
)


def write_progress(session: Session, study_id: int, trial_id: int, token: str, content: str) -> None:
    """Write how far a trial has come, in place of what was written before."""
    values = {"study_id": study_id, "token": token, "content": content}
    written: Any = session.execute(sql.update(PROGRESS).where(PROGRESS.c.trial_id == trial_id).values(**values))
    if not written.rowcount:
        session.execute(sql.insert(PROGRESS).values(trial_id=trial_id, **values))


def read_progress(session: Session, study_id: int) -> dict[int, str]:
    """Give what was written of each trial of a study that runs under the same lease still, by the trial's id."""
    trial, same_lease = models.TrialModel, (PROGRESS.c.trial_id == LEASES.c.trial_id) & (PROGRESS.c.token == LEASES.c.token)
    query = sql.select(PROGRESS.c.trial_id, PROGRESS.c.content).join(LEASES, same_lease)
    query = query.join(trial, (trial.trial_id == PROGRESS.c.trial_id) & (trial.study_id == PROGRESS.c.study_id))
    rows = session.execute(query.where(PROGRESS.c.study_id == study_id, trial.state == TrialState.RUNNING)).all()
    return {int(row.trial_id): row.content for row in rows}


def remove_old_progress(session: Session, study_id: int) -> None:
    """Remove the rows of a study whose leases have ended."""
    held = sql.exists().where(LEASES.c.trial_id == PROGRESS.c.trial_id, LEASES.c.token == PROGRESS.c.token)
    session.execute(sql.delete(PROGRESS).where(PROGRESS.c.study_id == study_id, ~held))
