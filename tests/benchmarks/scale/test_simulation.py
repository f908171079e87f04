"""The simulation of many workers: what queues is done in turn, time adds up, and costs come from what was measured."""

from __future__ import annotations

import json

import pytest

from benchmarks.scale.costs import RESULTS, Costs, Line, measured
from benchmarks.scale.report import _mean_epochs, _most_with_scores, _packed_scores
from benchmarks.scale.simulation import ChosenAhead, Design, FewCompared, FewRead, Present, Queue, Scenario, shares_of, simulate

FREE = Costs(Line(0, 0), Line(0, 0), Line(0, 0), Line(0, 0), 0.0, 0.0, 0.0, 0.182)
DESIGNS = (Present, FewCompared, FewRead, ChosenAhead)


def scenario(workers: int, *rungs: float, seconds: float = 1000.0) -> Scenario:
    return Scenario(workers, rungs, (*[1.0] * (len(rungs) - 1), 0.0), seconds)


def test_a_queue_serves_in_turn() -> None:
    one, two = Queue(), Queue(2)
    assert [one.serve(0.0, 2.0), one.serve(1.0, 2.0), one.serve(9.0, 2.0)] == [2.0, 4.0, 11.0]
    assert [two.serve(0.0, 2.0), two.serve(0.0, 2.0), two.serve(1.0, 2.0)] == [2.0, 2.0, 4.0]


@pytest.mark.parametrize("design", DESIGNS)
def test_what_costs_nothing_leaves_all_time_to_training(design: type[Design]) -> None:
    outcome = simulate(design, FREE, scenario(20, 3.0, 7.0))
    assert outcome.waiting + outcome.choosing + outcome.writing == pytest.approx(0.0)
    assert outcome.trials == pytest.approx(20 * 500 / 10, abs=20)
    assert outcome.training == pytest.approx(20 * 500, rel=0.02)


def test_claims_one_at_a_time_bound_the_rate() -> None:
    costs = Costs(Line(0.5, 0), Line(0, 0), Line(0, 0), Line(0, 0), 0.0, 0.0, 0.0, 0.182)
    outcome = simulate(Present, costs, scenario(100, 1.0))
    assert outcome.trials == pytest.approx(500 / 0.5, rel=0.01)
    assert outcome.lock == pytest.approx(500, rel=0.01)
    assert simulate(ChosenAhead, costs, scenario(100, 1.0)).trials == pytest.approx(100 * 500, rel=0.02)


def test_a_choice_reads_what_runs_and_what_is_new_to_it() -> None:
    costs = Costs(Line(0, 0), Line(0, 0), Line(0, 0), Line(0, 0), 0.0, 0.01, 0.0, 0.182)
    outcome = simulate(Present, costs, scenario(200, 8.0))
    assert 7 < outcome.choosing / outcome.training * 32 < 9  # some 200 that run, 0.01 s each, of a trial of 8 s
    assert simulate(FewRead, costs, scenario(200, 8.0)).choosing == pytest.approx(outcome.choosing)
    assert outcome.unknown and max(outcome.unknown) <= 200


def test_the_ladder_leaves_the_shares_that_it_affords() -> None:
    assert shares_of([3, 9, 45, 150]) == pytest.approx((1 / 3, 1 / 5, 45 / 150, 0.0))
    assert _mean_epochs() == pytest.approx(3 + 6 / 3 + 36 / 15 + 105 / 50)


def test_costs_are_those_that_were_measured() -> None:
    costs, table = measured(), json.loads(RESULTS.read_text(encoding="utf-8"))["storage"]["tables"][0]
    rows = [dict(zip(table["columns"], row, strict=True)) for row in table["rows"]]
    [suggest] = [row["suggest"] for row in rows if (row["storage"], row["trials there"]) == ("PostgreSQL", "10000")]
    assert costs.choose.at(10_000) == pytest.approx(float(suggest.split()[0]) / 1e3, rel=0.1)
    assert 0.005 < costs.claim.start < 0.05
    assert 1e-4 < costs.read_running < 1e-2
    assert 1e-4 < costs.read_ended < 1e-2


def test_scores_of_many_pits_are_not_kept() -> None:
    most = _most_with_scores()
    assert _packed_scores(most)
    assert not _packed_scores(most + 100)
