"""Leases: which worker holds which trial, and until when, in a table beside Optuna's own.

A lease is registered in the transaction that creates or resumes a trial, so that no trial runs without one. Its holder renews
it. The lease of a holder that died or was cut off expires, by the database's clock; the next worker that looks then makes the
trial wait for another worker. Every later write of the old holder is refused: the lease has another token. The budget is
counted in the transaction that hands out a trial, with the study's row locked, so that exactly as many trials run as the launch
requested. A trial that was ended from outside, or deleted with its study, is nobody's any more. Knows nothing of what a trial
does.
"""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sql
from optuna.trial import TrialState, create_trial
from sqlalchemy.orm import Session

from search.errors import StudyGone
from search.storage.clock import is_gone, read_clock, this_process
from search.storage.json_values import as_json
from search.storage.lease_table import LEASES, remove_rows
from search.storage.optuna_internals import models, note_open
from search.storage.places import FINISHED, OF_STUDY, UID, Choose, attribute_of, count_places, read_launch, start_new
from search.storage.progress_table import remove_old_progress, write_progress
from search.storage.rdb import RetryingRDBStorage
from search.storage.rung_table import RUNGS, Start, end_pause, of_study
from search.trials.records import ERROR, PAUSED, STOPPED, TrialOrigin

# Seconds that a lease lasts, and after which it is renewed: a database may be away for the difference and no lease expires.
LEASE_S = float(os.environ.get("PITSEARCH_LEASE_S", 120))
RENEW_S = LEASE_S / 6
# How often a trial is resumed after its worker was lost. After that the trial itself is taken for the cause.
TAKEN_UP = 3


class LeaseLost(Exception):
    """A trial was given to another worker, ended from outside or deleted: a write of its worker about it is refused."""


@dataclass(frozen=True)
class Lease:
    """A trial that a worker holds."""

    # Optuna's id of the trial.
    trial_id: int
    # The trial's number in its study.
    number: int
    token: str
    # How often a worker was lost while it held the trial.
    taken_up: int = 0


@dataclass(frozen=True)
class StaleTrial:
    """A trial whose worker was lost."""

    number: int
    # Whether the trial waits for another worker; False where its workers were lost too often.
    waits: bool


def claim(
    storage: RetryingRDBStorage, study_id: int, start: TrialOrigin, uid: str | None = None, choose: Choose = start_new
) -> Lease | None:
    """Resume the first trial that was interrupted or enqueued, or what is chosen; None where that is nothing.

    `uid`: of the study, where it has one. Raises StudyGone where the study was deleted, also where another has its number now.
    """
    token = secrets.token_hex(16)
    return storage.transact(lambda session: _claim(storage, session, study_id, start, token, uid, choose))


def _claim(
    storage: RetryingRDBStorage,
    session: Session,
    study_id: int,
    start: TrialOrigin,
    token: str,
    uid: str | None,
    choose: Choose,
) -> Lease | None:
    study = models.StudyModel
    locked = session.query(study).filter_by(study_id=study_id).with_for_update().one_or_none()  # one at a time
    if locked is None or (uid is not None and attribute_of(session, *OF_STUDY, study_id, UID) != uid):
        raise StudyGone
    mine = session.execute(sql.select(LEASES.c.trial_id).where(LEASES.c.token == token)).scalar()
    if mine is not None:  # claimed before; only the answer was lost
        return _lease(session, mine)
    launched = read_launch(session, study_id)
    places = count_places(session, study_id, launched, (*FINISHED, TrialState.RUNNING))
    waiting = _next_waiting(session, study_id) if places else None
    chosen = choose(session, places, launched, None) if waiting is None else Start.NEW
    if chosen is Start.NOTHING:
        return None
    if not isinstance(chosen, Start):
        waiting = models.TrialModel.find_or_raise_by_id(chosen, session)
        end_pause(session, chosen)
        storage.write_attribute(session, models.TrialUserAttributeModel, chosen, PAUSED.name, "")
    if waiting is None:
        template = create_trial(state=TrialState.RUNNING, user_attrs=start.attribute())
        trial_id = storage.insert_trial(study_id, template, session)
        remove_rows(session, trial_id=trial_id)
    else:
        waiting.state, waiting.datetime_start, trial_id = TrialState.RUNNING, datetime.now(), waiting.trial_id
        before = attribute_of(session, models.TrialUserAttributeModel, "trial_id", trial_id, TrialOrigin.name) or {}
        for name, value in TrialOrigin(start.launch, start.worker, before.get("origin")).attribute().items():
            storage.write_attribute(session, models.TrialUserAttributeModel, trial_id, name, value)
    session.flush()
    remove_old_progress(session, study_id)
    clock, now = read_clock(session)
    held = {"token": token, "process": this_process(), "clock": clock, "until": now + LEASE_S}
    if waiting is None or not _update(session, (LEASES.c.trial_id == trial_id) & (LEASES.c.study_id == study_id), **held):
        if waiting is not None:
            session.execute(sql.delete(LEASES).where(LEASES.c.trial_id == trial_id))  # of a study that was deleted
        session.execute(sql.insert(LEASES).values(trial_id=trial_id, study_id=study_id, taken_up=0, **held))
    return _lease(session, trial_id)


