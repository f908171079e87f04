"""Rules that end trials for good: whom to stop on a rung, as `search/pruning` and the naive script do.

Each sees the values of trials as they reach rungs. A trial that is spared although a rule would end it is dead to the rule from
there on. Knows nothing of workers and time.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from bisect import bisect_right, insort
from collections.abc import Sequence
from statistics import median

from benchmarks.replay.scores import Shown
from search.pruning.pruners import REDUCTION
from search.pruning.trailing import EARLY, FEW, SPARED
from search.trials.ladder import Ladder

# Trials that finish before Optuna's median pruner ends any.
STARTUP = 5


class Rule(ABC):
    """Tells which trials to end."""

    # Whether a trial may still be ended on the last rung.
    asked_at_end = False

    def __init__(self, shown: Shown, ladder: Ladder) -> None:
        self.shown, self.ladder = shown, ladder

    @abstractmethod
    def ends(self, trial: int, rung: int) -> bool:
        """Tell whether a trial that has reached a rung is to be ended."""

    def complete(self, trial: int, is_spared: bool) -> None:  # noqa: B027  # most rules do not look at it
        """Note that a trial has climbed the whole ladder; `is_spared`: although the rule would have ended it."""


class Full(Rule):
    """Ends nothing: random search with whole cross-validations."""

    def ends(self, trial: int, rung: int) -> bool:
        """Tell that it is not."""
        return False


class Median(Rule):
    """Optuna's MedianPruner, as the naive script uses it: the best value so far lies under the median on this rung."""

    asked_at_end = True

    def __init__(self, shown: Shown, ladder: Ladder) -> None:
        super().__init__(shown, ladder)
        self._complete: list[Sequence[float]] = []

    def ends(self, trial: int, rung: int) -> bool:
        """Compare with the complete trials."""
        if len(self._complete) < STARTUP:
            return False
        return max(self.shown.values[trial][: rung + 1]) < median(values[rung] for values in self._complete)

    def complete(self, trial: int, is_spared: bool) -> None:
        """Note its values."""
        if not is_spared:
            self._complete.append(self.shown.values[trial])


class Halving(Rule):
    """Optuna's SuccessiveHalvingPruner in fold-epochs: on each of its own rungs the best of REDUCTION go on."""

    def __init__(self, shown: Shown, ladder: Ladder) -> None:
        super().__init__(shown, ladder)
        costs, least = [rung.cost for rung in ladder.rungs], ladder.rungs[0].cost
        # For each rung, those of Optuna's at least * REDUCTION ** k fold-epochs that it passes first.
        self._passed: list[list[int]] = [[] for _ in costs]
        power = 0
        while (cost := least * REDUCTION**power) <= costs[-1]:
            self._passed[next(place for place, other in enumerate(costs) if other >= cost)].append(power)
            power += 1
        self._values: list[list[float]] = [[] for _ in range(power)]

    def ends(self, trial: int, rung: int) -> bool:
        """Compare with all that have come here, those that were ended here too."""
        value = self.shown.values[trial][rung]
        for power in self._passed[rung]:
            values = self._values[power]
            insort(values, value)
            promoted = max(len(values) // REDUCTION, 1)
            if len(values) - bisect_right(values, value) >= promoted:
                return True
        return False


class Trailing(Rule):
    """The default of `search/pruning`: a trial lies, one standard error added, under all good ones on this rung."""

    def __init__(self, shown: Shown, ladder: Ladder) -> None:
        super().__init__(shown, ladder)
        self._climbed: list[int] = []
        self._good: list[int] = []

    def ends(self, trial: int, rung: int) -> bool:
        """Compare with the least of the good ones."""
        if not self._good:
            return False
        shown, least = self.shown, min(self.shown.values[other][rung] for other in self._good)
        if len(self._good) < FEW or self.ladder.rungs[rung].epochs < EARLY * self.ladder.epochs:
            least *= SPARED
        return shown.values[trial][rung] + shown.errors[trial][rung] < least

    def complete(self, trial: int, is_spared: bool) -> None:
        """Note it, and find the good ones anew: those within one standard error of the best that learned."""
        if self.shown.has_learned[trial]:
            self._climbed.append(trial)
            best = max(self._climbed, key=lambda other: self.shown.values[other][-1])
            bar = self.shown.values[best][-1] - self.shown.errors[best][-1]
            self._good = [other for other in self._climbed if self.shown.values[other][-1] >= bar]


RULES: dict[str, type[Rule]] = {"full": Full, "median": Median, "halving": Halving, "trailing": Trailing}
