"""Run workers on a Dask cluster: every task is a worker that takes trials until there is none to take.

Where their jobs are lost, Dask runs the tasks again elsewhere, and the trials that they had go on by the leases in the study's
database, like any other's. A launcher that dies takes no finished work with it. Tasks go to Dask itself: joblib would run
them in the launcher while the cluster has one worker. Knows nothing of batch systems.
"""

from __future__ import annotations

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
from search.launcher.dask_cluster import lost_cluster
from search.launcher.dask_plugin import is_task_ending
from search.launcher.process_executor import TICK_S, run_worker
from search.studies.launch_record import LaunchRecord
from search.studies.study import Study
from search.trials.records import TrialOrigin
from search.workers.context import WorkerContext
from search.workers.join import join_study
from search.workers.stop_signal import StopSignal, stop_after

# Seconds that workers are given to hand their trials back when a launch is stopped.
HANDING_BACK_S = 30.0


@dataclass(frozen=True)
class WorkerSpec:
    """What a task is sent; all else it reads from the study."""

    study: Study
    # Of the data set, as the nodes see it.
    folder: str
    launch_id: str
    device: str = defaults.DEVICE


@dataclass(frozen=True)
class DaskExecutor:
    """Run workers as tasks of a Dask cluster."""

    client: Client
    spec: WorkerSpec

    def run(self, stop: Path, wanted: Callable[[], int], note: Callable[[str], None]) -> Generator[None, None, None]:
        """Run as many tasks as are `wanted` until that is 0, or the file `stop` exists; yield about once a second.

        Raises StudyError where a task or the scheduler fails.
        """
        client, spec, tasks = self.client, self.spec, list[Future[None]]()
        try:
            if not client.ncores():  # type: ignore[no-untyped-call]
                note("waiting for the first worker of the cluster")
            while not stop.exists() and (count := wanted()):
                tasks = [task for task in tasks if not _has_ended(task)]
                tasks += [client.submit(work_as_task, spec, pure=False) for _ in range(count - len(tasks))]
                time.sleep(TICK_S)
                yield
        finally:
            client.close()  # type: ignore[no-untyped-call]  # a task whose client is gone ends
            end = time.monotonic() + HANDING_BACK_S
            while _runs_trials(spec) and time.monotonic() < end:
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
        raise lost_cluster(error) from None
    return True


def work_as_task(spec: WorkerSpec) -> None:
    """Work as a task of Dask, until there is no trial to take, or the task is asked to stop."""
    (context, record), asked = _joined(spec), "its worker was asked to end"
    sources = [lambda: asked if is_task_ending() else None, stop_after(record.left_s(spec.study))]
    run_worker(context, StopSignal(sources))


@lru_cache(maxsize=4)
def _joined(spec: WorkerSpec) -> tuple[WorkerContext, LaunchRecord]:
    """Join the study once for all tasks of a process, which share the data set."""
    context, record = join_study(spec.study, data=spec.folder, device=spec.device)
    return replace(context, launch=spec.launch_id, patient=False), record


def _runs_trials(spec: WorkerSpec) -> bool:
    """Tell whether a trial of this launch still runs."""
    with suppress(Exception):  # the database is away, too: the leases will run out
        running = spec.study.optuna.get_trials(deepcopy=False, states=(TrialState.RUNNING,))
        return any(TrialOrigin.demand(trial).launch == spec.launch_id for trial in running)
    return False
