"""Maxima between the places of a map; hits that are too close."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.distance import pdist

from scan.maxima import maxima, most_probable


def bump(row: float, column: float, shape: tuple[int, int] = (12, 15)) -> npt.NDArray[np.float32]:
    """A paraboloid with its top between places."""
    rows, columns = np.mgrid[: shape[0], : shape[1]]
    return np.asarray(1 - 0.01 * ((rows - row) ** 2 + (columns - column) ** 2), np.float32)


def test_the_top_of_a_paraboloid_is_found_between_places() -> None:
    np.testing.assert_allclose(maxima(bump(4.3, 7.8), 0.5), [[4.3, 7.8]], atol=1e-3)


@pytest.mark.parametrize("place", [(0, 0), (11, 14), (0, 7), (11, 3)])
def test_a_top_at_the_edge_stays_there(place: tuple[int, int]) -> None:
    assert maxima(bump(*place), 0.5)[0] == pytest.approx(place, abs=0.5)


def test_what_is_below_the_least_is_no_maximum_and_the_least_itself_is() -> None:
    values = np.zeros((5, 5), np.float32)
    values[2, 2] = 0.25
    assert maxima(values, 0.25).tolist() == [[2, 2]]
    assert maxima(values, 0.26).shape == (0, 2)


@given(st.integers(0, 40), st.floats(0.5, 30), st.integers(0, 10**6))
def test_hits_that_are_left_lie_apart_and_each_other_is_near_a_better_one(count: int, radius: float, seed: int) -> None:
    random = np.random.default_rng(seed)
    places, scores = random.uniform(0, 100, (count, 2)), random.integers(0, 5, count) / 5
    left = most_probable(places, scores, radius)
    assert scores[left].tolist() == sorted(scores[left], reverse=True)
    assert (pdist(places[left]) > radius).all()
    for lost in set(range(count)) - set(left.tolist()):
        near = left[np.linalg.norm(places[left] - places[lost], axis=1) <= radius]
        assert (scores[near] >= scores[lost]).any()
