"""What it brings to end folds early that have converged: the time that is saved, and the acceptance that is lost.

A fold ends where its validation loss has not fallen for some epochs. What the ensemble of such folds truly accepts is not
recorded, so that folds are compared with themselves at their end, out of fold. Knows nothing of policies.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from benchmarks.replay.resolution import BEST
from benchmarks.support.measure import Table
from benchmarks.table.recorded import Array, Recorded

PATIENCES = (3, 5, 10)
NOTES = ["time: as a share of that of whole trainings; points: of the mean acceptance over 0-10 %, out of fold, gained by it"]


def early_end_table(tables: Mapping[str, Recorded]) -> Table:
    """Compare folds that end early with whole ones, of the first seed, on each data set."""
    rows = []
    for name, table in tables.items():
        loss, accepted, ms = (table.epochs[measure][:, 0] for measure in ("validation_loss", "mean_acceptance", "ms"))
        learned = np.flatnonzero(table.has_learned[:, 0].all(1))
        best = learned[np.argsort(-table.true_acceptance()[learned])[:BEST]]
        for patience in PATIENCES:
            end = last_epoch(loss, patience)
            run = np.where(np.arange(loss.shape[-1]) <= end[..., None], ms, 0.0)
            less = np.take_along_axis(accepted, end[..., None], -1)[..., 0] - accepted[..., -1]
            row = [name, str(patience)]
            for which in (best, learned):
                row += [f"{run[which].sum() / ms[which].sum():.2f}", f"{100 * less[which].mean():+.2f}"]
            rows.append(row)
    return Table(
        "Folds that end when their validation loss has not fallen for some epochs, against whole ones",
        ["data set", "epochs", f"time of the {BEST} best", "their points", "time of all that learned", "their points"],
        rows,
        NOTES,
    )


def last_epoch(loss: Array, patience: int) -> npt.NDArray[np.int64]:
    """Give the place of the epoch that a fold ends with, by losses `[..., epochs]`: the last one where it is never as long."""
    places = np.arange(loss.shape[-1])
    least = np.maximum.accumulate(np.where(loss <= np.minimum.accumulate(loss, -1), places, 0), -1)
    waited = places - least >= patience
    ends: npt.NDArray[np.int64] = np.where(waited.any(-1), waited.argmax(-1), places[-1])
    return ends
