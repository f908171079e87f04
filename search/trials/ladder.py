"""The ladder: how many folds have reached which epoch at each rung. One schedule, as data.

Knows nothing of Optuna or training. On CPU, where folds cost time, the ladder starts with one fold and widens.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import pairwise

from search import defaults
from search.errors import StudyError
from search.text import counted

# With fewer epochs than this most networks are barely trained.
FEW_EPOCHS = 10


@dataclass(frozen=True)
class Rung:
    """A height on the ladder: this many folds have been trained for this many epochs."""

    folds: int
    epochs: int

    @property
    def cost(self) -> int:
        """The fold-epochs that a trial has spent here."""
        return self.folds * self.epochs

    def __str__(self) -> str:
        return f"{self.folds}x{self.epochs}"


@dataclass(frozen=True)
class Ladder:
    """Rungs, each at least as wide and as high as the one before; the last has every fold.

    Raises StudyError where that does not hold.
    """

    rungs: tuple[Rung, ...]

    def __post_init__(self) -> None:
        if not self.rungs or self.rungs[-1].folds < 2:
            raise StudyError(f"a ladder must end with 2 folds or more, but got {str(self)!r}; write e.g. {defaults.LADDER!r}.")
        for low, high in pairwise(self.rungs):
            if high.folds < low.folds or high.epochs < low.epochs or high == low:
                raise StudyError(f"every rung must climb from the one before, but got {low} before {high}; reorder them.")

    @classmethod
    def parse(cls, text: str) -> Ladder:
        """Read rungs written `FOLDSxEPOCHS`, separated by commas."""
        rungs = []
        for part in text.split(","):
            match = re.fullmatch(r"\s*([1-9]\d*)x([1-9]\d*)\s*", part)
            if match is None:
                raise StudyError(f"a rung must be written FOLDSxEPOCHS, but got {part!r}; write e.g. {defaults.LADDER!r}.")
            rungs.append(Rung(int(match[1]), int(match[2])))
        return cls(tuple(rungs))

    @property
    def folds(self) -> int:
        """The folds of a whole cross-validation."""
        return self.rungs[-1].folds

    @property
    def epochs(self) -> int:
        """The epochs of a whole training."""
        return self.rungs[-1].epochs

    def __str__(self) -> str:
        return ",".join(map(str, self.rungs))


def short_ladder(epochs: int) -> str | None:
    """Say what numbers mean after so few epochs; None where there are enough."""
    if epochs >= FEW_EPOCHS:
        return None
    return (
        f"networks are barely trained: the ladder ends at {counted(epochs, 'epoch')}; acceptance, reliability and suspect pits "
        f"say little; launch another study whose --ladder ends at {FEW_EPOCHS} epochs or more"
    )
