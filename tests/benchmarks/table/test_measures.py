"""What the table keeps of scores is what a trial is judged by."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from benchmarks.table.measures import LOW, RATES, measure
from models.metrics import mean_acceptance, score


def draw(seed: int, signals: int = 40, backgrounds: int = 160) -> tuple[np.ndarray, np.ndarray]:
    generator = np.random.default_rng(seed)
    is_signal = np.arange(signals + backgrounds) < signals
    return generator.normal(size=len(is_signal)) + 1.5 * is_signal, is_signal


def test_acceptance_and_area_are_those_of_a_trial() -> None:
    scores, is_signal = draw(0)
    measures = measure(scores, is_signal)
    for rate, acceptance in zip(RATES, measures.acceptance, strict=True):
        assert acceptance == score(scores, is_signal, working_point=rate).acceptance
    assert measures.auc == pytest.approx(roc_auc_score(is_signal, scores))
    assert (measures.mean_acceptance, measures.standard_error) == mean_acceptance(scores, is_signal, LOW)