def _next_waiting(session: Session, study_id: int) -> Any:
    """Find the first trial that waits for a worker and is not paused."""
    trial = models.TrialModel
    paused = sql.exists().where(RUNGS.c.trial_id == trial.trial_id, of_study(study_id), RUNGS.c.paused)
    waiting = session.query(trial).filter_by(study_id=study_id, state=TrialState.WAITING)
    return waiting.filter(~paused).order_by(trial.number).first()


def _lease(session: Session, trial_id: int) -> Lease:
    trial = models.TrialModel
    held = sql.select(trial.number, LEASES.c.token, LEASES.c.taken_up).join(LEASES, LEASES.c.trial_id == trial.trial_id)
    number, token, taken_up = session.execute(held.where(trial.trial_id == trial_id)).one()
    return Lease(trial_id, int(number), token, taken_up)


def has_workers(storage: RetryingRDBStorage, study_id: int) -> bool:
    """Tell whether a trial of a study runs under a lease: one that runs without was started by no worker of ours."""
    trial = models.TrialModel
    running = (
        sql.select(sql.func.count())
        .select_from(trial)
        .join(LEASES, LEASES.c.trial_id == trial.trial_id)
        .where(trial.study_id == study_id, trial.state == TrialState.RUNNING, LEASES.c.token.is_not(None))
    )
    return bool(storage.transact(lambda session: session.execute(running).scalar(), reads=True))


def require_lease(lease: Lease) -> Callable[[Session], None]:
    """Give a guard for a transaction, which raises LeaseLost where the trial does not run under this lease any more."""

    def guard(session: Session) -> None:
        held = sql.select(LEASES).where(LEASES.c.trial_id == lease.trial_id).with_for_update()
        row = session.execute(held).one_or_none()
        if row is None or row.token != lease.token:
            raise LeaseLost
        trial = models.TrialModel
        runs = sql.select(trial.state).where(trial.trial_id == row.trial_id, trial.study_id == row.study_id).with_for_update()
        if session.execute(runs).scalar() != TrialState.RUNNING:
            raise LeaseLost
        note_open(session, lease.trial_id)

    return guard


def renew(storage: RetryingRDBStorage, lease: Lease, progress: str | None = None) -> bool:
    """Extend a lease to LEASE_S from now; tell whether it is still held, and its trial still runs.

    `progress`: how far the trial has come, written with it.
    """

    def write(session: Session) -> bool:
        clock, now = read_clock(session)
        trial = models.TrialModel
        runs = sql.exists().where(
            trial.trial_id == LEASES.c.trial_id, trial.study_id == LEASES.c.study_id, trial.state == TrialState.RUNNING
        )
        mine = (LEASES.c.trial_id == lease.trial_id) & (LEASES.c.token == lease.token) & runs
        held = _update(session, mine, clock=clock, until=now + LEASE_S) > 0
        if held and progress is not None:
            study_id = session.execute(sql.select(LEASES.c.study_id).where(LEASES.c.trial_id == lease.trial_id)).scalar_one()
            write_progress(session, study_id, lease.trial_id, lease.token, progress)
        return held

    return storage.transact(write)


def release(storage: RetryingRDBStorage, lease: Lease, reason: str) -> None:
    """Make a held trial wait for another worker, with the reason. Raises LeaseLost where another worker holds it."""

    def write(session: Session) -> None:
        require_lease(lease)(session)
        _requeue(storage, session, lease.trial_id, reason)

    storage.transact(write)


