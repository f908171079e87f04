"""Make trials by hand, with the records that a search would have written."""

from __future__ import annotations

from typing import Any

import optuna

from search.studies.options import SearchOptions
from search.studies.plan import Plan
from search.trials.ladder import Ladder
from search.trials.records import Recipe, RungResult, TrialOrigin
from spaces import Config, Space

OPTIONS = SearchOptions(ladder=Ladder.parse("1x3,5x9,5x30"), pruner="halving")
PLAN = Plan("data", "f" * 64, (), (), (), Space(), OPTIONS, "0")


def written(*records: TrialOrigin | Recipe | RungResult) -> dict[str, Any]:
    """Give the user attributes of a trial with these records."""
    return {name: value for record in records for name, value in record.attribute().items()}


def recipe(config: Config | None = None, *, audited: bool = False) -> Recipe:
    """Make a recipe of seed 0, of the default configuration unless told otherwise."""
    return Recipe((config or Config()).to_dict(), 0, audited)


def reached(folds: int = 5, **changes: Any) -> RungResult:
    """Make a record of folds that all learned, at the top of the ladder, but for some changes."""
    known: dict[str, Any] = {
        "rung": f"{folds}x30",
        "acceptance": (0.9,) * folds,
        "rejection": (0.95,) * folds,
        "accepted": (9,) * folds,
        "signals": (10,) * folds,
        "rejected_high": (19,) * folds,
        "backgrounds": (20,) * folds,
        "auc": (0.9,) * folds,
        "accuracy": (0.9,) * folds,
        "verdicts": ("learned",) * folds,
        "reseeds": (0,) * folds,
        "epochs_run": 30 * folds,
        "seconds": 12.34,
    }
    return RungResult(**{**known, **changes})


class Alone(optuna.trial.FixedTrial):
    """A trial of given parameters and number, in a study of its own."""

    def __init__(self, params: dict[str, object], number: int) -> None:
        super().__init__(params, number)
        self.study = optuna.create_study()
