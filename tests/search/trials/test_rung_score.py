"""The score of a rung: the mean over the folds, with the error that their pits allow; none where a fold has a single one."""

from __future__ import annotations

import numpy as np
import pytest

from models.metrics import mean_acceptance
from search.trials.rung_score import REACH, rung_score
from search.trials.stored_scores import RungScores


def scores_of(signals: int, seed: int = 0) -> RungScores:
    """Two folds of so many signal pits and thirty background pits each."""
    generator, fold = np.random.default_rng(seed), np.arange(signals + 30) < signals
    is_signal = np.tile(fold, 2)
    folds = np.repeat([0, 1], len(fold))
    return RungScores(generator.random(len(folds)), folds, is_signal, np.full(len(folds), True))


def test_it_is_the_mean_of_the_folds_and_their_errors_add_up() -> None:
    scores = scores_of(12)
    folds = [mean_acceptance(*fold, REACH * 0.1) for fold in scores.by_fold()]
    mean, error = rung_score(scores, 0.1)
    assert mean == pytest.approx((folds[0][0] + folds[1][0]) / 2)
    assert error == pytest.approx((folds[0][1] ** 2 + folds[1][1] ** 2) ** 0.5 / 2)


def test_a_fold_with_one_signal_pit_has_a_score_and_no_error() -> None:
    mean, error = rung_score(scores_of(1), 0.1)
    assert 0 <= mean <= 1
    assert error is None
