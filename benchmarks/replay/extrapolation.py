"""Expect of a trial on a rung what it reaches at the end: a ridge regression, fitted on the other data sets of the table.

Features and the target, the mean acceptance of a whole cross-validation, are centred on each data set: what is learned is how
configurations differ within one, and not how data sets do. Knows nothing of rules.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from sklearn.linear_model import RidgeCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from benchmarks.table.recorded import Array, Recorded
from search.trials.ladder import Rung

ALPHAS = tuple(10.0**power for power in range(-2, 4))
# A diverged training's loss is as good as any that is so high.
HIGHEST_LOSS = 10.0


def extrapolate(table: Recorded, rung: Rung, others: Sequence[Recorded]) -> Array:
    """Expect the mean acceptance at the end, `[configurations, seeds]`; it is NaN where nothing is recorded.

    Raises ValueError where there is no other data set to fit on.
    """
    if not others:
        raise ValueError(f"the score fit on {table.name!r} must be fitted on another data set, but got none; record one.")
    features, targets, level = [], [], []
    for other in others:
        shown = features_of(other, rung)[other.is_recorded]
        target = other.epochs["mean_acceptance"][..., -1].mean(-1)[other.is_recorded]
        features.append(shown - shown.mean(0))
        targets.append(target - target.mean())
        level.append(target.mean())
    model = make_pipeline(StandardScaler(with_mean=False), RidgeCV(ALPHAS, fit_intercept=False))
    model.fit(np.concatenate(features), np.concatenate(targets))
    shown, expected = features_of(table, rung)[table.is_recorded], np.full(table.is_recorded.shape, np.nan)
    # The level of the others is added: rules that compare trials do not see it.
    expected[table.is_recorded] = model.predict(shown - _centre(others, rung)) + np.mean(level)
    return expected


def features_of(table: Recorded, rung: Rung) -> Array:
    """Give what is known of a trial on a rung, `[configurations, seeds, features]`."""
    on_rung = {name: values[..., : rung.folds, : rung.epochs] for name, values in table.epochs.items()}
    curve = on_rung["mean_acceptance"].mean(-2)
    loss = np.log(np.clip(on_rung["validation_loss"][..., -1], 1e-3, HIGHEST_LOSS)).mean(-1)
    return np.stack(
        [
            curve[..., -1],
            curve[..., -3:].mean(-1),
            curve[..., -1] - curve[..., curve.shape[-1] // 2],
            on_rung["acceptance_5"][..., -1].mean(-1),
            on_rung["auc"][..., -1].mean(-1),
            loss,
        ],
        -1,
    )


def _centre(tables: Sequence[Recorded], rung: Rung) -> Array:
    centre: Array = np.mean([features_of(table, rung)[table.is_recorded].mean(0) for table in tables], 0)
    return centre
