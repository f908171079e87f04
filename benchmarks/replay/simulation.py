"""Simulate a search with several workers, event by event: who takes which work when, and which trials are complete when.

Work is to bring a trial to its next rung; it takes the seconds that were recorded. A scheduler decides what a free worker
takes. Knows nothing of policies and of what trials are worth.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Sequence
from heapq import heappop, heappush

# A trial, and the rung that it is brought to.
Work = tuple[int, int]


class Scheduler(ABC):
    """Decides what free workers take."""

    @abstractmethod
    def next(self, now: float) -> Work | None:
        """Give the work that a free worker takes; None where it is to wait for what others report."""

    @abstractmethod
    def report(self, trial: int, rung: int) -> bool:
        """Note that a trial has reached a rung, and tell whether it is complete."""


def simulate(
    scheduler: Scheduler, seconds: Sequence[Sequence[float]], workers: int, deadline: float = math.inf
) -> list[tuple[float, int]]:
    """Give the trials that are complete by the deadline, with the seconds on the clock when they were, in order.

    `seconds`: of each trial, what each rung takes after the one before. Work that ends after the deadline is lost.
    """
    complete: list[tuple[float, int]] = []
    running: list[tuple[float, int, int, int]] = []
    now, started, free = 0.0, 0, workers
    while now <= deadline:
        while free and (work := scheduler.next(now)) is not None:
            trial, rung = work
            heappush(running, (now + seconds[trial][rung], started, trial, rung))
            started, free = started + 1, free - 1
        if not running:
            break
        now, _, trial, rung = heappop(running)
        free += 1
        if now <= deadline and scheduler.report(trial, rung):
            complete.append((now, trial))
    return complete
