"""The race's comparisons: their error under chance, that they see what is there, and what choosing the best flatters by."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from scipy.stats import norm

from search.selection.confirmations import Drawn
from search.selection.racing import ERROR, FIRST, error_of_each, is_lost, lag, optimism
from search.statistics.bootstrap import BootstrapShare, Pits, draw_acceptance, up_to_rate
from search.statistics.intervals import reliability

SIGNALS, BACKGROUNDS, DRAWS, RATE = 100, 400, 200, 0.05
IS_SIGNAL = np.arange(SIGNALS + BACKGROUNDS) < SIGNALS
PITS = Pits(np.arange(len(IS_SIGNAL)), IS_SIGNAL, np.ones(len(IS_SIGNAL), bool))


class Field:
    """Entrants whose scores are drawn: pits that are hard are so for all, and every training has chance of its own."""

    def __init__(self, seed: int, apart: Sequence[float], repeats: int = 5) -> None:
        generator = np.random.default_rng(seed)
        hardness = generator.normal(0, 1, len(IS_SIGNAL))
        self.folds = [generator.permutation(len(IS_SIGNAL)) % 5 for _ in range(repeats)]
        self.scores = [
            [hardness + generator.normal(0, 0.5, len(IS_SIGNAL)) + one * IS_SIGNAL for _ in range(repeats)] for one in apart
        ]

    def draw(self, entrant: int, repeats: int) -> Drawn:
        found = PITS, self.scores[entrant][:repeats], self.folds[:repeats]
        return Drawn(
            draw_acceptance(*found, RATE, draws=DRAWS), draw_acceptance(*found, 2 * RATE, credit=up_to_rate, draws=DRAWS)
        )


def race(field: Field, repeats: int = 5) -> tuple[int, list[int]]:
    """Race a field; give the cross-validations that it took, and who was left."""
    racing, used = list(range(len(field.scores))), 0
    error = error_of_each(len(racing) - 1, repeats)
    for rounds in range(1, repeats + 1):
        used += len(racing)
        if rounds < FIRST or len(racing) == 1:
            continue
        drawn = {entrant: field.draw(entrant, rounds).mean for entrant in racing}
        leader = max(drawn, key=lambda entrant: drawn[entrant].value)
        racing = [one for one in racing if one == leader or lag(drawn[leader], drawn[one]).p >= error]
    return used, racing


def test_five_entrants_a_tenth_apart_are_told_apart_early_and_the_best_is_not_lost() -> None:
    # Acceptances of about 0.9, 0.8, 0.7, 0.6, 0.5.
    fields = [Field(seed, (3.3, 2.85, 2.5, 2.2, 1.9)) for seed in range(10)]
    ended = [race(field) for field in fields]
    assert np.mean([used for used, _ in ended]) < 20
    assert all(0 in left for _, left in ended)


@pytest.mark.slow
def test_a_rival_that_is_no_worse_is_seldom_dropped() -> None:
    lost = sum(0 not in race(Field(seed, (2.5,) * 5))[1] for seed in range(60))
    assert lost / 60 <= ERROR + 0.03


def test_a_rival_far_behind_is_dropped_and_an_equal_is_not() -> None:
    field = Field(0, (3.3, 1.0, 3.3))
    leader, behind, equal = (field.draw(entrant, 2).mean for entrant in range(3))
    found = lag(leader, behind)
    assert found.gap == pytest.approx(leader.value - behind.value) and found.gap > 0.3
    assert found.p < error_of_each(9, 5) < lag(leader, equal).p


def test_repeats_that_differ_make_less_sure() -> None:
    draws = np.linspace(0.7, 0.9, 100)
    leader, rival = BootstrapShare(0.8, draws, 100), BootstrapShare(0.75, draws - 0.05, 100)
    steady = lag(_with(leader, (0.8, 0.8)), _with(rival, (0.75, 0.75)))
    shaken = lag(_with(leader, (0.9, 0.7)), _with(rival, (0.7, 0.8)))
    assert steady.p < 1e-5 < 0.1 < shaken.p


def _with(share: BootstrapShare, by_repeat: tuple[float, ...]) -> BootstrapShare:
    return BootstrapShare(share.value, share.draws, share.signals, by_repeat=by_repeat)


def test_a_lag_is_a_deviation_of_the_paired_draws_and_of_what_a_bootstrap_leaves_out() -> None:
    steady = np.full(100, 0.8)
    leader, rival = BootstrapShare(0.8, steady, 100), BootstrapShare(0.75, steady - 0.05, 100)
    # The differences of the repeats are 0.2 and -0.1: their variance, 0.045, over 2 * 2.
    shaken = lag(_with(leader, (0.9, 0.7)), _with(rival, (0.7, 0.8)))
    assert [shaken.gap, shaken.p] == pytest.approx([0.05, norm.sf(0.05 / np.sqrt(0.01125))])
    # One repeat tells of no variance, and a signal pit in a hundred is the least that is told apart.
    assert lag(_with(leader, (0.8,)), _with(rival, (0.75,))).p == pytest.approx(norm.sf(5))
    spread = np.array([0.7, 0.9] * 50)
    varied = lag(BootstrapShare(0.8, spread, 100), BootstrapShare(0.75, steady, 100))
    assert varied.p == pytest.approx(norm.sf(0.05 / 0.1))
    both = lag(_with(BootstrapShare(0.8, spread, 100), (0.9, 0.7)), _with(rival, (0.7, 0.8)))
    assert both.p == pytest.approx(norm.sf(0.05 / np.sqrt(0.01 + 0.01125)))


def test_a_race_shares_its_error_out() -> None:
    assert error_of_each(4, 5) * 16 == pytest.approx(ERROR)
    assert error_of_each(0, 5) == error_of_each(1, 1) == ERROR


def test_choosing_among_equals_flatters_and_the_best_of_unequals_does_not() -> None:
    values = [Field(seed, (2.5,) * 5, 2) for seed in range(16)]
    drawn = [[field.draw(entrant, 2) for entrant in range(5)] for field in values]
    chosen = [max(each, key=lambda one: one.mean.value).acceptance for each in drawn]
    best = np.mean([one.value for one in chosen])
    corrected = np.mean([one.less(optimism(each)).value for one, each in zip(chosen, drawn, strict=True)])
    mean = np.mean([one.acceptance.value for each in drawn for one in each])
    assert best - mean > 0.004  # what choosing flatters it by
    assert abs(corrected - mean) < best - mean
    unequal = [Field(0, (3.5, 1.5, 1.0), 2).draw(entrant, 2) for entrant in range(3)]
    assert optimism(unequal) < 0.01 and optimism(unequal[:1]) == 0.0
    assert unequal[0].acceptance.less(0.02).share.low < unequal[0].acceptance.share.low


def test_optimism_is_what_the_best_of_each_draw_has_above_its_own_value() -> None:
    one, two = BootstrapShare(0.8, np.array([0.8, 0.9]), 100), BootstrapShare(0.75, np.array([0.85, 0.7]), 100)
    assert optimism([Drawn(one, one), Drawn(two, two)]) == pytest.approx(0.1)
    # The mean acceptance chooses: the first in one draw, and the other, which is flattered by 0.15, in the next.
    flattered, means = BootstrapShare(0.75, np.array([0.85, 0.9]), 100), [np.array([0.5, 0.6]), np.array([0.4, 0.7])]
    chosen = [Drawn(each, BootstrapShare(0.5, mean, 100)) for each, mean in zip((one, flattered), means, strict=True)]
    assert optimism(chosen) == pytest.approx(0.075)
    low = BootstrapShare(0.95, np.array([0.8, 0.8]), 100)
    assert optimism([Drawn(low, low), Drawn(two, two)]) == 0.0


def test_the_mean_over_low_rates_tells_apart_sooner_than_the_acceptance_at_one() -> None:
    fields = [Field(seed, (2.8, 2.5), 2) for seed in range(40)]
    drawn = [(field.draw(0, 2), field.draw(1, 2)) for field in fields]
    by_mean = np.array([better.mean.value - worse.mean.value for better, worse in drawn])
    by_one = np.array([better.acceptance.value - worse.acceptance.value for better, worse in drawn])
    assert by_mean.mean() / by_mean.std() > 1.2 * by_one.mean() / by_one.std()


@pytest.mark.parametrize(("learned", "trainings", "left", "lost"), [(5, 5, 25, False), (2, 8, 25, True), (5, 5, 0, True)])
def test_what_cannot_pass_any_more_is_lost(learned: int, trainings: int, left: int, lost: bool) -> None:
    assert is_lost(learned, trainings, left, 0.8) is lost


def test_what_just_passes_the_bar_is_not_lost() -> None:
    bar = reliability(8, 10).low
    assert not is_lost(5, 7, 3, bar)
    assert is_lost(5, 7, 3, bar + 1e-9)
    assert is_lost(5, 7, 2, bar)
