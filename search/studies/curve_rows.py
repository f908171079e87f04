"""The training curves of a study as a long table: a row for each epoch of each training. Knows nothing of how it is shown."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from optuna.trial import FrozenTrial

from models.training.training_curve import VALUES, TrainingCurve
from models.training.verdicts import Verdict
from search.trials.records import RungResult
from search.trials.stored_curves import read_curves

COLUMNS = ("trial", "fold", "start", "epoch", *VALUES, "verdict")


def curve_columns(trials: Sequence[FrozenTrial]) -> dict[str, list[Any]]:
    """Give COLUMNS of all trainings of some trials, by trial, fold, start and epoch.

    Trials without curves have no rows. Raises StudyError where curves are damaged.
    """
    columns: dict[str, list[Any]] = {name: [] for name in COLUMNS}
    for trial in trials:
        reached = RungResult.read(trial)
        for curve in read_curves(trial):
            rows = len(curve.epochs)
            columns["trial"] += [trial.number] * rows
            columns["fold"] += [curve.fold] * rows
            columns["start"] += [curve.start] * rows
            columns["epoch"] += curve.epochs
            for name in VALUES:
                columns[name] += getattr(curve, name)
            columns["verdict"] += [verdict_of(curve, reached)] * rows
    return columns


def verdict_of(curve: TrainingCurve, reached: RungResult | None) -> str:
    """Say how a training has ended, by the trial's last rung: one in whose place another was started has collapsed."""
    if reached is None or curve.fold >= len(reached.verdicts):
        return Verdict.UNFINISHED.value
    if curve.start < reached.reseeds[curve.fold]:
        return Verdict.COLLAPSED.value
    return reached.verdicts[curve.fold]
