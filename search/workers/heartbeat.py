"""Keep a trial's lease while the trial is trained: renew it in the background. Knows nothing of what is trained."""

from __future__ import annotations

import threading
from types import TracebackType

from search.storage.leases import RENEW_S, Lease, LeaseLost, renew
from search.storage.rdb import RetryingRDBStorage
from search.workers.stop_signal import StopSignal


class LeaseHeartbeat:
    """The holder of a lease. Use as a context: the lease is renewed while it lasts."""

    def __init__(self, storage: RetryingRDBStorage, lease: Lease, orders: StopSignal) -> None:
        self.storage, self.lease, self.orders = storage, lease, orders
        self._fenced = False
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._renew, name=f"lease of trial {lease.number}", daemon=True)

    def __enter__(self) -> LeaseHeartbeat:
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
        """Raise LeaseLost where the trial was given to another worker, StopRequested where there is an order to stop."""
        if self._fenced:
            raise LeaseLost
        self.orders.check()

    def interrupt(self) -> None:
        """Raise, between two steps of an epoch, what cannot wait for its end."""
        if self._fenced:
            raise LeaseLost
        self.orders.interrupt()
