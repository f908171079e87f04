"""Schedulers: one that ends trials for good by a rule, and one that pauses them and takes up the best again.

Pausing is asynchronous successive halving as Li et al. (2020, arXiv:1810.05934) have it: a free worker promotes the best paused
trial of the highest rung where it is among the best 1 / `reduction` of all that came there, or else starts a new trial.
Spared trials climb the whole ladder at once. Knows nothing of data sets.
"""

from __future__ import annotations

import math
from bisect import bisect_left, insort
from collections.abc import Container, Sequence

from benchmarks.replay.rules import Rule
from benchmarks.replay.scores import Shown
from benchmarks.replay.simulation import Scheduler, Work
from search.trials.ladder import Ladder

# By how much what a trial still takes is thought longer than it took so far.
CAUTION = 1.1


class Ending(Scheduler):
    """Trials climb until a rule ends them."""

    def __init__(self, order: Sequence[int], spared: Container[int], rule: Rule) -> None:
        self._new, self._spared, self._rule = iter(order), spared, rule
        self._top = len(rule.ladder.rungs) - 1
        self._climbing: list[Work] = []
        self._doomed: set[int] = set()

    def next(self, now: float) -> Work | None:
        """Go on with what climbs, or start a new trial."""
        if self._climbing:
            return self._climbing.pop()
        trial = next(self._new, None)
        return None if trial is None else (trial, 0)

    def report(self, trial: int, rung: int) -> bool:
        """Ask the rule."""
        is_asked = trial not in self._doomed and (rung < self._top or self._rule.asked_at_end)
        if is_asked and self._rule.ends(trial, rung):
            if trial not in self._spared:
                return False
            self._doomed.add(trial)
        if rung < self._top:
            self._climbing.append((trial, rung + 1))
            return False
        self._rule.complete(trial, trial in self._doomed)
        return True


class Pausing(Scheduler):
    """Trials pause on every rung.

    `least`: as time runs out, the best paused trials are completed, so that at least so many trials are complete; 0 where the
    deadline is not known.
    """

    def __init__(
        self,
        order: Sequence[int],
        spared: Container[int],
        shown: Shown,
        ladder: Ladder,
        reduction: int,
        *,
        least: int = 0,
        workers: int = 1,
        deadline: float = math.inf,
    ) -> None:
        self._new, self._spared, self._shown, self._reduction = iter(order), spared, shown, reduction
        self._least, self._workers, self._deadline = least, workers, deadline
        self._costs = [rung.cost for rung in ladder.rungs]
        self._top = len(self._costs) - 1
        # Of each rung but the last, as (-value, trial), best first: all that came there, and those of them that are paused.
        self._reached: list[list[tuple[float, int]]] = [[] for _ in range(self._top)]
        self._paused: list[list[tuple[float, int]]] = [[] for _ in range(self._top)]
        self._climbing: list[Work] = []
        self._complete, self._under_way = 0, 0
        self._is_closing = False
        # Of the trials that came to the first rung: their number, and the sum and the longest of what a whole one is to take.
        self._started, self._seconds, self._longest = 0, 0.0, 0.0

    def next(self, now: float) -> Work | None:
        """Promote the best that may be promoted, or start a new trial."""
        work = self._choose(now)
        self._under_way += work is not None
        return work

    def report(self, trial: int, rung: int) -> bool:
        """Pause the trial, or note that it is complete."""
        self._under_way -= 1
        if rung == 0:
            whole = self._whole(trial, 0)
            self._started, self._seconds, self._longest = self._started + 1, self._seconds + whole, max(self._longest, whole)
        if rung == self._top:
            self._complete += 1
            return True
        entry = (-self._shown.values[trial][rung], trial)
        insort(self._reached[rung], entry)
        if trial in self._spared:
            self._climbing.append((trial, rung + 1))
        else:
            insort(self._paused[rung], entry)
        return False

    def _choose(self, now: float) -> Work | None:
        if self._climbing:
            return self._climbing.pop()
        if self._least and self._closes(now):
            return self._finish(self._deadline - now)
        for rung in range(self._top - 1, -1, -1):
            paused, reached = self._paused[rung], self._reached[rung]
            if paused and bisect_left(reached, paused[0]) < len(reached) // self._reduction:
                return paused.pop(0)[1], rung + 1
        trial = next(self._new, None)
        if trial is not None:
            return trial, 0
        # Every recorded configuration has been started.
        return next(
            ((self._paused[rung].pop(0)[1], rung + 1) for rung in range(self._top - 1, -1, -1) if self._paused[rung]), None
        )

    def _closes(self, now: float) -> bool:
        """Tell whether it is time to complete what is paused: for the least number, or since nothing new would be complete."""
        if not self._is_closing and self._started:
            left, lacking, reserve = self._deadline - now, self._least - self._complete, 0.0
            if left <= 2 * CAUTION * self._longest * max(lacking, 1):  # before, it is early whatever is paused
                rest = [self._rest(trial, rung) for trial, rung in self._best(lacking)]
                reserve = max(sum(rest) / self._workers, max(rest, default=0.0))
            self._is_closing = left <= max(reserve, CAUTION * self._seconds / self._started)
        return self._is_closing

    def _finish(self, left: float) -> Work | None:
        """Take the best paused trial, of the highest rung, that can be complete in time."""
        for rung in range(self._top - 1, -1, -1):
            for place, (_, trial) in enumerate(self._paused[rung]):
                if self._rest(trial, rung) <= left:
                    del self._paused[rung][place]
                    return trial, rung + 1
        return None

    def _best(self, count: int) -> list[Work]:
        best: list[Work] = []
        for rung in range(self._top - 1, -1, -1):
            best += [(trial, rung) for _, trial in self._paused[rung][: max(count - len(best), 0)]]
        return best

    def _whole(self, trial: int, rung: int) -> float:
        """Expect what a whole trial takes, from what it took up to a rung."""
        return sum(self._shown.seconds[trial][: rung + 1]) * self._costs[-1] / self._costs[rung]

    def _rest(self, trial: int, rung: int) -> float:
        """Expect what a trial on a rung still takes."""
        return CAUTION * self._whole(trial, rung) * (1 - self._costs[rung] / self._costs[-1])
