"""A study as a table: a row for each trial, with its result and its choice on every axis. Knows nothing of how it is shown."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from optuna.trial import FrozenTrial

from search.statistics.intervals import Share
from search.trials.objectives import final_value
from search.trials.records import ERROR, Recipe, RungResult, is_paused
from search.trials.reliability import tally
from spaces import Config
from spaces.known_configs import choices_of


def trial_rows(trials: Sequence[FrozenTrial]) -> list[dict[str, Any]]:
    """Give a row for each trial: how it ended, acceptance, reliability, cost, and its choices by axis.

    Acceptance is quoted as everywhere, at the working point on its last rung, with its 90 % interval; so is the reliability, of
    this trial's own trainings. `multiply_adds`, of scoring a pit, stands where a search has counted them.
    """
    return [_row(trial) for trial in trials]


def _row(trial: FrozenTrial) -> dict[str, Any]:
    reached, recipe = RungResult.read(trial), Recipe.read(trial)
    row: dict[str, Any] = {"trial": trial.number, "state": "paused" if is_paused(trial) else trial.state.name.lower()}
    if reached is not None:
        trainings = tally([reached])
        row |= {"rung": reached.rung, **_with_interval("acceptance", reached.quoted.share)}
        row |= _with_interval("reliability", trainings.reliability)
        row |= {"learned": trainings.learned, "trainings": trainings.trainings, "restarts": sum(reached.reseeds)}
        row |= {"epochs": reached.epochs_run, "seconds": reached.seconds}
        if "cost" in reached.path:
            row["multiply_adds"] = final_value(reached, "cost")
    if recipe is not None:
        row |= choices_of(Config.from_dict(recipe.config))
    error = ERROR.read(trial)
    return row if error is None else {**row, "error": error}


def _with_interval(name: str, share: Share | None) -> dict[str, float]:
    """Give a share and the ends of its interval by name; NaN where there is none."""
    value, low, high = (math.nan,) * 3 if share is None else (share.value, share.low, share.high)
    return {name: value, f"{name}_low": low, f"{name}_high": high}
