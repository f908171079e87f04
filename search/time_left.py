"""Estimate the time left of steps that cost alike and are made by some workers at the same time. Reads no clock."""

from __future__ import annotations


class TimeLeft:
    """The steps of something that takes long: how many are finished, and when those that are not began.

    The first count is where it starts: steps that were finished by then cost nothing. A worker is taken to begin its next
    step when it has ended one, and steps to end in the order in which they began. The first step of each worker holds the start
    of a process, too: it counts only until others have ended.
    """

    def __init__(self, workers: int, finished: int, of: int, now: float) -> None:
        self.finished, self.of = finished, of
        self._workers = max(workers, 1)
        # What the steps that ended cost, in the order of their ends.
        self._costs: list[float] = []
        # When each step that is being made began, the earliest first.
        self._began = [now] * min(self._workers, of - finished)
        self._first = len(self._began)

    def count(self, finished: int, of: int, now: float) -> None:
        """Take how many steps are finished now, of how many."""
        for _ in range(finished - self.finished):
            self._costs.append(now - (self._began.pop(0) if self._began else now))
            self._began.append(now)
        self.finished, self.of = finished, of
        del self._began[max(min(self._workers, of - finished), 0) :]

    def seconds(self, now: float) -> float | None:
        """Give the seconds left; None before the first step has ended."""
        if not self._costs:
            return None
        costs = self._costs[self._first :] or self._costs
        cost = sum(costs) / len(costs)
        begun = [max(cost - (now - began), 0.0) for began in self._began]
        waiting = max(self.of - self.finished - len(begun), 0)
        return max([(sum(begun) + waiting * cost) / self._workers, *begun])
