"""Acceptance at a working point: invariants of threshold and score."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from models.metrics import HIGH, accepted_share, score, threshold_at

SCORES = arrays(np.float64, st.integers(4, 60), elements=st.floats(0, 1, width=16))


def flags(scores: np.ndarray, seed: int) -> np.ndarray:
    """Mark some pits as signal, at least one and not all."""
    is_signal = np.random.default_rng(seed).random(len(scores)) < 0.4
    is_signal[0], is_signal[1] = True, False
    return is_signal


@settings(deadline=None, derandomize=True, max_examples=60)
@given(SCORES, st.integers(0, 9), st.floats(0.01, 0.5))
def test_the_false_positive_rate_never_passes_the_working_point(scores: np.ndarray, seed: int, working_point: float) -> None:
    is_signal = flags(scores, seed)
    found = score(scores, is_signal, working_point=working_point)
    assert 1 - found.rejection <= working_point + 1e-12
    # The next lower score would pass it, or there is none to gain.
    lower = scores[scores < found.threshold]
    if lower.size:
        assert 1 - score(scores, is_signal, threshold=float(lower.max())).rejection > working_point - 1e-12


@settings(deadline=None, derandomize=True, max_examples=40)
@given(SCORES, st.integers(0, 9))
def test_the_order_of_pits_and_any_rising_map_of_scores_change_nothing(scores: np.ndarray, seed: int) -> None:
    is_signal = flags(scores, seed)
    order = np.random.default_rng(seed).permutation(len(scores))
    found = score(scores, is_signal, working_point=0.2)
    for other in (
        score(scores[order], is_signal[order], working_point=0.2),
        score(3 * scores - 1, is_signal, working_point=0.2),
    ):
        assert (other.accepted, other.rejected) == (found.accepted, found.rejected)
        assert other.auc == pytest.approx(found.auc)


@settings(deadline=None, derandomize=True, max_examples=40)
@given(SCORES, st.integers(0, 9))
def test_a_wider_working_point_accepts_no_less(scores: np.ndarray, seed: int) -> None:
    is_signal = flags(scores, seed)
    accepted = [score(scores, is_signal, working_point=point).accepted for point in (0.01, 0.05, 0.2, 0.9)]
    assert accepted == sorted(accepted)


def test_counts_by_hand() -> None:
    scores = np.array([0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2])
    is_signal = np.array([True, True, False, True, False, False, False, False])
    found = score(scores, is_signal, working_point=0.2)
    assert (found.accepted, found.signals, found.rejected, found.backgrounds) == (3, 3, 4, 5)
    assert found.threshold == 0.6
    assert score(scores, is_signal, working_point=0.1).acceptance == pytest.approx(2 / 3)
    assert found.auc == pytest.approx(14 / 15)


def test_rejection_at_high_acceptance_by_hand() -> None:
    # Nine of ten signal pits score 0.5 or more; four of five background pits lie below.
    scores = np.array([0.9, 0.9, 0.8, 0.8, 0.7, 0.7, 0.6, 0.6, 0.5, 0.1, 0.95, 0.4, 0.3, 0.2, 0.1])
    found = score(scores, np.arange(15) < 10, working_point=0.05)
    assert (found.rejected_high, found.rejection_high) == (4, 0.8)


@settings(deadline=None, derandomize=True, max_examples=60)
@given(SCORES, st.integers(0, 9))
def test_rejection_at_high_acceptance_accepts_enough_and_could_reject_no_more(scores: np.ndarray, seed: int) -> None:
    is_signal = flags(scores, seed)
    found = score(scores, is_signal, working_point=0.2)
    enough = [score(scores, is_signal, threshold=float(threshold)) for threshold in np.unique(scores)]
    assert found.rejected_high == max(each.rejected for each in enough if each.acceptance >= HIGH)


@pytest.mark.parametrize("signals", range(10, 400, 10))
def test_nine_tenths_of_the_signal_are_enough(signals: int) -> None:
    scores = np.concatenate([np.linspace(0.5, 1, signals), [0.0]])
    scores[: signals // 10] = -1.0
    assert score(scores, np.arange(signals + 1) < signals, working_point=0.05).rejected_high == 1


@settings(deadline=None, derandomize=True, max_examples=60)
@given(SCORES, st.integers(0, 9), st.sampled_from((0.01, 0.05, 0.1, 0.2, 1 / 3, 0.5, 0.99)))
def test_the_quick_acceptance_is_that_of_a_score(scores: np.ndarray, seed: int, working_point: float) -> None:
    is_signal = flags(scores, seed)
    for values in (scores, scores.round(1)):  # ties
        expected = score(values, is_signal, working_point=working_point).acceptance
        assert accepted_share(values, is_signal, working_point) == pytest.approx(expected, abs=1e-12)


def test_no_acceptance_is_known_without_pits_of_either_kind() -> None:
    for flag in (True, False):
        assert np.isnan(accepted_share(np.array([0.1, 0.2]), np.full(2, flag), 0.05))


def test_equal_scores_accept_nothing() -> None:
    scores, is_signal = np.full(10, 0.5), np.arange(10) < 4
    found = score(scores, is_signal, working_point=0.05)
    assert (found.acceptance, found.rejection, found.auc) == (0.0, 1.0, 0.5)
    assert 0.5 < threshold_at(scores, is_signal, 0.05) < 0.5000001


def test_a_score_needs_a_working_point_or_a_threshold() -> None:
    with pytest.raises(ValueError, match="must be given"):
        score(np.array([0.1, 0.2]), np.array([True, False]))
