"""Threshold, acceptance and mean acceptance of a few pits, by hand: on the edges, with ties, and of one pit."""

from __future__ import annotations

import math

import numpy as np
import pytest

from models.metrics import Score, accepted_share, mean_acceptance, score, threshold_at

# Three pits of signal and five of background.
SCORES = np.array([0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2])
IS_SIGNAL = np.array([True, True, False, True, False, False, False, False])


@pytest.mark.parametrize(
    ("working_point", "threshold", "accepted"),
    # A rate that is just reached is not passed; between pits of background the threshold lies as low as it can.
    [(0.1, 0.8, 2), (0.19, 0.8, 2), (0.2, 0.6, 3), (0.39, 0.6, 3), (0.4, 0.5, 3), (0.6, 0.4, 3), (0.8, 0.3, 3), (1.0, 0.2, 3)],
)
def test_the_threshold_is_the_least_that_the_rate_allows(working_point: float, threshold: float, accepted: int) -> None:
    assert threshold_at(SCORES, IS_SIGNAL, working_point) == threshold
    at = score(SCORES, IS_SIGNAL, working_point=working_point)
    assert (at.threshold, at.accepted, at.signals, at.backgrounds) == (threshold, accepted, 3, 5)
    assert at.rejected == 5 - math.floor(round(5 * working_point, 9))
    assert accepted_share(SCORES, IS_SIGNAL, working_point) == accepted / 3


def test_where_background_scores_highest_the_threshold_is_just_above_it() -> None:
    scores, is_signal = np.array([0.9, 0.5, 0.1]), np.array([False, True, False])
    threshold = threshold_at(scores, is_signal, 0.05)
    assert threshold == np.nextafter(0.9, 1.0)
    assert isinstance(threshold, float)
    assert accepted_share(scores, is_signal, 0.05) == 0.0
    assert accepted_share(scores, is_signal, 0.5) == 1.0


def test_signal_among_the_background_is_accepted_from_the_rate_that_reaches_it_on() -> None:
    scores, is_signal = np.array([0.9, 0.25, 0.7, 0.5, 0.3, 0.2]), np.arange(6) < 2
    assert [accepted_share(scores, is_signal, rate) for rate in (0.25, 0.5, 0.75)] == [0.5, 0.5, 1.0]


def test_rejection_at_high_acceptance_takes_whole_pits_and_no_tie() -> None:
    # Of 16 signal pits 14.4 are nine tenths, so 15: the threshold is the second lowest, and a background pit on it passes.
    signal = [0.1, 0.3, *np.linspace(0.5, 0.9, 14).tolist()]
    background = [0.3, 0.29, 0.2, 0.4]
    assert score(np.array(signal + background), np.arange(20) < 16, working_point=0.1).rejected_high == 2


def test_a_threshold_that_is_given_is_taken_whatever_the_rate() -> None:
    at = score(SCORES, IS_SIGNAL, working_point=0.4, threshold=0.8)
    assert (at.threshold, at.accepted, at.rejected) == (0.8, 2, 5)
    with pytest.raises(ValueError) as caught:
        score(SCORES, IS_SIGNAL)
    assert str(caught.value) == "`working_point` or `threshold` must be given, but got neither; pass one."


def test_shares_are_of_their_own_pits() -> None:
    at = Score(0.5, accepted=3, signals=4, rejected=6, backgrounds=8, rejected_high=2, auc=0.9)
    assert (at.acceptance, at.rejection, at.rejection_high) == (0.75, 0.75, 0.25)


def test_ties_of_signal_and_background_are_accepted_together_or_not_at_all() -> None:
    scores, is_signal = np.array([0.5, 0.5, 0.5, 0.1, 0.1]), np.array([True, True, False, False, True])
    assert accepted_share(scores, is_signal, 0.4) == 0.0
    assert accepted_share(scores, is_signal, 0.5) == 2 / 3
    assert accepted_share(scores, is_signal, 1.0) == 1.0


@pytest.mark.parametrize("flag", [True, False])
def test_one_kind_alone_has_no_acceptance(flag: bool) -> None:
    assert math.isnan(accepted_share(np.array([0.1, 0.2]), np.full(2, flag), 0.05))


def pits(signal: list[float], background: list[float]) -> tuple[np.ndarray, np.ndarray]:
    """Give scores, and which of them are of signal."""
    return np.array(signal + background), np.arange(len(signal) + len(background)) < len(signal)


# Ten pits of background, 0.0 to 0.9.
LADDER = [number / 10 for number in range(10)]


@pytest.mark.parametrize(
    ("signal", "mean"),
    [
        ([1.0], 1.0),  # above all
        ([0.85], 0.5),  # below one of ten, half of the rates up to 0.2
        ([0.9], 0.75),  # a tie is half
        ([0.75], 0.0),  # the rate is used up
        ([0.05], 0.0),
        ([1.0, 0.85, 0.9, 0.05], 0.5625),
    ],
)
def test_the_mean_acceptance_is_that_of_each_signal_pit_over_the_low_rates(signal: list[float], mean: float) -> None:
    value, error = mean_acceptance(*pits(signal, LADDER), 0.2)
    assert value == pytest.approx(mean)
    assert math.isnan(error) == (len(signal) == 1)


def test_its_error_is_what_each_pit_adds() -> None:
    _, error = mean_acceptance(*pits([1.0, 0.85, 0.9, 0.05], LADDER), 0.2)
    # Of signal: 1, 0.5, 0.75, 0. Of background the two highest, of which 0.9 has 1.5 of 4 signal pits above it, and 0.8 has 3:
    # from the edge, where 3 of 4 are caught, 0.9 takes 0.375 / 0.2 away, and 0.8 nothing.
    of_signal = np.var([1.0, 0.5, 0.75, 0.0], ddof=1) / 4
    of_background = np.var([-0.375 / 0.2, *[0.0] * 9], ddof=1) / 10
    assert error == pytest.approx(math.sqrt(of_signal + of_background))


def test_a_pit_on_the_edge_of_the_rates_counts_by_its_part() -> None:
    # Rates up to 0.15 hold the highest pit of background and half of the next.
    _, error = mean_acceptance(*pits([1.0, 0.85, 0.9, 0.05], LADDER), 0.15)
    of_signal = np.var([1.0, 1 / 3, 2 / 3, 0.0], ddof=1) / 4
    of_background = np.var([-0.375 / 0.15, *[0.0] * 9], ddof=1) / 10
    assert error == pytest.approx(math.sqrt(of_signal + of_background))
    # Where the highest is a tie of two, each counts by its part.
    tied = [0.9, 0.9, *LADDER[:8]]
    value, error = mean_acceptance(*pits([1.0, 0.85], tied), 0.1)
    assert value == pytest.approx(0.5)
    caught = 0.5  # of each of the two, and so at the edge
    of_background = np.var([0.5 * (caught - caught) / 0.1] * 10, ddof=1) / 10
    assert error == pytest.approx(math.sqrt(np.var([1.0, 0.0], ddof=1) / 2 + of_background))


def test_where_all_are_tied_nothing_is_accepted_for_sure() -> None:
    assert mean_acceptance(np.zeros(40), np.arange(40) < 10, 0.1) == (0.0, 0.0)


def test_one_pit_of_background_tells_of_no_error() -> None:
    value, error = mean_acceptance(*pits([1.0, 0.2], [0.5]), 0.5)
    assert value == pytest.approx(0.5)
    assert math.isnan(error)
    assert not math.isnan(mean_acceptance(*pits([1.0, 0.2], [0.5, 0.4]), 0.5)[1])
