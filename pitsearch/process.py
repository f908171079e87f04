"""How worker processes are started and end, and what each runs first.

A worker's function travels to the process by name: importing it installs the finder of `pitsearch/location.py` there, before
anything else of ours is unpickled.
"""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import import_module
from multiprocessing import resource_tracker

from pitsearch.ending import TERMINAL
from pitsearch.errors import PitsearchError

# Seconds between two looks whether the process that started a worker is still there.
LOOK_S = 0.5

# What `start_worker` could not do in this process. A pool takes an error of its initializer for the death of the worker.
_refused: list[PitsearchError] = []


@contextmanager
def deaf_children() -> Iterator[None]:
    """Start processes in the block that hear no signal of the terminal before `start_worker` runs in them.

    A process takes the mask of the thread that starts it. In this one a signal is heard when the block has ended.
    """
    before = signal.pthread_sigmask(signal.SIG_BLOCK, TERMINAL)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def start_tracker(ensure_running: Callable[[], None]) -> None:
    """Start loky's process that removes what this one leaves in shared memory, if it is killed; without its warnings of that.

    To be called before `deaf_children`: starting the tracker lets the signals through that are held back.
    """
    name, before = "PYTHONWARNINGS", os.environ.get("PYTHONWARNINGS")
    os.environ[name] = ",".join(filter(None, (before, "ignore:resource_tracker:UserWarning")))
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, (signal.SIGHUP,))  # which it would die of, beside its terminal
    try:
        ensure_running()
        resource_tracker.ensure_running()  # Python's own, which loky starts beside its workers
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        if before is None:
            del os.environ[name]
        else:
            os.environ[name] = before


def start_worker(plugins: tuple[tuple[str, str, str], ...] = (), parent: int | None = None) -> None:
    """Prepare a worker process; its work begins with `check_worker`, which tells what is refused here.

    `plugins`: those in use where it was started, by name, hash and source; they are loaded before anything that names their
    parts. `parent`: the process with which the worker is to end, whatever it does; None where what it does sees to that.
    """
    for number in TERMINAL:
        signal.signal(number, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, TERMINAL)
    if parent is not None:
        threading.Thread(target=_end_with, args=(parent,), name="parent", daemon=True).start()
    if plugins:
        # By name, for this module lies beneath all others.
        try:
            import_module("spaces.plugin_files").use_same(plugins)
        except PitsearchError as error:
            _refused.append(error)


def check_worker() -> None:
    """Raise what `start_worker` refused."""
    for error in _refused:
        raise error


def _end_with(parent: int) -> None:
    """End this process when it is no longer a child of that one."""
    while os.getppid() == parent:
        time.sleep(LOOK_S)
    os._exit(1)
