"""A crew on a Dask cluster: every task is a worker that takes trials until there is none to take.

Where their jobs are lost, Dask runs the tasks again elsewhere, and the trials that they had go on by the leases in the study's
database, like any other's. A launcher that dies takes no finished work with it. Tasks go to Dask itself: joblib would run
them in the launcher while the cluster has one worker. Knows nothing of batch systems.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Generator
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

from distributed import CancelledError, Client, Future
from optuna.trial import TrialState

from search import defaults
from search.errors import StudyError
from search.launcher.dask_plugin import told_to_stop
from search.launcher.executors import TICK_S, run
from search.studies.launch_record import LaunchRecord
from search.studies.study import Study
from search.trials.records import TrialOrigin
from search.workers.join import job_of
from search.workers.stop_signal import StopSignal, stop_after
from search.workers.worker import Job

# Seconds that workers are given to hand their trials back when a launch is stopped.
HANDING_BACK_S = 30.0


@dataclass(frozen=True)
class WorkerSpec:
    """What a task is sent; all else it reads from the study.

    `folder`: of the data set, as the nodes see it; `launch_id`: of the launch.
    """

    study: Study
    folder: str
    launch_id: str
    device: str = defaults.DEVICE


def on_cluster(
    client: Client, handed: WorkerSpec, tasks: Callable[[], int], stop: Path, noted: Callable[[str], None]
) -> Generator[None, None, None]:
    """Work on a cluster until the budget is done; `tasks`: says how many workers there is work for; `stop`: asks for an end.

    Raises StudyError where a task or the scheduler fails.
    """
    sent: list[Future[None]] = []
    # What goes wrong is told on one line; Dask, whose loggers have levels of their own, would tell it with all that led to it.
    for name in [name for name in logging.root.manager.loggerDict if name.startswith("distributed")]:
        logging.getLogger(name).setLevel(logging.CRITICAL)
    try:
        if not client.ncores():  # type: ignore[no-untyped-call]
            noted("waiting for the first worker of the cluster")
        while not stop.exists() and (wanted := tasks()):
            sent = [future for future in sent if not _has_ended(future)]
            sent += [client.submit(work_as_task, handed, pure=False) for _ in range(wanted - len(sent))]
            time.sleep(TICK_S)
            yield
    finally:
        client.close()  # type: ignore[no-untyped-call]  # nobody waits for the tasks any more, which tells them to end
        end = time.monotonic() + HANDING_BACK_S
        while _at_work(handed) and time.monotonic() < end:
            time.sleep(TICK_S / 2)


def _has_ended(future: Future[None]) -> bool:
    """Tell whether a task has come to its end. Raises StudyError where it has not come to a good one."""
    if not future.done():  # type: ignore[no-untyped-call]
        return False
    try:
        future.result()
    except StudyError:
        raise
    except (Exception, CancelledError) as error:  # whatever Dask makes of a scheduler that is gone
        reason = (str(error).splitlines() or [type(error).__name__])[0].rstrip(".")
        raise StudyError(
            f"the Dask scheduler must stay, but: {reason}; what finished is kept: start it, then run the same again."
        ) from None
    return True


def work_as_task(handed: WorkerSpec) -> None:
    """Work as a task of Dask, until there is no trial to take, or the task is told to stop."""
    (job, launched), order = _joined(handed), "its worker was asked to end"
    run(job, StopSignal([lambda: order if told_to_stop() else None, stop_after(launched.left_s(handed.study))]))


@lru_cache(maxsize=4)
def _joined(handed: WorkerSpec) -> tuple[Job, LaunchRecord]:
    """Join the study once for all tasks of a process, which share the data set."""
    job, launched = job_of(handed.study, data=handed.folder, device=handed.device)
    return replace(job, launch=handed.launch_id, patient=False), launched


def _at_work(handed: WorkerSpec) -> bool:
    """Tell whether a trial of this launch still runs."""
    with suppress(Exception):  # a database that is away as well: the leases will tell
        running = handed.study.optuna.get_trials(deepcopy=False, states=(TrialState.RUNNING,))
        return any(TrialOrigin.demand(trial).launch == handed.launch_id for trial in running)
    return False
