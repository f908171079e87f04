"""Tell a worker to stop: by a file, after a time, when its parent process is gone, or by a signal.

A training asks between its steps whether it is to go on. A request to stop lets the epoch end, unless that takes longer than
PATIENT_S. Knows nothing of what is trained.
"""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

# Seconds that an epoch may take on after an order to stop, and between two looks for such an order.
PATIENT_S, LOOK_S = 5.0, 0.1

# Gives the reason to stop, None while there is none.
StopSource = Callable[[], str | None]


class StopRequested(Exception):
    """Ask a trial to end before its time: its worker is stopping, or time is up."""


class StopSignal:
    """The requests to stop that reach a worker. The first reason is the one that counts."""

    def __init__(self, sources: Sequence[StopSource] = ()) -> None:
        self._sources = [*sources]
        self._reason: str | None = None
        self._since = self._looked = -LOOK_S

    def reason(self) -> str | None:
        """Give the reason to stop; None while there is none."""
        now = time.monotonic()
        if self._reason is None and now - self._looked >= LOOK_S:
            self._looked = now
            self._reason = next((reason for source in self._sources if (reason := source())), None)
            self._since = now
        return self._reason

    def check(self) -> None:
        """Raise StopRequested when there is a reason to."""
        reason = self.reason()
        if reason is not None:
            raise StopRequested(reason)

    def interrupt(self) -> None:
        """Raise StopRequested when there has been a reason to for longer than an epoch should take."""
        reason = self.reason()
        if reason is not None and time.monotonic() - self._since > PATIENT_S:
            raise StopRequested(reason)


def stop_on_file(file: Path) -> StopSource:
    """Stop when a file is there: how a launcher tells its worker processes."""
    return lambda: "stopped by hand" if file.exists() else None


def stop_after(left_s: float | None) -> StopSource:
    """Stop after so many seconds from now."""
    end = None if left_s is None else time.monotonic() + left_s
    return lambda: "time is up" if end is not None and time.monotonic() > end else None


def stop_on_parent_exit(parent: int) -> StopSource:
    """Stop when this process is no longer a child of that one: its launcher was killed."""
    return lambda: "its launcher died" if os.getppid() != parent else None


ANY_SIGNAL = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@contextmanager
def stop_on_signal(
    on_first: Callable[[], None] = lambda: None,
    *,
    signals: Sequence[int] = ANY_SIGNAL,
    interrupting: Sequence[int] = (signal.SIGINT,),
) -> Iterator[StopSource]:
    """Stop at the first of these signals, which calls `on_first`; a later one that is `interrupting` raises KeyboardInterrupt.

    Only the main thread may handle signals; in another one this listens to none.
    """
    reasons: list[str] = []
    if threading.current_thread() is not threading.main_thread():
        yield lambda: None
        return

    def handle(number: int, frame: FrameType | None) -> None:
        if reasons and number in interrupting:
            raise KeyboardInterrupt
        if not reasons:
            reasons.append("stopped by hand" if number == signal.SIGINT else "its worker was asked to end")
            on_first()

    # What is ignored stays so: SIGHUP under nohup.
    heard = [number for number in signals if signal.getsignal(number) != signal.SIG_IGN]
    before = {number: signal.signal(number, handle) for number in heard}
    try:
        yield lambda: reasons[0] if reasons else None
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
