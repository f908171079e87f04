"""A worker: takes one trial after the other from a study's database, until there is none left or it is told to stop.

The same on every machine, whoever started it: a launch, a cluster, or a person. A trial that was interrupted goes first. Knows
nothing of other workers but what the database says.
"""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import optuna
from optuna.exceptions import StorageInternalError
from optuna.trial import TrialState
from sqlalchemy.exc import SQLAlchemyError

from foils import Dataset
from models.process import one_thread
from search import defaults
from search.errors import StudyError
from search.storage.checkpoints import CheckpointStore
from search.storage.leases import Lease, LeaseLost, claim, release, requeue_stale_trials, require_lease
from search.studies.plan import Plan
from search.studies.study import Study
from search.trials.records import ERROR, TrialOrigin
from search.workers.heartbeat import LeaseHeartbeat
from search.workers.objective import TrialContext, climb
from search.workers.sampler import open_study
from search.workers.stop_signal import StopRequested, StopSignal

# Seconds between two looks of a worker that has nothing to do while others work.
IDLE_S = 1.0


@dataclass(frozen=True)
class Job:
    """What a worker works on.

    `data`: the pits that trials may see; `launch`: marks the trials of one launch, empty for a worker that joined by hand;
    `runs`: the folder of the study's checkpoints; `device`: where to train; `patient`: whether a worker with nothing to do
    waits while others work, for what they may leave.
    """

    study: Study
    plan: Plan
    data: Dataset
    launch: str
    runs: Path
    device: str = defaults.DEVICE
    patient: bool = True


def work(job: Job, orders: StopSignal) -> Iterator[int]:
    """Run trials until the study's budget is done, or an order to stop comes; give each one's number when it has ended.

    Raises StudyError where a checkpoint cannot be written; its trial waits for another worker then.
    """
    backend, study_id = job.study.backend, job.study.id
    while orders.reason() is None:
        for lost in requeue_stale_trials(backend, study_id):
            if not lost.waits:
                CheckpointStore(job.runs / str(lost.number), "").drop()
        lease = claim(backend, study_id, TrialOrigin(job.launch, f"{socket.gethostname()}:{os.getpid()}"))
        if lease is not None:
            run_trial(job, lease, orders)
            yield lease.number
        elif job.patient and _others_work(job.study):
            time.sleep(IDLE_S)
        else:
            return


def _others_work(study: Study) -> bool:
    return bool(study.optuna.get_trials(deepcopy=False, states=(TrialState.RUNNING,)))


def run_trial(job: Job, lease: Lease, orders: StopSignal) -> None:
    """Run a trial in hand to its end, whatever that is, or until it is to wait for another worker.

    The trial computes on one thread. An exception fails the trial, with its reason, and no other.
    """
    # LeaseLost: another worker has it, ends it, and keeps its checkpoints.
    with suppress(LeaseLost), LeaseHeartbeat(job.study.backend, lease, orders) as keeper:
        _run(job, lease, keeper)


def _run(job: Job, lease: Lease, keeper: LeaseHeartbeat) -> None:
    backend, study = job.study.backend, open_study(job.study, job.plan, lease.number)
    trial, shelf = optuna.Trial(study, lease.trial_id), CheckpointStore(job.runs / str(lease.number), lease.token)
    transaction = partial(backend.transaction, require_lease(lease))
    values, state, broken = None, None, None
    try:
        with one_thread():
            values = climb(
                trial, job.data, job.plan, TrialContext(keeper.check, keeper.interrupt, transaction, shelf), job.device
            )
    except optuna.TrialPruned:
        state = TrialState.PRUNED
    except StopRequested as reason:
        release(backend, lease, str(reason))
        return
    except StudyError:
        release(backend, lease, "its checkpoint could not be written")
        raise
    except KeyboardInterrupt:
        release(backend, lease, "stopped by hand")
        raise
    except (LeaseLost, StorageInternalError, SQLAlchemyError):
        raise  # nothing can be written about it
    except Exception as error:  # a broken trial must not end the search; the reason is kept and shown
        state, broken = TrialState.FAIL, f"{type(error).__name__}: {error}".splitlines()[0]
    try:
        with transaction():
            if broken is not None:
                ERROR.write(trial, broken)
            study.tell(trial, values, state=state)
    except ValueError:  # Optuna's, where another worker has ended it or lets it wait
        backend.transact(require_lease(lease))
        raise
    shelf.drop()
