"""The Wilson interval, against its closed form."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import norm

from search.statistics.intervals import standard_error, wilson


@given(st.integers(1, 2000), st.data())
def test_the_interval_is_wilsons(pits: int, data: st.DataObject) -> None:
    hits = data.draw(st.integers(0, pits))
    share, z = hits / pits, float(norm.ppf(0.95))
    centre = (share + z * z / (2 * pits)) / (1 + z * z / pits)
    half = z / (1 + z * z / pits) * math.sqrt(share * (1 - share) / pits + z * z / (4 * pits * pits))
    found = wilson(hits, pits)
    assert found.low == pytest.approx(max(centre - half, 0), abs=1e-9)
    assert found.high == pytest.approx(min(centre + half, 1), abs=1e-9)


def test_more_pits_make_it_narrower() -> None:
    assert wilson(90, 100).low < wilson(900, 1000).low < 0.9
    assert str(wilson(9, 10)) == "0.900 [0.652, 0.977]"


def test_the_standard_error_is_the_binomial_one_but_never_nothing() -> None:
    assert standard_error(9000, 10000) == pytest.approx(0.003, rel=0.01)
    for signals in (20, 210, 5000):
        # A pit away from a perfect score is within it, two are not.
        assert 1 / signals < standard_error(signals, signals) < 2 / signals
        assert standard_error(0, signals) == pytest.approx(standard_error(signals, signals))
