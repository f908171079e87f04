"""What a trial shows on each rung of a ladder: its seconds, and the value that rules compare, by the name of a score.

A score is a measure, the mean over the folds on the rung: `a5`, acceptance at 5 %; `mean`, acceptance over false-positive rates
of 0 to 10 %; `mean3`, the same over the last three epochs; `fit`, what a regression on the other data sets expects of `mean` at
the end. A `+` behind it adds one standard error: that of the mean over the folds, or on a single fold that of its pits.
`mean:a5` compares trials on a rung by `mean`, and selects from complete ones by `a5`. Knows nothing of rules.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from benchmarks.replay.extrapolation import extrapolate
from benchmarks.table.recorded import Array, Flags, Recorded
from search.statistics.fitted import from_counts
from search.trials.ladder import Ladder, Rung

SCORES = ("a5", "mean", "mean3", "fit")
WORKING_POINT = 0.05
# Seconds that a trial takes beside its training: of the storage and of the sampler.
OVERHEAD = 0.1


@dataclass(frozen=True)
class Shown:
    """What trials show. A trial is a configuration with a seed: trial `configuration * seeds + seed`, `[trials, rungs]`."""

    # From the rung before to this one.
    seconds: Sequence[Sequence[float]]
    # What rules compare.
    values: Sequence[Sequence[float]]
    # The standard error of an acceptance as high.
    errors: Sequence[Sequence[float]]
    # What complete trials are selected by, `[trials]`.
    final: Sequence[float]
    # Whether every fold learned, `[trials]`.
    has_learned: Sequence[bool]


def show(table: Recorded, ladder: Ladder, score: str, others: Sequence[Recorded]) -> Shown:
    """Give what the trials of a table show on a ladder. `others`: the tables that a regression may be fitted on.

    Raises ValueError where the ladder does not end where the recorded trainings do, whose truth is known.
    """
    whole = Rung(*table.epochs["ms"].shape[2:])
    if ladder.rungs[-1] != whole:
        raise ValueError(f"a ladder must end at {whole}, as the recorded trainings, but got {str(ladder)!r}; correct it.")
    on_rung, _, selecting = score.partition(":")
    name, is_bound = on_rung.removesuffix("+"), on_rung.endswith("+")
    values, spent = [], [np.zeros(table.is_recorded.shape)]
    for rung in ladder.rungs:
        shown = extrapolate(table, rung, others) if name == "fit" else by_fold(table, rung, name).mean(-1)
        values.append(shown + _chance(table, rung, name) if is_bound else shown)
        spent.append(table.epochs["ms"][..., : rung.folds, : rung.epochs].sum((-1, -2)) / 1000)
    seconds = np.diff(np.stack(spent, -1), axis=-1)
    seconds[..., 0] += OVERHEAD
    stacked = np.stack(values, -1)
    return Shown(
        seconds=_by_trial(seconds),
        values=_by_trial(stacked),
        errors=_by_trial(np.stack([_errors(table, rung, stacked[..., place]) for place, rung in enumerate(ladder.rungs)], -1)),
        final=_by_trial(by_fold(table, ladder.rungs[-1], selecting or name).mean(-1)[..., None], flat=True),
        has_learned=learned(table).ravel().tolist(),
    )


def learned(table: Recorded) -> Flags:
    """Tell which trials are recorded and learned on every fold, `[configurations, seeds]`."""
    flags: Flags = table.has_learned.all(-1) & table.is_recorded
    return flags


def by_fold(table: Recorded, rung: Rung, name: str) -> Array:
    """Give a measure on the folds of a rung, `[configurations, seeds, folds]`; that of `fit` is what it expects: `mean`."""
    measure = table.epochs["acceptance_5" if name == "a5" else "mean_acceptance"][..., : rung.folds, : rung.epochs]
    values: Array = measure[..., -3:].mean(-1) if name == "mean3" else measure[..., -1]
    return values


def _chance(table: Recorded, rung: Rung, name: str) -> Array:
    """Give the standard error of what trials show on a rung, `[configurations, seeds]`."""
    values = by_fold(table, rung, name)
    if rung.folds == 1:
        return _errors(table, rung, values[..., 0]) if name == "a5" else table.epochs["standard_error"][..., 0, rung.epochs - 1]
    error: Array = values.std(-1, ddof=1) / np.sqrt(rung.folds)
    return error


def _errors(table: Recorded, rung: Rung, values: Array) -> Array:
    """Give the standard error of acceptances as high, as the trailing rule takes it."""
    signals, backgrounds = (sum(counts[: rung.folds]) for counts in (table.pits.signals, table.pits.backgrounds))
    shares = np.clip(np.nan_to_num(values), 0, 1)
    errors: Array = np.vectorize(
        lambda share: from_counts(share * signals, signals, backgrounds, WORKING_POINT).standard_error, otypes=[float]
    )(shares)
    return errors


def _by_trial(values: Array, *, flat: bool = False) -> list:  # type: ignore[type-arg]  # of floats, or of lists of floats
    rows = values.reshape(-1, values.shape[-1])
    return (rows.ravel() if flat else rows).tolist()
