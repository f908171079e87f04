"""What a study's trials are judged by: acceptance alone, or acceptance against something else, searched as a Pareto front.

*Rejection* is quoted where 90 % of the signal is accepted. At the working point it is fixed, 95 % of the background whatever
the network, and so no objective. The two are points on one curve of acceptance against rejection: acceptance at the working
point is for a search that people can look through, rejection at 90 % acceptance is what remains to be looked through where
hardly a signal may be lost. Networks whose curves cross do differently at them. *Cost* is that of inference, in multiply-adds a
pit (`models/inference/cost.py`): it differs between configurations, and not between machines.

Acceptance always comes first. Knows nothing of how trials run.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from models.metrics import HIGH
from models.training.verdicts import Verdict
from search.errors import StudyError
from search.trials.records import RungResult

if TYPE_CHECKING:  # a study is opened without torch
    from models.training.cross_validation import FoldResult


@dataclass(frozen=True)
class Objective:
    """What trials are judged by."""

    # What it is, as axes are labelled.
    words: str
    # Whether more of it is better.
    maximise: bool
    # Its value from how the folds stand and what inference costs.
    measure: Callable[[Sequence[FoldResult], int], float]
    # Whether Optuna takes its logarithm, for values that differ by factors: its sampler would see one expensive trial, and all
    # others as alike.
    logarithm: bool = False

    @property
    def direction(self) -> Literal["maximize", "minimize"]:
        """Optuna's word for which way is better."""
        return "maximize" if self.maximise else "minimize"

    @property
    def told_words(self) -> str:
        """What it is, as Optuna's dashboard labels it."""
        return f"log10 of {self.words}" if self.logarithm else self.words

    def told(self, value: float) -> float:
        """Give the value as Optuna takes it."""
        return math.log10(value) if self.logarithm else value

    def no_worse(self, one: float, other: float) -> bool:
        """Tell whether one value is as good as another, or better."""
        return one >= other if self.maximise else one <= other


def _acceptance(folds: Sequence[FoldResult], cost: int) -> float:
    return float(np.mean([fold.score.acceptance for fold in folds]))


def _rejection(folds: Sequence[FoldResult], cost: int) -> float:
    return float(np.mean([fold.score.rejection_high for fold in folds]))


def _cost(folds: Sequence[FoldResult], cost: int) -> float:
    return float(cost)


OBJECTIVES: dict[str, Objective] = {
    "acceptance": Objective("signal acceptance", True, _acceptance),
    "rejection": Objective(f"background rejection at {HIGH:.0%} acceptance", True, _rejection),
    "cost": Objective("multiply-adds a pit", False, _cost, logarithm=True),
}
# Acceptance comes first, alone or with one more.
CHOICES = (("acceptance",), ("acceptance", "rejection"), ("acceptance", "cost"))


def parse_objectives(text: str) -> tuple[str, ...]:
    """Read objectives written with a comma between them. Raises StudyError where it is none of the choices."""
    names = tuple(part.strip() for part in text.split(","))
    check_objectives(names)
    return names


def check_objectives(names: Sequence[str]) -> None:
    """Raise StudyError where objectives are none of the choices."""
    if tuple(names) not in CHOICES:
        choices = " or ".join(repr(",".join(choice)) for choice in CHOICES)
        raise StudyError(f"the objectives must be {choices}, but got {','.join(names)!r}; choose one of these.")


def second_of(objectives: Sequence[str]) -> str | None:
    """Give the objective beside acceptance; None where acceptance is all."""
    return objectives[1] if len(objectives) > 1 else None


def final_value(reached: RungResult, name: str) -> float:
    """Give an objective's value on the last rung that a trial reached; where there is one objective, it is acceptance."""
    return reached.path[name][-1] if reached.path else float(np.mean(reached.acceptance))


def has_learned(reached: RungResult) -> bool:
    """Tell whether every fold of a trial learned."""
    return all(verdict == Verdict.LEARNED for verdict in reached.verdicts)


def shortfall(reached: RungResult, left: int) -> float:
    """Say by how much a trial misses what the front asks, for the sampler: to climb the whole ladder, every fold learning.

    0 or less: it misses nothing. Folds that did not learn count as their share; a trial that was pruned with so many rungs
    `left` always more, the more the lower it ended, and on the same rung by its acceptance: the order in which Optuna ranks
    pruned trials where there is one objective.
    """
    if left:
        return 1.0 + left + (1.0 - final_value(reached, "acceptance"))
    return float(np.mean([verdict != Verdict.LEARNED for verdict in reached.verdicts]))


def said(name: str, value: float) -> str:
    """Say an objective's value, with what it is."""
    return f"{amount(value)} multiply-adds a pit" if name == "cost" else f"{OBJECTIVES[name].words} {value:.3f}"


def amount(number: float) -> str:
    """Say a large number to three digits: 2.94 M."""
    for unit, size in (("G", 1e9), ("M", 1e6), ("k", 1e3)):
        if number >= 0.9995 * size:
            return f"{number / size:#.3g}".rstrip(".") + f" {unit}"
    return f"{number:.0f}"


def on_path(path: Mapping[str, Sequence[float]], values: Mapping[str, float]) -> dict[str, list[float]]:
    """Add the values of one more rung to a trial's path."""
    return {name: [*path.get(name, ()), value] for name, value in values.items()}
