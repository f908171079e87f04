"""Trials with training curves, made by hand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from optuna.trial import FrozenTrial, TrialState, create_trial

from models.training.training_curve import VALUES, TrainingCurve
from search.trials.records import TrialOrigin
from search.trials.stored_curves import pack_curves
from spaces import Config
from tests.support.trials import reached, recipe, written


def curve(fold: int = 0, start: int = 0, epochs: int = 30, **changes: Any) -> TrainingCurve:
    """Make the curve of a training from random numbers."""
    values = np.random.default_rng((fold, start)).random((len(VALUES), epochs)).tolist()
    known = {name: tuple(row) for name, row in zip(VALUES, values, strict=True)}
    return replace(TrainingCurve(fold, start, 0.693, 0.456, tuple(range(1, epochs + 1)), **known), **changes)


def trial_with_curves(
    number: int,
    verdicts: Sequence[str] = ("learned",) * 5,
    reseeds: Sequence[int] = (),
    *,
    config: Config | None = None,
    state: TrialState = TrialState.COMPLETE,
    epochs: int = 6,
    origin: str | None = None,
) -> FrozenTrial:
    """Make a trial of so many folds; a fold that was started again had two epochs before."""
    again = reseeds or (0,) * len(verdicts)
    curves = [
        curve(fold, start, epochs if start == times else 2) for fold, times in enumerate(again) for start in range(times + 1)
    ]
    record = reached(len(verdicts), verdicts=tuple(verdicts), reseeds=tuple(again))
    records = written(TrialOrigin("launch", "host:1", origin), recipe(config), record)
    value = 0.9 if state == TrialState.COMPLETE else None
    trial = create_trial(state=state, value=value, user_attrs={**records, **pack_curves(curves)})
    trial.number = number
    return trial