def requeue_stale_trials(storage: RetryingRDBStorage, study_id: int) -> list[StaleTrial]:
    """Make the trials wait whose lease has expired, or whose worker, on this machine, has ended.

    A trial that was resumed TAKEN_UP times already is failed, with the reason.
    """
    # Mostly there are none, and looking takes no lock.
    if not storage.transact(lambda session: _run_out(session, study_id), reads=True):
        return []
    return storage.transact(lambda session: _requeue_stale(storage, session, study_id))


def _run_out(session: Session, study_id: int) -> list[tuple[Any, str]]:
    """Find the leases of running trials that are no longer valid, and why."""
    running = (
        sql.select(LEASES, models.TrialModel.number)
        .join(models.TrialModel, models.TrialModel.trial_id == LEASES.c.trial_id)
        # By the trial's study: a row of a study that was deleted must keep no trial running.
        .where(
            models.TrialModel.study_id == study_id,
            LEASES.c.token.is_not(None),
            models.TrialModel.state == TrialState.RUNNING,
        )
    )
    clock, now = read_clock(session)
    rows = session.execute(running).all()
    dead = [(row, "its worker died") for row in rows if is_gone(row.process)]
    silent = [row for row in rows if (row.clock != clock or row.until < now) and not is_gone(row.process)]
    return dead + [(row, "its worker was not heard of any more") for row in silent]


def _requeue_stale(storage: RetryingRDBStorage, session: Session, study_id: int) -> list[StaleTrial]:
    lost = []
    for row, why in _run_out(session, study_id):
        again = sql.select(LEASES.c.token, LEASES.c.until).where(LEASES.c.trial_id == row.trial_id).with_for_update()
        state = sql.select(models.TrialModel.state).where(models.TrialModel.trial_id == row.trial_id).with_for_update()
        if session.execute(again).one_or_none() != (row.token, row.until):
            continue  # renewed, or resumed, since it was read
        if session.execute(state).scalar() != TrialState.RUNNING:
            continue  # ended from outside
        if row.taken_up < TAKEN_UP:
            _requeue(storage, session, row.trial_id, why)
            _update(session, LEASES.c.trial_id == row.trial_id, taken_up=row.taken_up + 1)
        else:
            reason = f"{why}, as did {row.taken_up} before it: too little memory, perhaps, for this configuration"
            attribute = models.TrialUserAttributeModel, row.trial_id
            storage.write_attribute(session, *attribute, ERROR.name, reason)
            trial = models.TrialModel.find_or_raise_by_id(row.trial_id, session)
            trial.state, trial.datetime_complete = TrialState.FAIL, datetime.now()
            _update(session, LEASES.c.trial_id == row.trial_id, token=None)
        lost.append(StaleTrial(row.number, row.taken_up < TAKEN_UP))
    return lost


def _requeue(storage: RetryingRDBStorage, session: Session, trial_id: int, reason: str) -> None:
    attribute = models.TrialUserAttributeModel, trial_id
    storage.write_attribute(session, *attribute, STOPPED.name, reason)
    models.TrialModel.find_or_raise_by_id(trial_id, session).state = TrialState.WAITING
    _update(session, LEASES.c.trial_id == trial_id, token=None)


def _update(session: Session, where: sql.ColumnElement[bool], **values: object) -> int:
    """Change leases, and give their number."""
    result: Any = session.execute(sql.update(LEASES).where(where).values(**values))
    return int(result.rowcount)


def enqueue_trials(storage: RetryingRDBStorage, study_id: int, known: Mapping[str, Mapping[str, Any]]) -> None:
    """Enqueue trials whose choices are known: by origin, the user attributes of each. An origin is added once."""

    def add(session: Session) -> None:
        models.StudyModel.find_or_raise_by_id(study_id, session, for_update=True)
        starts = (
            session.query(models.TrialUserAttributeModel.value_json)
            .join(models.TrialModel)
            .filter(models.TrialModel.study_id == study_id, models.TrialModel.state != TrialState.FAIL)
            .filter(models.TrialUserAttributeModel.key == TrialOrigin.name)
        )
        origins = {json.loads(text)["origin"] for (text,) in starts}
        for origin, attributes in known.items():
            if origin not in origins:
                template = create_trial(state=TrialState.WAITING, user_attrs=json.loads(as_json(attributes)))
                remove_rows(session, trial_id=storage.insert_trial(study_id, template, session))

    storage.transact(add)
