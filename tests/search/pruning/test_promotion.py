"""The rule of promotion: who climbs, when new trials start, and how a search finishes; invariants over random searches."""

from __future__ import annotations

import heapq
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from search.pruning.promotion import FINALISTS, Moment, decide
from search.storage.rung_table import Standing, Start

COSTS = (3, 9, 45, 150)
TOP = len(COSTS) - 1


def on_first_rung(scores: list[float], pace: float = 1.0) -> list[Standing]:
    return [Standing(number, 0, score, pace, paused=True) for number, score in enumerate(scores, start=1)]


def test_a_new_trial_starts_while_too_few_have_reached_a_rung() -> None:
    assert decide([], COSTS, Moment(room=True, workers=1)) is Start.NEW
    assert decide(on_first_rung([0.9, 0.1]), COSTS, Moment(room=True, workers=1)) is Start.NEW


def test_of_three_on_the_first_rung_the_best_climbs_to_one_that_costs_three_times_as_much() -> None:
    assert decide(on_first_rung([0.2, 0.9, 0.5]), COSTS, Moment(room=True, workers=1)) == 2


def test_a_trial_that_was_passed_over_is_promoted_when_others_prove_worse() -> None:
    standings = on_first_rung([0.5, 0.9, 0.1])
    climbed = [standings[1]._replace(paused=False), Standing(2, 1, 0.9, 1.0, paused=True)]
    standings = [standings[0], *climbed, standings[2]]
    assert decide(standings, COSTS, Moment(room=True, workers=1)) is Start.NEW
    worse = [Standing(number, 0, 0.0, 1.0, paused=True) for number in (4, 5, 6)]
    assert decide([*standings, *worse], COSTS, Moment(room=True, workers=1)) == 1


def test_the_highest_rung_goes_first() -> None:
    low = on_first_rung([0.9] * 30)
    high = [Standing(100 + number, 1, 0.3 + number / 100, 1.0, paused=True) for number in range(5)]
    assert decide([*low, *high], COSTS, Moment(room=True, workers=1)) == 104


def test_without_room_finalists_climb_and_then_nothing_does() -> None:
    standings = on_first_rung([number / 100 for number in range(12)])
    complete = run(standings, COSTS, Moment(room=False, workers=1))
    assert len(complete) == FINALISTS
    assert max(complete) == 12


def test_what_is_demanded_climbs_in_the_end_however_bad_it_is() -> None:
    standings = on_first_rung([number / 100 for number in range(1, 12)])
    standings[0] = standings[0]._replace(score=0.0, demanded=True)
    assert 1 in run(standings, COSTS, Moment(room=False, workers=1))


def test_finishing_begins_in_time_and_no_worker_idles_while_trials_are_paused() -> None:
    standings = on_first_rung([number / 100 for number in range(12)], pace=0.1)
    early = Moment(room=True, workers=2, left_s=400.0, whole_s=400.0)
    assert decide(standings, COSTS, early) == 12  # by the rule
    late = replace(early, left_s=40.0)
    assert decide(standings, COSTS, late) == 12
    rest = [one._replace(paused=one.trial_id < 8) for one in standings]
    assert decide(rest, COSTS, late) == 7
    none_left = [one._replace(paused=False) for one in standings]
    assert decide(none_left, COSTS, late) is Start.NEW
    assert decide(none_left, COSTS, replace(late, room=False)) is Start.NOTHING


def test_with_time_for_one_the_best_goes_before_what_is_demanded() -> None:
    standings = on_first_rung([0.1, 0.9, 0.5], pace=1.0)
    standings[0] = standings[0]._replace(demanded=True)
    assert decide(standings, COSTS, Moment(room=True, workers=1, left_s=150.0, whole_s=200.0)) == 2


def run(standings: list[Standing], costs: tuple[int, ...], moment: Moment) -> list[int]:
    """Climb one rung at a time as decided, until there is nothing to do; give those at the top."""
    rows = [*standings]
    while isinstance(chosen := decide(rows, costs, moment), int):
        last = max((one for one in rows if one.trial_id == chosen), key=lambda one: one.height)
        assert last.paused
        rows[rows.index(last)] = last._replace(paused=False)
        up = last.height + 1
        rows.append(last._replace(height=up, paused=up < len(costs) - 1))
    assert chosen is Start.NOTHING
    return [one.trial_id for one in rows if one.height == len(costs) - 1]


@settings(deadline=None, derandomize=True, max_examples=60)
@given(st.integers(1, 40), st.integers(1, 6), st.integers(0, 10_000), st.sampled_from([(3, 9, 45, 150), (15, 150), (5,)]))
def test_a_whole_search_completes_finalists_and_shares_its_time_over_rungs(
    trials: int, workers: int, seed: int, costs: tuple[int, ...]
) -> None:
    """Workers at once, each trial with its own pace: nobody is promoted twice, none climbs two rungs, and the search ends."""
    generator = np.random.default_rng(seed)
    paces, truths = generator.uniform(0.5, 2.0, trials), generator.random(trials)
    rows: list[Standing] = []
    busy: list[tuple[float, int, int]] = []
    started, now, spent = 0, 0.0, np.zeros(len(costs))
    while True:
        while len(busy) < workers:
            chosen = decide(rows, costs, Moment(room=started < trials, workers=workers))
            if chosen is Start.NOTHING:
                break
            if chosen is Start.NEW:
                trial, height, started = started, 0, started + 1
            else:
                assert isinstance(chosen, int)
                last = max((one for one in rows if one.trial_id == chosen), key=lambda one: one.height)
                assert last.paused
                rows[rows.index(last)] = last._replace(paused=False)
                trial, height = chosen, last.height + 1
            cost = costs[height] - (costs[height - 1] if height else 0)
            spent[height] += cost
            heapq.heappush(busy, (now + cost * paces[trial], trial, height))
        if not busy:
            break
        now, trial, height = heapq.heappop(busy)
        score = truths[trial] + generator.normal(0, 0.3)
        rows.append(Standing(trial, height, score, paces[trial], demanded=trial == 0, paused=height < len(costs) - 1))
    at_top = [one.trial_id for one in rows if one.height == len(costs) - 1]
    assert len(at_top) == len(set(at_top)) >= min(FINALISTS, trials)
    assert 0 in at_top
    assert started == trials


@pytest.mark.parametrize("left_s", [0.0, -5.0])
def test_a_deadline_that_has_passed_is_no_error(left_s: float) -> None:
    standings = on_first_rung([0.1, 0.2])
    assert decide(standings, COSTS, Moment(room=True, workers=2, left_s=left_s, whole_s=60.0)) == 2
    assert decide([], COSTS, Moment(room=True, workers=2, left_s=left_s, whole_s=60.0)) is Start.NEW
