"""End a Dask worker at a warning of its batch system: the task that runs in it hears of it at once, and is given time to save.

Dask by itself gives a task half a minute after one SIGTERM, whatever a system would grant, and ends at once at a second one or
at any other signal. Knows nothing of clusters, or of what tasks do.
"""

from __future__ import annotations

import asyncio
import signal
import threading
from dataclasses import dataclass

from distributed import Status, Worker, WorkerPlugin, get_worker

# What systems send before they kill: SGE warns by the other two.
WARNINGS = (signal.SIGTERM, signal.SIGUSR1, signal.SIGUSR2)
ENDING = frozenset({Status.closing, Status.closed, Status.failed})

# asyncio keeps no reference to a task: without one here it may be collected before it is done.
_closing: set[asyncio.Task[str | None]] = set()


@dataclass(frozen=True)
class EndsWell(WorkerPlugin):
    """Close a worker at a warning: the scheduler gives its task to another at once, then the task has `grace_s` to save.

    Only where the worker has the process's main thread, as each job of ours has.
    """

    grace_s: float
    name: str = "pitsearch"
    idempotent: bool = True

    def setup(self, worker: Worker) -> None:
        """Listen for warnings; called in the worker's event loop, before the first task."""
        if threading.current_thread() is threading.main_thread():
            for number in WARNINGS:
                asyncio.get_running_loop().add_signal_handler(number, self._close, worker, number.name)

    def _close(self, worker: Worker, reason: str) -> None:
        if worker.status not in ENDING:
            closing = asyncio.get_running_loop().create_task(worker.close(timeout=self.grace_s, reason=reason))
            _closing.add(closing)
            closing.add_done_callback(_closing.discard)


def is_task_ending() -> bool:
    """Tell whether the task that asks is to end soon: its worker closes, or no client waits for it any more.

    False outside a task. What such a task returns is lost, but what it wrote down is not.
    """
    try:
        worker = get_worker()
    except ValueError:
        return False
    if worker.status in ENDING:
        return True
    key = worker.active_threads.get(threading.get_ident())
    task = None if key is None else worker.state.tasks.get(key)
    return key is not None and (task is None or task.state == "cancelled")
