"""Run workers on this machine: one in this process, or several in processes of their own (loky).

Each worker process has a pool of its own, so that one that is killed takes no other with it; another takes its place. Knows
nothing of what the workers do but what `search/workers/worker.py` offers.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Generator
from concurrent.futures import FIRST_COMPLETED, Future, wait
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from loky.backend.resource_tracker import ensure_running
from loky.process_executor import BrokenProcessPool, ProcessPoolExecutor
from optuna.exceptions import StorageInternalError
from sqlalchemy.exc import SQLAlchemyError

from pitsearch.process import check_worker, deaf_children, start_tracker, start_worker
from search.errors import StorageAway, StudyError, refusal
from search.launcher.cluster_config import THREADS
from search.storage.leases import TAKEN_UP
from search.storage.retry import is_transient
from search.trials.records import has_ended
from search.workers.context import WorkerContext
from search.workers.stop_signal import StopSignal, stop_after, stop_on_file, stop_on_parent_exit, stop_on_signal
from spaces.plugin_files import plain_refs

# Seconds between two moments that an executor gives its caller.
TICK_S = 1.0


@dataclass(frozen=True)
class SerialExecutor:
    """Run one worker in this process."""

    context: WorkerContext

    def run(self, stop: Path, left_s: float | None) -> Generator[None, None, None]:
        """Run trials until the budget is done, the file `stop` exists, or the seconds are over; yield after each."""
        from search.workers.worker import work  # as in `run_worker`

        for _ in work(self.context, StopSignal((stop_on_file(stop), stop_after(left_s)))):
            yield


@dataclass(frozen=True)
class ProcessExecutor:
    """Run each worker in a process of its own."""

    contexts: tuple[WorkerContext, ...]

    def run(self, stop: Path, left_s: float | None, note: Callable[[str], None]) -> Generator[None, None, None]:
        """Run trials until the budget is done, the file `stop` exists, or the seconds are over; yield about once a second.

        Where the storage has no connection for some workers, the others work on. Raises StudyError where it has none for any,
        and where workers are killed again and again while no trial ends: it is not the trials that kill them.
        """
        running: dict[Future[None], tuple[ProcessPoolExecutor, WorkerContext]] = {}
        killed, ended = 0, self._count_ended()
        failure: Exception | None = None
        working = False  # whether a worker came to a good end

        def start(context: WorkerContext) -> None:
            threads = dict.fromkeys(THREADS, "1")
            pool = ProcessPoolExecutor(1, initializer=start_worker, initargs=(plain_refs(),), env=threads)
            with deaf_children():
                running[pool.submit(_run_child, context, stop, left_s, os.getpid())] = pool, context

        start_tracker(ensure_running)
        try:
            for context in self.contexts:
                start(context)
            while running:
                finished, _ = wait(running, TICK_S, FIRST_COMPLETED)
                yield
                for future in finished:
                    pool, context = running.pop(future)
                    pool.shutdown(kill_workers=True)
                    try:
                        future.result()
                        working = True
                    except StorageAway as error:
                        if running or working:
                            note(f"{error} The launch goes on without this worker ({len(running)} at work)")
                        else:
                            failure = failure or error
                    except BrokenProcessPool:
                        before, ended = ended, self._count_ended()
                        killed = 1 if ended > before else killed + 1
                        self._check_killed(killed)
                        if not stop.exists():
                            note("a worker was killed, perhaps for want of memory; another goes on from its trial's last rung")
                            start(context)
                    except Exception as error:  # raised when the others have released their trials
                        failure = failure or error
                        stop.touch()
            if failure is not None:
                raise failure
        finally:
            for pool, _ in running.values():
                pool.shutdown(kill_workers=True)

    def _count_ended(self) -> int:
        trials = self.contexts[0].study.optuna.get_trials(deepcopy=False)
        return sum(map(has_ended, trials))

    def _check_killed(self, killed: int) -> None:
        count = len(self.contexts)
        if killed > (TAKEN_UP + 1) * count:
            raise StudyError(
                f"workers must stay alive, but {killed} of {count} at a time were killed while no trial ended, "
                "perhaps for want of memory; what finished is kept: run it again with fewer --workers."
            ) from None


def _run_child(context: WorkerContext, stop: Path, left_s: float | None, parent: int) -> None:
    """Work as a child of a launch, until it is asked to stop, by SIGTERM too, or its parent has ended."""
    check_worker()
    with stop_on_signal(signals=(signal.SIGTERM,)) as on_signal:
        sources = (stop_on_file(stop), stop_after(left_s), stop_on_parent_exit(parent), on_signal)
        run_worker(context, StopSignal(sources))
    if os.getppid() != parent:
        with suppress(OSError):  # the launcher would have removed it
            stop.unlink(missing_ok=True)
            stop.parent.rmdir()
        os._exit(0)  # the pool's own exit would wait for a parent that is gone


def run_worker(context: WorkerContext, stop: StopSignal) -> None:
    """Run trials until there are none left. An error of the database becomes a StudyError, which travels between processes."""
    from search.workers.worker import work  # with torch, which takes seconds to import and a launch does not need

    try:
        for _ in work(context, stop):
            pass
    except (StorageInternalError, SQLAlchemyError) as error:
        raise (StorageAway if is_transient(error) else StudyError)(*refusal(error)) from None
