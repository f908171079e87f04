"""What further draws may add: on draws of known distributions the bound holds as often as it says, and more."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from search.statistics.expected_gain import BEYOND, FEWEST, Gain, expected_gain


@pytest.mark.parametrize(("count", "known"), [(20, 5), (40, 5), (100, 10)])
def test_the_bound_holds_for_shares(count: int, known: int) -> None:
    generator, held, expected, gained = np.random.default_rng(0), [], [], []
    for _ in range(400):
        draws, more = generator.beta(8, 2, (2, count))
        gain = expected_gain(np.sort(draws)[-known:].tolist(), count)
        assert gain is not None
        expected.append(gain.expected)
        gained.append(max(more.max() - draws.max(), 0.0))
        held.append(gained[-1] <= gain.bound)
    assert np.mean(held) > 1 - BEYOND
    assert np.mean(expected) == pytest.approx(np.mean(gained), rel=0.4)


@given(st.lists(st.floats(0, 1), min_size=3, max_size=30), st.integers(FEWEST, 200))
def test_a_gain_stays_within_what_is_left(values: list[float], count: int) -> None:
    gain = expected_gain(values, count)
    assert gain is not None
    assert 0 <= gain.bound <= 1 - max(values)
    assert 0 <= gain.expected <= 1 - max(values)


def test_equal_values_promise_nothing() -> None:
    gain = expected_gain([0.9] * 5, 40)
    assert gain is not None
    assert (gain.further, round(gain.expected, 3), round(gain.bound, 3)) == (40, 0.0, 0.0)
    assert expected_gain([1.0] * 5, 40) == Gain(40, 0.0, 0.0)


def test_values_farther_apart_promise_more() -> None:
    near, far = (expected_gain([0.8 - step * place for place in range(6)], 40) for step in (0.002, 0.01))
    assert near is not None
    assert far is not None
    assert near.expected < far.expected
    assert near.bound < far.bound


def test_too_few_tell_nothing() -> None:
    assert expected_gain([0.8, 0.9], 40) is None
    assert expected_gain([0.7, 0.8, 0.9], FEWEST - 1) is None
