"""Keep a trial in hand while it is trained: renew its lease in the background, and listen for orders to stop.

A training asks between its steps whether it is to go on. An order to stop lets the epoch end, unless that takes longer than
PATIENT_S. Knows nothing of what is trained, or of who gives the orders.
"""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType, TracebackType

from search.leases import RENEW_S, Fenced, Lease, renew
from search.retrying import StudyStorage

# Seconds that an epoch may take on after an order to stop, and between two looks for such an order.
PATIENT_S, LOOK_S = 5.0, 0.1

# Gives the reason to stop, None while there is none.
Order = Callable[[], str | None]


class Stopped(Exception):
    """Ask a trial to end before its time: its worker is stopping, or time is up."""


class Orders:
    """What a worker is told from outside. The first reason to stop is the one that counts."""

    def __init__(self, sources: Sequence[Order] = ()) -> None:
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
        """Raise Stopped when there is a reason to."""
        reason = self.reason()
        if reason is not None:
            raise Stopped(reason)

    def interrupt(self) -> None:
        """Raise Stopped when there has been a reason to for longer than an epoch should take."""
        reason = self.reason()
        if reason is not None and time.monotonic() - self._since > PATIENT_S:
            raise Stopped(reason)


class Keeper:
    """The holder of a lease. Use as a context: the lease is renewed while it lasts."""

    def __init__(self, storage: StudyStorage, lease: Lease, orders: Orders) -> None:
        self.storage, self.lease, self.orders = storage, lease, orders
        self._fenced = False
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._renew, name=f"lease of trial {lease.number}", daemon=True)

    def __enter__(self) -> Keeper:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._ended.set()

    def _renew(self) -> None:
        """Renew until the end; whatever a database answers, the next renewal is tried."""
        while not self._ended.wait(RENEW_S):
            try:
                self._fenced = not renew(self.storage, self.lease)
            except Exception:  # the training must not end for it: what it writes next will tell, or the lease runs out
                continue
            if self._fenced:
                return

    def check(self) -> None:
        """Raise Fenced where the trial was given to another worker, Stopped where there is an order to stop."""
        if self._fenced:
            raise Fenced
        self.orders.check()

    def interrupt(self) -> None:
        """Raise, between two steps of an epoch, what cannot wait for its end."""
        if self._fenced:
            raise Fenced
        self.orders.interrupt()


def by_file(file: Path) -> Order:
    """Stop when a file is there: how a launcher tells its worker processes."""
    return lambda: "stopped by hand" if file.exists() else None


def by_time(left_s: float | None) -> Order:
    """Stop after so many seconds from now."""
    end = None if left_s is None else time.monotonic() + left_s
    return lambda: "time is up" if end is not None and time.monotonic() > end else None


def by_parent(parent: int) -> Order:
    """Stop when this process is no longer a child of that one: its launcher was killed."""
    return lambda: "its launcher died" if os.getppid() != parent else None


@contextmanager
def by_signal(said: Callable[[], None] = lambda: None) -> Iterator[Order]:
    """Stop at the first SIGTERM or Ctrl-C, of which `said` is told; a second Ctrl-C interrupts at once."""
    told: list[str] = []

    def handle(number: int, frame: FrameType | None) -> None:
        if told and number == signal.SIGINT:
            raise KeyboardInterrupt
        if not told:
            told.append("stopped by hand" if number == signal.SIGINT else "its worker was asked to end")
            said()

    before = {number: signal.signal(number, handle) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield lambda: told[0] if told else None
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
