"""What a mirror copies of a trial: how it ended, its choices, and its figures rung by rung. Knows no mirror."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from optuna.trial import FrozenTrial, TrialState

from search.trials.baseline import is_baseline
from search.trials.objectives import final_value
from search.trials.records import ERROR, Recipe, RungResult, is_interrupted, is_paused, on_rungs
from search.trials.reliability import tally
from spaces import Config
from spaces.axes import Scalar
from spaces.known_configs import choices_of

# How a trial stands, where it is not complete, pruned or broken.
PAUSED, INTERRUPTED = "paused", "interrupted"


@dataclass(frozen=True)
class TrialValues:
    """A trial as it stands."""

    number: int
    # complete, pruned, fail, paused or interrupted.
    state: str
    # Seconds since 1970.
    started: float
    ended: float
    # Its choice on every axis that applies.
    choices: Mapping[str, Scalar]
    # Its acceptance on each rung, by the fold-epochs spent there, ascending.
    rungs: tuple[tuple[int, float], ...]
    # Figures of the last of them, by name.
    figures: Mapping[str, float]
    # Words about it, by name.
    words: Mapping[str, str]

    @property
    def moment(self) -> str:
        """Tell how it stands from how it stood before: a paused trial may be promoted."""
        return f"{self.state}-{len(self.rungs)}"


def read_values(trial: FrozenTrial) -> TrialValues:
    """Read a trial that has ended, is paused, or waits to go on."""
    recipe, reached = Recipe.read(trial), RungResult.read(trial)
    state = PAUSED if is_paused(trial) else INTERRUPTED if is_interrupted(trial) else trial.state.name.lower()
    config = None if recipe is None else Config.from_dict(recipe.config)
    started = trial.datetime_start or datetime.now()
    words = {
        "configuration": config.describe() if config else "",
        "rung": reached.rung if reached else "",
        "verdicts": ", ".join(reached.verdicts) if reached else "",
        "network in use": "yes" if is_baseline(trial) else "",
        "error": (ERROR.read(trial) or "ended from outside") if trial.state == TrialState.FAIL else "",
    }
    return TrialValues(
        number=trial.number,
        state=state,
        started=started.timestamp(),
        ended=(trial.datetime_complete or datetime.now()).timestamp(),
        choices=choices_of(config) if config else {},
        rungs=tuple(sorted(on_rungs(trial).items())),
        figures=_figures(reached) if reached else {},
        words={name: text for name, text in words.items() if text},
    )


def _figures(reached: RungResult) -> dict[str, float]:
    """Give the figures of a rung, those of several folds pooled or as their mean."""
    acceptance, trainings = reached.quoted.share, tally([reached])
    figures = {
        "acceptance": acceptance.value,
        "acceptance_low": acceptance.low,
        "acceptance_high": acceptance.high,
        "rejection_at_high_acceptance": reached.quoted_high.share.value,
        "auc": float(np.mean(reached.auc)),
        "accuracy": float(np.mean(reached.accuracy)),
        "learned": float(trainings.learned),
        "trainings": float(trainings.trainings),
        "epochs": float(reached.epochs_run),
        "seconds": reached.seconds,
    }
    return figures | {name: final_value(reached, name) for name in reached.path if name != "acceptance"}
