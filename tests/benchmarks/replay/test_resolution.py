"""A measure is judged by what seeds do to it, beside what is there to be told apart."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from benchmarks.replay.resolution import MEASURES, resolution_table
from tests.support.recorded_tables import made_up


def test_chance_is_what_other_seeds_do_and_a_measure_may_want_another_best() -> None:
    truths = np.linspace(0.5, 0.9, 40)
    noisy = made_up(truths, noise=0.1, seeds=3)
    table = replace(noisy, truths={**noisy.truths, "auc": noisy.truths["auc"][::-1]})
    rows = {row[1]: [float(cell) for cell in row[2:]] for row in resolution_table({"easy": table}).rows}
    assert list(rows) == list(MEASURES.values())
    regret, apart, chance, ratio = rows["mean over 0-10 %"]
    # The twenty best lie evenly over 0.2; the mean of five folds has a standard deviation of 0.1 over the root of five.
    assert (regret, apart) == pytest.approx((0.0, 100 * truths[20:].std(ddof=1)), abs=0.01)
    assert chance == pytest.approx(100 * 0.1 / np.sqrt(5), rel=0.2)
    assert ratio == pytest.approx(apart / chance, abs=0.01)
    assert rows["AUC"][0] == pytest.approx(40.0)


def test_without_second_seeds_nothing_is_said() -> None:
    assert not resolution_table({"easy": made_up(np.linspace(0.5, 0.9, 30))}).rows
