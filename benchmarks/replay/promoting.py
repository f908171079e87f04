"""The scheduler that a launch has: the rule of `search/pruning/promotion.py` itself, over recorded trials.

Knows nothing of data sets.
"""

from __future__ import annotations

import math
from collections.abc import Container, Sequence
from dataclasses import replace

from benchmarks.replay.scores import Shown
from benchmarks.replay.simulation import Scheduler, Work
from search.pruning.promotion import Moment, decide
from search.storage.rung_table import Standing, Start
from search.trials.ladder import Ladder


class Promoting(Scheduler):
    """Trials pause on every rung, and are promoted as in a launch that ends at the deadline.

    `demanded`: trials that are to climb the whole ladder in the end.
    """

    def __init__(
        self, order: Sequence[int], demanded: Container[int], shown: Shown, ladder: Ladder, workers: int, deadline: float
    ) -> None:
        self._new, self._demanded, self._shown, self._workers, self._deadline = [*order], demanded, shown, workers, deadline
        self._costs = [rung.cost for rung in ladder.rungs]
        self._standings: dict[Work, Standing] = {}

    def next(self, now: float) -> Work | None:
        """Ask the rule."""
        moment = Moment(room=bool(self._new), workers=self._workers)
        if math.isfinite(self._deadline):
            moment = replace(moment, left_s=self._deadline - now, whole_s=self._deadline)
        chosen = decide(self._standings.values(), self._costs, moment)
        if chosen is Start.NEW:
            return self._new.pop(0), 0
        if isinstance(chosen, Start):
            return None
        height = max(height for trial, height in self._standings if trial == chosen)
        self._standings[chosen, height] = self._standings[chosen, height]._replace(paused=False)
        return chosen, height + 1

    def report(self, trial: int, rung: int) -> bool:
        """Write how a trial stands, and tell whether it is at the top."""
        top = rung == len(self._costs) - 1
        pace, value = sum(self._shown.seconds[trial][: rung + 1]) / self._costs[rung], self._shown.values[trial][rung]
        self._standings[trial, rung] = Standing(trial, rung, value, pace, trial in self._demanded, not top)
        return top
