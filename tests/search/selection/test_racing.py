"""The race's tests: their error under chance, and that they see what is there."""

from __future__ import annotations

import numpy as np
import pytest

from search.selection.racing import ERROR, error_of_each, is_lost, lag


def counts(generator: np.random.Generator, share: float, repeats: int = 5, signals: int = 40) -> np.ndarray:
    return generator.binomial(signals, share, (repeats, 5))


def test_a_rival_that_is_no_worse_is_seldom_dropped() -> None:
    generator = np.random.default_rng(0)
    signals = np.full((5, 5), 40)
    error = error_of_each(4, 5)
    dropped = 0
    for _ in range(300):
        field = [counts(generator, 0.8) for _ in range(5)]
        means = [one.mean() for one in field]
        leader = int(np.argmax(means))
        # The first is as good as any; it must not be lost to the luck of the leader.
        dropped += leader != 0 and lag(field[leader], field[0], signals).p < error
    assert dropped / 300 <= ERROR


def test_a_rival_far_behind_is_dropped() -> None:
    generator = np.random.default_rng(1)
    behind = lag(counts(generator, 0.9), counts(generator, 0.4), np.full((5, 5), 40))
    assert behind.gap == pytest.approx(0.5, abs=0.05)
    assert behind.p < error_of_each(4, 5)


def test_folds_that_agree_by_chance_make_nothing_sure() -> None:
    # One pit of twenty more in every fold, each time: no variance, and still no proof.
    one, other = np.full((1, 5), 19), np.full((1, 5), 18)
    assert lag(one, other, np.full((1, 5), 20)).p > 0.005


def test_a_race_shares_its_error_out() -> None:
    assert error_of_each(4, 5) * 20 == pytest.approx(ERROR)
    assert error_of_each(0, 5) == ERROR


@pytest.mark.parametrize(("learned", "trainings", "left", "lost"), [(5, 5, 25, False), (2, 8, 25, True), (5, 5, 0, True)])
def test_what_cannot_pass_any_more_is_lost(learned: int, trainings: int, left: int, lost: bool) -> None:
    assert is_lost(learned, trainings, left, 0.8) is lost
