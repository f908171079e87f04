"""Temperature and offset: they keep the order, and find how sure scores may be."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import expit

from models.inference.calibration import FARTHEST, calibrated, calibration_error, fit_calibration, log_odds


@settings(deadline=None)
@given(st.lists(st.floats(0, 1, width=32), min_size=2, max_size=20), st.floats(0.05, 20))
def test_the_order_of_pits_stays(scores: list[float], temperature: float) -> None:
    given_ = np.array(sorted(scores))
    assert (np.diff(calibrated(given_, temperature)) >= 0).all()


def test_scores_too_sure_by_a_factor_are_put_right() -> None:
    generator = np.random.default_rng(0)
    odds = generator.normal(-1, 2, 5000)
    is_signal = generator.random(5000) < expit(odds)
    found = fit_calibration(expit(3 * odds), is_signal)
    assert found.temperature == pytest.approx(3, rel=0.1)
    assert found.after < found.before
    assert calibrated(expit(3 * odds), found.temperature, found.offset) == pytest.approx(expit(odds), abs=0.03)


@pytest.mark.parametrize("weight", [0.2, 4.0, 30.0])
def test_class_weights_are_taken_back(weight: float) -> None:
    # A network that was shown signal so many times as often has log-odds that are higher by the logarithm.
    generator = np.random.default_rng(1)
    odds = generator.normal(-2.5, 2, 8000)
    is_signal = generator.random(8000) < expit(odds)
    shown = expit(1.5 * (odds + np.log(weight)))
    seen, fresh = slice(4000), slice(4000, None)
    found = fit_calibration(shown[seen], is_signal[seen])
    told = calibrated(shown, found.temperature, found.offset)
    assert (found.temperature, found.offset) == pytest.approx((1.5, -np.log(weight)), abs=0.25)
    assert told[seen].mean() == pytest.approx(is_signal[seen].mean(), abs=1e-3)
    assert calibration_error(told[fresh], is_signal[fresh]) < 0.02 < calibration_error(shown[fresh], is_signal[fresh])


def test_scores_that_separate_perfectly_have_a_bounded_calibration() -> None:
    is_signal = np.arange(100) < 30
    found = fit_calibration(np.where(is_signal, 0.9, 0.6), is_signal)
    assert np.isfinite([found.temperature, found.offset, found.after]).all()
    assert abs(found.offset) <= FARTHEST and found.after < 0.02


def test_the_error_of_calibration_is_the_distance_to_the_share_of_signal() -> None:
    is_signal = np.tile([True, False, False, False], 250)
    assert calibration_error(np.full(1000, 0.25), is_signal) == pytest.approx(0, abs=1e-12)
    assert calibration_error(np.full(1000, 0.35), is_signal) == pytest.approx(0.1)


def test_log_odds_go_on_where_those_of_float32_end() -> None:
    odds = np.array([16.0, 20.0, 30.0])
    assert (expit(odds).astype(np.float32)[1:] == 1.0).all()
    assert log_odds(expit(odds)) == pytest.approx(odds, rel=1e-2)


def test_a_temperature_of_one_changes_no_bit() -> None:
    scores = np.random.default_rng(0).random(100)
    assert calibrated(scores, 1.0) is scores
