"""What a selection may go by: how well measures out of fold tell the best configurations apart, and whether they want the same.

A measure is of use where its best configuration also truly accepts the most at the working point, and where trainings from
other seeds, on other splits, move it little beside how far good configurations truly lie apart. Knows nothing of policies.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from benchmarks.support.measure import Table
from benchmarks.table.recorded import Array, Recorded

GOAL, MEASURES = "acceptance_5", {"acceptance_5": "acceptance at 5 %", "mean_acceptance": "mean over 0-10 %", "auc": "AUC"}
# How many of the best configurations are to be told apart.
BEST = 20


def resolution_table(tables: Mapping[str, Recorded]) -> Table:
    """Compare the measures on each data set of which configurations were trained from several seeds."""
    rows = []
    for name, table in tables.items():
        again = np.flatnonzero(table.is_recorded.sum(1) > 1)
        if not len(again):
            continue
        truth = table.true_acceptance(GOAL)
        best = np.argsort(-truth)[:BEST]
        for measure, words in MEASURES.items():
            true = table.true_acceptance(measure)
            regret, apart, chance = truth.max() - truth[true.argmax()], float(true[best].std(ddof=1)), _chance(table, measure)
            cells = (f"{100 * value:.2f}" for value in (regret, apart, chance))
            rows.append([name, words, *cells, f"{apart / chance:.2f}"])
    return Table(
        f"What tells the {BEST} best configurations apart, in points",
        ["data set", "measure", "regret of its true best", "true standard deviation", "that over seeds", "ratio"],
        rows,
        ["regret: in acceptance at 5 %; over seeds: out of fold, of one cross-validation, from another seed on another split"],
    )


def _chance(table: Recorded, measure: str) -> float:
    """Give the standard deviation over the seeds of one configuration, pooled over configurations with several."""
    values: Array = table.epochs[measure][..., -1].mean(-1)
    deviations = [values[place, row] for place, row in enumerate(table.is_recorded) if row.sum() > 1]
    squares = sum(float(each.var(ddof=1)) * (len(each) - 1) for each in deviations)
    return float(np.sqrt(squares / sum(len(each) - 1 for each in deviations)))
