"""Crews: workers of one launch, in this process, or side by side in processes of their own (loky).

A crew is run by iterating over it: it gives a moment to look around about once a second, and ends when its workers have. Each
worker process has an executor of its own, so that one that is killed takes no other with it; another takes its place. Knows
nothing of what the workers do but what `search/workers/worker.py` offers.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from pathlib import Path
from types import FrameType

from loky.process_executor import BrokenProcessPool, ProcessPoolExecutor
from optuna.exceptions import StorageInternalError
from sqlalchemy.exc import SQLAlchemyError

from search.errors import StudyError, refusal
from search.launcher.cluster_config import THREADS
from search.storage.leases import TAKEN_UP
from search.workers.stop_signal import StopSignal, stop_after, stop_on_file, stop_on_parent_exit
from search.workers.worker import Job, work

# Seconds between two looks around.
TICK_S = 1.0


def alone(job: Job, stop: Path, left_s: float | None) -> Generator[None, None, None]:
    """Work in this process; `stop`: a file whose existence asks for an end; `left_s`: seconds that may be worked."""
    for _ in work(job, StopSignal((stop_on_file(stop), stop_after(left_s)))):
        yield


def side_by_side(
    jobs: Sequence[Job], stop: Path, left_s: float | None, ended: Callable[[], int], noted: Callable[[str], None]
) -> Generator[None, None, None]:
    """Work in a process for each job; `ended` counts the study's trials that have ended, `noted` is told what happens.

    Raises StudyError where workers are killed again and again while no trial ends: then it is not the trials that kill them.
    """
    running: dict[Future[None], tuple[ProcessPoolExecutor, Job]] = {}
    killed, at, failure = 0, ended(), None

    def start(job: Job) -> None:
        executor = ProcessPoolExecutor(1, initializer=_ignore_interrupts, env=dict.fromkeys(THREADS, "1"))
        running[executor.submit(_child, job, stop, left_s, os.getpid())] = executor, job

    try:
        for job in jobs:
            start(job)
        while running:
            done, _ = wait(running, TICK_S, FIRST_COMPLETED)
            yield
            for future in done:
                executor, job = running.pop(future)
                executor.shutdown(kill_workers=True)
                try:
                    future.result()
                except BrokenProcessPool:
                    if ended() > at:
                        killed, at = 0, ended()
                    killed += 1
                    if killed > (TAKEN_UP + 1) * len(jobs):
                        raise StudyError(
                            f"workers must live, but {killed} of {len(jobs)} at a time were killed while no trial ended, "
                            "perhaps for want of memory; what finished is kept: run it again with fewer --workers."
                        ) from None
                    if not stop.exists():
                        noted("a worker was killed, perhaps for want of memory; another goes on from its trial's last rung")
                        start(job)
                except Exception as error:  # told when the others have handed their trials back
                    failure = failure or error
                    stop.touch()
        if failure is not None:
            raise failure
    finally:
        for executor, _ in running.values():
            executor.shutdown(kill_workers=True)


def _child(job: Job, stop: Path, left_s: float | None, parent: int) -> None:
    """Work as a child of a launch, until it is told to stop, by SIGTERM too, or is an orphan."""
    told: list[str] = []

    def handle(number: int, frame: FrameType | None) -> None:
        told.append("its worker was asked to end")

    signal.signal(signal.SIGTERM, handle)
    run(
        job,
        StopSignal((stop_on_file(stop), stop_after(left_s), stop_on_parent_exit(parent), lambda: told[0] if told else None)),
    )
    if os.getppid() != parent:
        os._exit(0)  # nobody is there to hear


def run(job: Job, orders: StopSignal) -> None:
    """Work until there is nothing more to do. What a database refuses is told as StudyError: that travels between processes."""
    try:
        for _ in work(job, orders):
            pass
    except (StorageInternalError, SQLAlchemyError) as error:
        raise StudyError("\n".join(refusal(error))) from None


def _ignore_interrupts() -> None:
    # Ctrl-C reaches every process of the terminal; workers end when the launcher asks them to.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
