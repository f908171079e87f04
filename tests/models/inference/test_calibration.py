"""Temperature: it keeps the order, and finds how sure scores may be."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import expit

from models.inference.calibration import calibrated, fit_temperature


@settings(deadline=None)
@given(st.lists(st.floats(0, 1, width=32), min_size=2, max_size=20), st.floats(0.05, 20))
def test_the_order_of_pits_stays(scores: list[float], temperature: float) -> None:
    given_ = np.array(sorted(scores))
    assert (np.diff(calibrated(given_, temperature)) >= 0).all()


def test_scores_too_sure_by_a_factor_are_put_right() -> None:
    generator = np.random.default_rng(0)
    odds = generator.normal(-1, 2, 5000)
    is_signal = generator.random(5000) < expit(odds)
    found = fit_temperature(expit(3 * odds), is_signal)
    assert found.temperature == pytest.approx(3, rel=0.1)
    assert found.after < found.before
    assert calibrated(expit(3 * odds), found.temperature) == pytest.approx(expit(odds), abs=0.03)


def test_a_temperature_of_one_changes_no_bit() -> None:
    scores = np.random.default_rng(0).random(100)
    assert calibrated(scores, 1.0) is scores
