"""The mean acceptance over low rates, against scikit-learn and by simulation."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import roc_curve

from models.metrics import mean_acceptance

LOW = 0.1


def draw(seed: int, signals: int = 40, backgrounds: int = 160) -> tuple[np.ndarray, np.ndarray]:
    generator = np.random.default_rng(seed)
    is_signal = np.arange(signals + backgrounds) < signals
    return generator.normal(size=len(is_signal)) + 1.5 * is_signal, is_signal


@pytest.mark.parametrize("seed", range(5))
def test_the_mean_acceptance_is_the_area_under_the_low_part_of_the_curve(seed: int) -> None:
    scores, is_signal = draw(seed)
    rates, accepted, _ = roc_curve(is_signal, scores, drop_intermediate=False)
    low = rates <= LOW
    area = np.trapezoid(np.append(accepted[low], np.interp(LOW, rates, accepted)), np.append(rates[low], LOW)) / LOW
    assert mean_acceptance(scores, is_signal, LOW)[0] == pytest.approx(area, abs=0.01)


def test_scores_without_order_have_the_mean_of_chance() -> None:
    assert mean_acceptance(np.zeros(200), np.arange(200) < 50, LOW)[0] == 0.0
    means = [mean_acceptance(np.random.default_rng(seed).random(400), np.arange(400) < 100, LOW)[0] for seed in range(100)]
    assert np.mean(means) == pytest.approx(LOW / 2, abs=0.005)


def test_the_standard_error_is_the_spread_over_draws() -> None:
    draws = [mean_acceptance(*draw(seed, 60, 240), LOW) for seed in range(300)]
    means, errors = np.array(draws).T
    assert np.mean(errors) == pytest.approx(means.std(), rel=0.2)
