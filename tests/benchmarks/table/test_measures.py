"""The mean acceptance over low rates has the value of its definition and the error of repeated samples."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.table.measures import mean_acceptance


def test_the_mean_acceptance_is_the_area_under_the_curve_at_low_rates() -> None:
    scores = np.array([0.95, 0.85, 0.1, *np.arange(10) / 10])
    is_signal = np.array([True] * 3 + [False] * 10)
    # No background pit lies above the first signal pit; above each of the others is a tenth of them or more.
    assert mean_acceptance(scores, is_signal)[0] == pytest.approx(1 / 3)


@pytest.mark.parametrize("distance", [1.5, 2.5])
def test_its_error_is_that_of_repeated_samples(distance: float) -> None:
    generator, is_signal = np.random.default_rng(0), np.arange(160) < 60
    samples = [mean_acceptance(generator.normal(size=160) + distance * is_signal, is_signal) for _ in range(300)]
    values, errors = np.array(samples).T
    assert errors.mean() == pytest.approx(values.std(), rel=0.15)
