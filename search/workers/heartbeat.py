"""Keep a trial's lease while the trial is trained: renew it in the background, and write with it how far the trial has come.

Knows nothing of what is trained.
"""

from __future__ import annotations

import threading
import time
from types import TracebackType

from search.storage.leases import RENEW_S, Lease, LeaseLost, renew
from search.storage.rdb import RetryingRDBStorage
from search.trials.progress import TrialProgress
from search.workers.stop_signal import StopSignal

# Progress is written no sooner than so many seconds after the last time, nor sooner than this many times what writing took:
# less where workers are many or the database is slow.
PROGRESS_S, REST = 3.0, 100


class LeaseHeartbeat:
    """The holder of a lease. Use as a context: the lease is renewed while it lasts."""

    def __init__(self, storage: RetryingRDBStorage, lease: Lease, orders: StopSignal) -> None:
        self.storage, self.lease, self.orders = storage, lease, orders
        self._fenced = False
        self._progress: TrialProgress | None = None
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._renew, name=f"lease of trial {lease.number}", daemon=True)

    def __enter__(self) -> LeaseHeartbeat:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._ended.set()

    def _renew(self) -> None:
        """Renew until the end; whatever a database answers, the next renewal is tried."""
        renewed, written, pause = time.monotonic(), None, PROGRESS_S
        while not self._ended.wait(min(pause, RENEW_S)):
            started, progress = time.monotonic(), self._progress
            if progress is written and started - renewed < RENEW_S:
                continue
            try:
                self._fenced = not renew(self.storage, self.lease, None if progress is None else progress.text())
            except Exception:  # the training must not end for it: what it writes next will tell, or the lease runs out
                continue
            renewed, written = time.monotonic(), progress
            pause = max(PROGRESS_S, REST * (renewed - started))
            if self._fenced:
                return

    def report(self, progress: TrialProgress) -> None:
        """Take how far the trial has come; it is written within seconds, and nobody waits for that."""
        self._progress = progress

    def check(self) -> None:
        """Raise LeaseLost where the trial was given to another worker, StopRequested where there is an order to stop."""
        if self._fenced:
            raise LeaseLost
        self.orders.check()

    def interrupt(self) -> None:
        """Raise, between two steps of an epoch, what cannot wait for its end."""
        if self._fenced:
            raise LeaseLost
        self.orders.interrupt()
