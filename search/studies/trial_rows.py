"""A study as a table: a row for each trial, with its result and its choice on every axis. Knows nothing of how it is shown."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from optuna.trial import FrozenTrial

from search.statistics.intervals import wilson
from search.trials.records import ERROR, Recipe, RungResult, is_paused
from search.trials.reliability import tally
from spaces import Config
from spaces.known_configs import choices_of


def trial_rows(trials: Sequence[FrozenTrial]) -> list[dict[str, Any]]:
    """Give a row for each trial: how it ended, acceptance with its interval, trainings, cost, and its choices by axis."""
    return [_row(trial) for trial in trials]


def _row(trial: FrozenTrial) -> dict[str, Any]:
    reached, recipe = RungResult.read(trial), Recipe.read(trial)
    row: dict[str, Any] = {"trial": trial.number, "state": "paused" if is_paused(trial) else trial.state.name.lower()}
    if reached is not None:
        share, trainings = wilson(*reached.pooled), tally([reached])
        row |= {
            "rung": reached.rung,
            "acceptance": share.value,
            "acceptance_low": share.low,
            "acceptance_high": share.high,
            "learned": trainings.learned,
            "trainings": trainings.trainings,
            "epochs": reached.epochs_run,
            "seconds": reached.seconds,
        }
    if recipe is not None:
        row |= choices_of(Config.from_dict(recipe.config))
    error = ERROR.read(trial)
    return row if error is None else {**row, "error": error}
