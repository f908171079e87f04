"""The best trial against the network in use: paired over folds, and never surer than the pits allow."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import ttest_rel

from search.analysis.status import of_trials
from search.report.tables import comparison_line
from search.trials.baseline import paired
from tests.support.golden import render
from tests.support.status import TRIALS
from tests.support.trials import PLAN, reached


def test_the_interval_is_that_of_the_paired_t_test_but_for_what_the_folds_share() -> None:
    one, other = (9, 8, 10, 7, 9), (5, 6, 5, 7, 4)
    found = paired(reached(accepted=one), reached(accepted=other))
    plain = ttest_rel(np.array(one) / 10, np.array(other) / 10).confidence_interval(0.9)
    assert found.value == pytest.approx(np.mean(np.subtract(one, other)) / 10)
    assert found.high - found.value == pytest.approx((plain.high - found.value) * np.sqrt(1 + 5 / 4))
    assert found.value - found.low == pytest.approx(found.high - found.value)


def test_folds_that_agree_leave_the_chance_of_one_pit() -> None:
    found = paired(reached(accepted=(9,) * 5), reached(accepted=(9,) * 5))
    assert found.value == 0
    assert found.low == pytest.approx(-found.high)
    assert 0.05 < found.high < 0.1


def test_swapped_trials_swap_the_interval() -> None:
    one, other = reached(accepted=(9, 8, 10, 7, 9)), reached(accepted=(5, 6, 5, 7, 4))
    first, second = paired(one, other), paired(other, one)
    assert (first.low, first.value, first.high) == pytest.approx((-second.high, -second.value, -second.low))


def test_nothing_is_compared_before_the_network_in_use_has_been_tried() -> None:
    status = of_trials("a", PLAN, TRIALS[1:])
    assert status.comparison is None
    assert render(comparison_line(status.comparison)).startswith("the network in use has not climbed the whole ladder yet")


def test_the_best_may_be_the_network_in_use() -> None:
    comparison = of_trials("a", PLAN, TRIALS[:1]).comparison
    assert comparison is not None
    assert comparison.gain is None
    assert comparison_line(comparison).endswith("; none is better")
