"""Acceptance at a threshold that the sample's own background fixed: what is counted, what its interval covers."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.stats import norm

from models.metrics import Flags, Floats, score
from search.statistics.fitted import (
    FEW,
    POOLED,
    FittedShare,
    fit_acceptance,
    fit_rejection,
    from_counts,
    is_few,
    mean_of,
    pooled_remarks,
)
from search.statistics.intervals import standard_error, wilson

Folds = list[tuple[Floats, Flags]]


def drawn(seed: int, *, signals: int, backgrounds: int, apart: float, folds: int = 5) -> Folds:
    """Draw folds whose scores are normal, signal `apart` above background."""
    generator = np.random.default_rng(seed)
    is_signal = np.arange(signals + backgrounds) < signals
    return [(generator.normal(0, 1, len(is_signal)) + apart * is_signal, is_signal) for _ in range(folds)]


@pytest.mark.parametrize(("signals", "backgrounds", "apart"), [(41, 1000, 1.0), (41, 1000, 3.0), (3, 200, 2.0)])
def test_large_folds_have_thresholds_of_their_own(signals: int, backgrounds: int, apart: float) -> None:
    folds = drawn(1, signals=signals, backgrounds=backgrounds, apart=apart)
    fitted = fit_acceptance(folds, 0.05)
    singles = [score(*fold, working_point=0.05) for fold in folds]
    assert (fitted.passed, fitted.pits, fitted.others) == (
        sum(one.accepted for one in singles),
        5 * signals,
        5 * backgrounds,
    )
    assert not fitted.is_pooled


def test_below_ten_passing_pits_one_threshold_stands_for_all_folds() -> None:
    folds = drawn(2, signals=41, backgrounds=174, apart=2.5)
    fitted = fit_acceptance(folds, 0.05)
    joined = tuple(np.concatenate(parts) for parts in zip(*folds, strict=True))
    assert fitted.is_pooled
    assert fitted.passed == score(*joined, working_point=0.05).accepted
    assert is_few([200] * 5, 0.05 - 1e-6) and not is_few([200] * 5, 0.05) and not is_few([5], 0.05) and FEW == 10


def test_rejection_is_the_mirror_of_acceptance() -> None:
    folds = drawn(3, signals=150, backgrounds=600, apart=2.0)
    fitted = fit_rejection(folds, 0.9)
    assert fitted.passed == sum(score(*fold, working_point=0.05).rejected_high for fold in folds)
    assert (fitted.pits, fitted.others) == (3000, 750)


def test_the_variance_is_of_the_signal_and_of_the_threshold() -> None:
    fitted = FittedShare(160, 200, 1000, 0.05, 2.5)
    expected = math.sqrt(0.8 * 0.2 / 200 + 2.5**2 * 0.05 * 0.95 / 1000)
    assert fitted.standard_error == pytest.approx(expected, rel=0.02)
    half = (fitted.share.high - fitted.share.low) / 2
    assert half == pytest.approx(norm.ppf(0.95) * expected, rel=0.03)
    # Where the threshold leaves nothing to chance, the interval is that of a threshold fixed before.
    still = FittedShare(160, 200, 1000, 0.05, 0.0)
    assert still.share.low == pytest.approx(wilson(160, 200).low)
    assert still.standard_error == pytest.approx(standard_error(160, 200))


def test_the_slope_is_measured_or_that_of_two_normal_distributions() -> None:
    truth = norm.pdf(norm.ppf(0.8)) / norm.pdf(norm.ppf(0.05))
    apart = norm.ppf(0.8) - norm.ppf(0.05)
    slopes = [fit_acceptance(drawn(seed, signals=41, backgrounds=174, apart=apart), 0.05).slope for seed in range(40)]
    assert np.mean(slopes) == pytest.approx(truth, rel=0.15)
    assert from_counts(800, 1000, 4000, 0.05).slope == pytest.approx(truth, rel=0.01)


@pytest.mark.parametrize("rate", [0.05, 0.01])
@pytest.mark.parametrize(("signals", "backgrounds"), [(41, 174), (20, 60)])
def test_ninety_percent_intervals_hold_the_truth_as_often(rate: float, signals: int, backgrounds: int) -> None:
    apart = norm.ppf(0.8) - norm.ppf(rate)
    shares = [
        fit_acceptance(drawn(seed, signals=signals, backgrounds=backgrounds, apart=apart), rate).share for seed in range(300)
    ]
    inside = np.mean([share.low <= 0.8 <= share.high for share in shares])
    assert 0.84 < inside < 0.96


def test_a_share_of_all_or_nothing_has_an_interval() -> None:
    for hits in (0, 40):
        share = FittedShare(hits, 40, 100, 0.05, 0.0).share
        assert (share.low, share.high) == (wilson(hits, 40).low, wilson(hits, 40).high)
    share = from_counts(0, 10, 0, 0.05).share
    assert share.low == 0 and share.high < 1


def test_repeats_of_the_same_pits_narrow_nothing() -> None:
    one, other = (fit_acceptance(drawn(seed, signals=41, backgrounds=174, apart=2.5), 0.05) for seed in range(2))
    both = mean_of([one, other])
    assert both.value == pytest.approx((one.value + other.value) / 2)
    assert both.share.high - both.share.low == pytest.approx(one.share.high - one.share.low, rel=0.3)


def test_what_is_quoted_at_one_threshold_says_so() -> None:
    small, large = (fit_acceptance(drawn(0, signals=41, backgrounds=pits, apart=2.5), 0.05).share for pits in (174, 600))
    assert pooled_remarks([None, large]) == ()
    assert pooled_remarks([small, large]) == (POOLED,)
    assert "fewer than 10 background pits of a fold may pass" in POOLED


def test_the_lattice_of_a_fold_is_not_in_the_figure() -> None:
    # At 1 % one pit of 100 may pass in a fold, and none of 99: folds alone would read them 13 points apart.
    apart = norm.ppf(0.8) - norm.ppf(0.01)
    means = [
        np.mean([fit_acceptance(drawn(seed, signals=41, backgrounds=pits, apart=apart), 0.01).value for seed in range(200)])
        for pits in (99, 100)
    ]
    assert abs(means[0] - means[1]) < 0.04 and abs(means[1] - 0.8) < 0.02
