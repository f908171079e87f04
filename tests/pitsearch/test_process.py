"""Processes that start hear no signal of the terminal, until they ignore it by themselves."""

from __future__ import annotations

import signal

from loky.backend.resource_tracker import ensure_running
from loky.process_executor import ProcessPoolExecutor

from pitsearch.ending import TERMINAL
from pitsearch.process import deaf_children, start_tracker, start_worker


def held_back() -> set[int]:
    """The signals that this thread does not hear now."""
    return {int(number) for number in signal.pthread_sigmask(signal.SIG_BLOCK, ())}


def state() -> tuple[bool, bool]:
    """Whether this process ignores the signals of the terminal, and whether it hears them."""
    ignored = all(signal.getsignal(number) == signal.SIG_IGN for number in TERMINAL)
    return ignored, not held_back() & {*map(int, TERMINAL)}


def test_signals_are_held_back_while_a_process_starts_and_ignored_in_it() -> None:
    start_tracker(ensure_running)
    before = held_back()
    pool = ProcessPoolExecutor(1, initializer=start_worker)
    try:
        with deaf_children():
            started = pool.submit(state)
            # What loky starts beside a worker would let them through.
            assert {*map(int, TERMINAL)} <= held_back()
        assert held_back() == before
        assert started.result(timeout=120) == (True, True)
    finally:
        pool.shutdown(kill_workers=True)
