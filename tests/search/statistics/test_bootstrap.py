"""Bounds on acceptance: what the bootstrap is over, and what it must agree with."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.metrics import mean_acceptance, score
from search.statistics.bootstrap import (
    Credit,
    Pits,
    _share,
    at_rate,
    draw_acceptance,
    up_to_rate,
)
from search.statistics.intervals import grouped_wilson, wilson


def made(seed: int, pits: int = 200, apart: float = 1.5) -> tuple[Pits, np.ndarray, np.ndarray]:
    generator = np.random.default_rng(seed)
    is_signal = np.arange(pits) < pits // 4
    scores = generator.normal(0, 1, pits) + apart * is_signal
    folds = np.arange(pits) % 5
    return Pits(np.arange(pits), is_signal, np.ones(pits, bool)), scores, folds


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 1000), st.sampled_from([0.01, 0.05, 0.2]))
def test_what_was_found_is_what_the_folds_score(seed: int, rate: float) -> None:
    pits, scores, folds = made(seed, pits=2000)
    scores = scores.round(1)  # with ties
    if rate < 0.04:
        folds = np.zeros_like(folds)  # below ten passing background pits a fold one threshold stands for all
    found = [score(scores[folds == fold], pits.is_signal[folds == fold], working_point=rate) for fold in np.unique(folds)]
    pooled = sum(one.accepted for one in found) / sum(one.signals for one in found)
    assert draw_acceptance(pits, [scores], [np.arange(2000) % 5], rate, draws=10).value == pytest.approx(pooled)


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 1000), st.sampled_from([0.1, 0.3, 1.0]))
def test_the_mean_over_low_rates_is_that_of_the_folds(seed: int, low: float) -> None:
    pits, scores, folds = made(seed, pits=2000)
    scores = scores.round(1)  # with ties
    parts = [(scores[folds == fold], pits.is_signal[folds == fold]) for fold in range(5)]
    expected = sum(mean_acceptance(*part, low)[0] * part[1].sum() for part in parts) / pits.is_signal.sum()
    assert draw_acceptance(pits, [scores], [folds], low, credit=up_to_rate, draws=10).value == pytest.approx(expected)


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 1000), st.sampled_from([at_rate, up_to_rate]))
def test_a_pit_of_weight_three_counts_as_three(seed: int, credit: Credit) -> None:
    pits, scores, folds = made(seed)
    weights, folds = np.random.default_rng(seed).integers(0, 4, len(scores)), np.zeros_like(folds)
    order = np.repeat(np.arange(len(scores)), weights)
    copies = Pits(np.arange(len(order)), pits.is_signal[order], pits.is_scored[order])
    weighted = _share(pits, weights[None].astype(float), scores, folds, 0.2, credit)
    copied = _share(copies, np.ones((1, len(order))), scores[order], folds[order], 0.2, credit)
    assert weighted == pytest.approx(copied)


def test_pits_that_are_not_scored_count_nowhere() -> None:
    pits, scores, folds = made(0)
    more = Pits(np.arange(210), np.append(pits.is_signal, [True] * 10), np.append(pits.is_scored, [False] * 10))
    padded, wide = np.append(scores, [99.0] * 10), np.append(folds, [0] * 10)
    assert draw_acceptance(more, [padded], [wide], 0.05).value == draw_acceptance(pits, [scores], [folds], 0.05).value


def test_the_interval_covers_fresh_pits() -> None:
    # Scores come from a known mixture: what 5 % of false positives accept of it is known.
    truth = float(np.mean(np.random.default_rng(0).normal(2.5, 1, 200_000) > 1.6449))
    inside = 0
    for seed in range(60):
        pits, scores, folds = made(seed, pits=400, apart=2.5)
        share = draw_acceptance(pits, [scores], [folds], 0.05, draws=200).share
        inside += share.low <= truth <= share.high
    assert inside >= 50


def test_pits_that_share_plastic_are_drawn_together() -> None:
    pits, scores, folds = made(3)
    alone = draw_acceptance(pits, [scores], [folds], 0.05)
    # Every pit four times: as many scores, no more pits.
    groups, order = np.tile(pits.groups, 4), np.tile(np.arange(200), 4)
    copies = Pits(groups, pits.is_signal[order], pits.is_scored[order])
    grouped = draw_acceptance(copies, [scores[order]], [folds[order]], 0.05)
    apart = draw_acceptance(Pits(np.arange(800), *(copies.is_signal, copies.is_scored)), [scores[order]], [folds[order]], 0.05)
    assert grouped.draws.std() == pytest.approx(alone.draws.std(), rel=0.1)
    assert apart.draws.std() < 0.7 * alone.draws.std()


def test_an_interval_without_doubt_is_as_wide_as_that_of_as_many_pits() -> None:
    pits, _, folds = made(0)
    share = draw_acceptance(pits, [pits.is_signal.astype(float)], [folds], 0.05).share
    assert (share.value, share.low) == (1.0, wilson(50, 50).low)


def test_repeats_are_drawn_too() -> None:
    pits, scores, folds = made(1, apart=2.0)
    bad = draw_acceptance(pits, [scores, np.zeros(200)], [folds, folds], 0.05)
    assert bad.value == pytest.approx(draw_acceptance(pits, [scores], [folds], 0.05).value / 2)
    assert bad.draws.std() > 0.15


def test_groups_of_one_are_pits() -> None:
    hits = np.arange(40) < 30
    assert grouped_wilson(hits, np.arange(40)) == wilson(30, 40)


def test_a_group_is_worth_one_pit() -> None:
    hits = np.arange(40) < 30
    share = grouped_wilson(hits, np.arange(40) // 2)
    assert (share.value, share.low) == (0.75, wilson(15, 20).low)


def test_small_folds_are_said_to_share_a_threshold() -> None:
    pits, scores, folds = made(0)
    assert draw_acceptance(pits, [scores], [folds], 0.05, draws=10).share.is_pooled
    pits, scores, folds = made(0, pits=1500)
    assert not draw_acceptance(pits, [scores], [folds], 0.05, draws=10).share.is_pooled
