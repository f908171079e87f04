"""A worker: takes one trial after the other from a study's database, until there is none left or it is asked to stop.

The same on every machine, whoever started it: a launch, a cluster, or a person. A trial that was interrupted goes first. Knows
nothing of other workers but what the database says.
"""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Iterator
from contextlib import suppress
from functools import partial

import optuna
from optuna.exceptions import StorageInternalError
from optuna.trial import TrialState
from sqlalchemy.exc import SQLAlchemyError

from models.process import one_thread
from search.errors import StudyError, StudyGone
from search.pruning.promotion import PROMOTION
from search.storage.checkpoints import CheckpointStore
from search.storage.leases import Lease, LeaseLost, claim, has_workers, release, requeue_stale_trials, require_lease
from search.storage.optuna_internals import study_id_of
from search.storage.pausing import stands
from search.storage.rung_table import Standing
from search.studies.standings import chooser
from search.studies.study import Study, deletion_refused
from search.trials.baseline import is_baseline
from search.trials.ranking import find_trial
from search.trials.records import ERROR, RungResult, TrialOrigin
from search.workers.context import WorkerContext
from search.workers.heartbeat import LeaseHeartbeat
from search.workers.objective import TrialPaused, climb
from search.workers.sampler import open_study
from search.workers.stop_signal import StopRequested, StopSignal
from search.workers.trial_context import TrialContext

# Seconds between two looks of a worker that has nothing to do while others work.
IDLE_S = 1.0


def work(context: WorkerContext, stop: StopSignal) -> Iterator[int]:
    """Run trials until the study's budget is done, or a request to stop; give each one's number when it has ended.

    Raises StudyError where a checkpoint cannot be written; its trial waits for another worker then. Raises StudyGone where the
    study was deleted.
    """
    with deletion_refused(context.study, context.runs):
        yield from _work(context, stop)


def _work(context: WorkerContext, stop: StopSignal) -> Iterator[int]:
    backend, study_id, uid = context.study.backend, context.study.id, context.study.uid
    while stop.reason() is None:
        for stale in requeue_stale_trials(backend, study_id):
            if not stale.waits:
                CheckpointStore(context.runs / str(stale.number), "").drop()
        origin = TrialOrigin(context.launch, f"{socket.gethostname()}:{os.getpid()}")
        lease = claim(backend, study_id, origin, uid, chooser(context.plan, study_id))
        if lease is not None:
            run_trial(context, lease, stop)
            _ = context.study.optuna  # raises StudyGone before anybody looks for the trial in a later study of the name
            yield lease.number
        elif context.patient and has_workers(backend, study_id):
            time.sleep(IDLE_S)
        else:
            return


def run_trial(context: WorkerContext, lease: Lease, stop: StopSignal) -> None:
    """Run a trial whose lease is held to its end, whatever that is, or until it is to wait for another worker.

    The trial computes on one thread. An exception fails the trial, with its reason, and no other.
    """
    try:
        with LeaseHeartbeat(context.study.backend, lease, stop) as heartbeat:
            _run(context, lease, heartbeat)
    except LeaseLost:
        # Another worker has it, ends it, and keeps its checkpoints, unless it was ended from outside or deleted.
        if _is_over(context.study, lease):
            CheckpointStore(context.runs / str(lease.number), lease.token).drop()


def _stands(context: WorkerContext, study_id: int, lease: Lease, demanded: bool, result: RungResult, height: int) -> bool:
    """Write how a trial stands on a rung, and tell whether it climbs on; under a pruner, which has been asked, it does."""
    plan = context.plan
    if plan.options.pruner != PROMOTION or result.mean_acceptance is None:
        return True
    standing = Standing(lease.trial_id, height, result.mean_acceptance, result.pace, demanded)
    choose = None if height == len(plan.ladder.rungs) - 1 else chooser(plan, study_id)
    return stands(context.study.backend, study_id, lease, standing, result.rung, choose)


def _is_over(study: Study, lease: Lease) -> bool:
    try:
        trial = find_trial(study.optuna.get_trials(deepcopy=False), lease.number)
    except StudyGone:
        return True
    return trial is None or trial.state.is_finished()


def _run(context: WorkerContext, lease: Lease, heartbeat: LeaseHeartbeat) -> None:
    backend, study = context.study.backend, open_study(context.study, context.plan, lease.number)
    trial, checkpoints = optuna.Trial(study, lease.trial_id), CheckpointStore(context.runs / str(lease.number), lease.token)
    transaction = partial(backend.transaction, require_lease(lease))
    stands = partial(_stands, context, study_id_of(study), lease, is_baseline(trial))
    values, state, reason_failed = None, None, None
    try:
        with one_thread():
            trial_context = TrialContext(
                heartbeat.check, heartbeat.report, heartbeat.interrupt, transaction, checkpoints, stands
            )
            values = climb(trial, context.data, context.plan, trial_context, context.device)
    except optuna.TrialPruned:
        state = TrialState.PRUNED
    except TrialPaused:
        return
    except StopRequested as request:
        release(backend, lease, str(request))
        return
    except StudyError:  # LeaseLost in its place: whatever was in the way of a trial that is another's now is not ours to tell
        release(backend, lease, "its checkpoint could not be written")
        raise
    except KeyboardInterrupt:
        with suppress(LeaseLost):
            release(backend, lease, "stopped by hand")
        raise
    except (LeaseLost, StorageInternalError, SQLAlchemyError):
        raise  # nothing can be written about it
    except Exception as error:  # a broken trial must not end the search; the reason is kept and shown
        state, reason_failed = TrialState.FAIL, f"{type(error).__name__}: {error}".splitlines()[0]
    try:
        with transaction():
            if reason_failed is not None:
                ERROR.write(trial, reason_failed)
            study.tell(trial, values, state=state)
    except (ValueError, KeyError):  # Optuna's, where another has ended it or lets it wait, or its study is deleted
        backend.transact(require_lease(lease))
        raise
    checkpoints.drop()
