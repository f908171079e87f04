"""The one paired test gives, bit for bit, what the comparison with the network in use and once the race gave before it."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.stats import t as student
from scipy.stats import ttest_rel

from search.statistics.intervals import LEVEL, Share
from search.statistics.paired_tests import compare_paired
from search.trials.baseline import paired
from tests.support.trials import reached

SIGNALS = np.array([41, 42, 41, 40, 43])


def old_lag(leader: np.ndarray, rival: np.ndarray, signals: np.ndarray) -> tuple[float, float]:
    """Compare as the race did when it had its own formula."""
    differences = ((leader - rival) / signals).ravel()
    trainings, folds = len(differences), leader.shape[1]
    variance = max(float(differences.var(ddof=1)), 1 / (trainings * float(signals.mean()) ** 2))
    deviation = math.sqrt(variance * (1 / trainings + 1 / (folds - 1)))
    gap = float(differences.mean())
    return gap, float(student.sf(gap / deviation, trainings - 1))


def old_paired(accepted: np.ndarray, others: np.ndarray, counts: np.ndarray) -> Share:
    """Compare as the comparison with the network in use did when it had its own formula."""
    hits, misses, signals = (np.array(tuple(map(int, column)), float) for column in (accepted, others, counts))
    differences, folds = (hits - misses) / signals, len(signals)
    variance = max(float(differences.var(ddof=1)), 1 / (folds * float(signals.mean()) ** 2))
    half = float(student.ppf((1 + LEVEL) / 2, folds - 1)) * math.sqrt(variance * (1 / folds + 1 / (folds - 1)))
    mean = float(differences.mean())
    return Share(mean, mean - half, mean + half)


@pytest.mark.parametrize("repeats", [1, 2, 5])
def test_the_numbers_are_those_of_the_formulas_that_it_replaces(repeats: int) -> None:
    generator = np.random.default_rng(repeats)
    for _ in range(50):
        signals = np.tile(SIGNALS, (repeats, 1))
        one, other = (generator.binomial(signals, share) for share in generator.uniform(0.5, 1.0, 2))
        difference = compare_paired(one, other, signals)
        assert (difference.share.value, difference.p) == old_lag(one, other, signals)
        first, second = (reached(accepted=tuple(map(int, row[0])), signals=tuple(map(int, SIGNALS))) for row in (one, other))
        assert paired(first, second) == old_paired(one[0], other[0], SIGNALS)


def test_but_for_shared_pits_it_is_the_paired_t_test() -> None:
    one, other, signals = np.array([9, 8, 10, 7, 9]), np.array([5, 6, 5, 7, 4]), np.full(5, 10)
    difference, plain = compare_paired(one, other, signals), ttest_rel(one / 10, other / 10, alternative="greater")
    statistic = float(student.isf(difference.p, 4)) * math.sqrt((1 / 5 + 1 / 4) / (1 / 5))
    assert statistic == pytest.approx(float(plain.statistic))


def test_no_difference_has_even_odds_and_the_width_of_one_pit() -> None:
    same = np.full((2, 5), 30)
    difference = compare_paired(same, same, np.full((2, 5), 40))
    assert (difference.share.value, difference.p) == (0.0, 0.5)
    # One pit of 40 in one of ten trainings: variance 1 / (10 * 40 ** 2); Student's 95 % point of 9 degrees of freedom.
    assert difference.share.high == pytest.approx(1.83311 * math.sqrt((1 / 10 + 1 / 4) / 10) / 40, rel=1e-5)
