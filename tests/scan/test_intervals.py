"""Intervals of shares and rates, against tables in print and their own definition."""

from __future__ import annotations

import pytest
from scipy.stats import binom, poisson

from scan.intervals import rate, share


@pytest.mark.parametrize(("count", "low", "high"), [(0, 0.0, 3.689), (1, 0.0253, 5.572), (10, 4.795, 18.39)])
def test_a_rate_has_garwoods_interval(count: int, low: float, high: float) -> None:
    estimate = rate(count, 1.0)
    assert (estimate.low, estimate.high) == pytest.approx((low, high), rel=1e-3)
    assert float(poisson.cdf(count, estimate.high)) == pytest.approx(0.025)
    assert rate(count, 4.0).high == pytest.approx(estimate.high / 4)


def test_a_share_has_the_exact_interval() -> None:
    estimate = share(7, 20)
    assert estimate is not None
    assert estimate.value == 0.35
    assert float(binom.cdf(7, 20, estimate.high)) == pytest.approx(0.025)
    assert float(binom.sf(6, 20, estimate.low)) == pytest.approx(0.025)
    assert share(0, 0) is None
