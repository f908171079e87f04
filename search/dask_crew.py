"""A crew on a Dask cluster: every task is a worker that takes trials until there is none to take.

joblib's Dask backend sends the tasks; where their jobs are lost, Dask runs them again elsewhere, and the trials that they had
go on by the leases in the study's database, like any other's. A launcher that dies takes no finished work with it. Knows
nothing of batch systems.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from threading import Thread

from distributed import Client
from joblib import Parallel, delayed, parallel_config
from optuna.trial import TrialState

from search import defaults
from search.crews import TICK_S, run
from search.dask_worker import told_to_stop
from search.errors import StudyError
from search.joining import job_of
from search.keeping import Orders, by_time
from search.launches import Launched
from search.records import Start
from search.studies import Study
from search.worker import Job

# Seconds that workers are given to hand their trials back when a launch is stopped.
HANDING_BACK_S = 30.0


@dataclass(frozen=True)
class Handed:
    """What a task is sent; all else it reads from the study.

    `folder`: of the data set, as the nodes see it; `mark`: of the launch.
    """

    study: Study
    folder: str
    mark: str
    device: str = defaults.DEVICE


def on_cluster(
    client: Client, handed: Handed, tasks: Callable[[], int], stop: Path, noted: Callable[[str], None]
) -> Generator[None, None, None]:
    """Work on a cluster until the budget is done; `tasks`: says how many workers there is work for; `stop`: asks for an end."""
    told = False
    try:
        while not stop.exists() and (wanted := tasks()):
            if not client.ncores():  # type: ignore[no-untyped-call]
                if not told:
                    noted("waiting for the first worker of the cluster")
                told = True
                # A task without a worker is what lets a cluster start one.
                waiting = client.submit(_nothing, pure=False)
                while not stop.exists() and not client.ncores():  # type: ignore[no-untyped-call]
                    yield from _tick()
                del waiting
                continue
            failures: list[BaseException] = []
            thread = Thread(target=_send, args=(client, handed, wanted, failures), daemon=True)
            thread.start()
            while thread.is_alive() and not stop.exists():
                yield from _tick()
            if failures:
                raise failures[0]
            yield from _tick()
    finally:
        # Nobody waits for the tasks any more then, which tells them to end.
        client.close()  # type: ignore[no-untyped-call]
        end = time.monotonic() + HANDING_BACK_S
        while _at_work(handed) and time.monotonic() < end:
            time.sleep(TICK_S / 2)


def _tick() -> Generator[None, None, None]:
    time.sleep(TICK_S)
    yield


def _nothing() -> None:
    """Do nothing."""


def _send(client: Client, handed: Handed, tasks: int, failures: list[BaseException]) -> None:
    """Run so many tasks to their end, and keep what went wrong."""
    try:
        with parallel_config("dask", client=client, wait_for_workers_timeout=0):
            Parallel(pre_dispatch="all", batch_size=1)(delayed(work_as_task)(handed) for _ in range(tasks))
    except StudyError as error:
        failures.append(error)
    except Exception as error:  # whatever Dask and joblib make of a scheduler that is gone
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        failures.append(
            StudyError(
                f"the Dask scheduler must stay, but: {reason}; what finished is kept: start it, then run the same again."
            )
        )


def work_as_task(handed: Handed) -> None:
    """Work as a task of Dask, until there is no trial to take, or the task is told to stop."""
    (job, launched), order = _joined(handed), "its worker was asked to end"
    run(job, Orders([lambda: order if told_to_stop() else None, by_time(launched.left_s(handed.study))]))


@lru_cache(maxsize=4)
def _joined(handed: Handed) -> tuple[Job, Launched]:
    """Join the study once for all tasks of a process, which share the data set."""
    job, launched = job_of(handed.study, data=handed.folder, device=handed.device)
    return replace(job, launch=handed.mark, patient=False), launched


def _at_work(handed: Handed) -> bool:
    """Tell whether a trial of this launch still runs."""
    with suppress(Exception):  # a database that is away as well: the leases will tell
        running = handed.study.optuna.get_trials(deepcopy=False, states=(TrialState.RUNNING,))
        return any(Start.demand(trial).launch == handed.mark for trial in running)
    return False
