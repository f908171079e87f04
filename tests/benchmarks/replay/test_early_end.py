"""Folds that end early are compared with themselves at their end."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.replay.early_end import PATIENCES, early_end_table, last_epoch
from tests.support.recorded_tables import made_up


@pytest.mark.parametrize(
    ("loss", "end"),
    [
        ([5, 4, 3, 2, 1, 0], 5),
        ([1, 2, 2, 2, 2, 2], 2),
        ([3, 2, 3, 1, 2, 2], 5),
        ([1, 1, 1, 1, 1, 1], 5),  # as low again
        ([3, 4, 2, 3, 3, 0], 4),
    ],
)
def test_a_fold_ends_where_its_loss_has_not_fallen_for_so_long(loss: list[float], end: int) -> None:
    assert last_epoch(np.array([loss], float), 2).tolist() == [end]


def test_trainings_that_always_gain_are_whole() -> None:
    rows = early_end_table({"easy": made_up([0.5, 0.8, *[0.3] * 20])}).rows
    assert rows == [["easy", str(patience), "1.00", "+0.00", "1.00", "+0.00"] for patience in PATIENCES]


def test_what_ends_early_takes_less_and_loses_what_came_later() -> None:
    table = made_up([0.5, 0.8, *[0.3] * 20])
    loss = table.epochs["validation_loss"]
    loss[..., 10:] = loss[..., 9:10] + 1  # all end at epoch 13 with a patience of 3, at 20 with 10
    assert [row[2] for row in early_end_table({"easy": table}).rows] == [f"{13 / 30:.2f}", "0.50", f"{20 / 30:.2f}"]
    table.epochs["mean_acceptance"][..., -1] += 0.02
    assert [row[5] for row in early_end_table({"easy": table}).rows] == ["-2.00"] * 3
