"""Time is accounted exactly, whatever the number of workers, and a paused trial goes on where it was."""

from __future__ import annotations

import math

import numpy as np
import pytest
from optuna import create_study
from optuna.pruners import BasePruner, MedianPruner
from optuna.trial import TrialState

from benchmarks.replay.rules import Full, Halving, Median, Rule, Trailing
from benchmarks.replay.schedulers import Ending, Pausing
from benchmarks.replay.scores import OVERHEAD, Shown, show
from benchmarks.replay.simulation import Scheduler, Work, simulate
from search.pruning.pruners import make_pruner
from search.trials.ladder import Ladder
from tests.support.recorded_tables import made_up

LADDER = Ladder.parse("1x3,1x9,5x9,5x30")
# Of an epoch of 1 s: one fold to 3, to 9, four more to 9, all five to 30.
SECONDS = (3 + OVERHEAD, 6, 36, 105)
WHOLE = sum(SECONDS)


def shown(*truths: float) -> Shown:
    return show(made_up(truths), LADDER, "mean", [])


class Watched(Scheduler):
    """Notes what another scheduler gives, and when."""

    def __init__(self, scheduler: Scheduler) -> None:
        self.scheduler, self.works = scheduler, list[tuple[float, Work]]()

    def next(self, now: float) -> Work | None:
        work = self.scheduler.next(now)
        if work is not None:
            self.works.append((now, work))
        return work

    def report(self, trial: int, rung: int) -> bool:
        return self.scheduler.report(trial, rung)


def test_a_rung_takes_what_was_recorded() -> None:
    assert shown(0.5).seconds[0] == pytest.approx(SECONDS)


@pytest.mark.parametrize(("workers", "at"), [(1, (1, 2, 3)), (2, (1, 1, 2)), (3, (1, 1, 1))])
def test_workers_share_the_trials(workers: int, at: tuple[int, ...]) -> None:
    values = shown(0.5, 0.6, 0.7)
    complete = simulate(Ending(range(3), (), Full(values, LADDER)), values.seconds, workers)
    assert [trial for _, trial in complete] == [0, 1, 2]
    assert [time for time, _ in complete] == pytest.approx([WHOLE * each for each in at])


def test_what_ends_after_the_deadline_is_lost() -> None:
    values = shown(0.5, 0.6)
    for deadline, count in ((WHOLE - 0.01, 0), (WHOLE + 0.01, 1), (2 * WHOLE + 0.01, 2)):
        assert len(simulate(Ending(range(2), (), Full(values, LADDER)), values.seconds, 1, deadline)) == count


def test_a_paused_trial_goes_on_where_it_was() -> None:
    values = shown(0.9, 0.1, 0.2)
    watched = Watched(Pausing(range(3), (), values, LADDER, 3))
    complete = simulate(watched, values.seconds, 1)
    # The first trial is the best of three on the first rung, and pauses alone on the second one; then nothing new is left.
    assert [work for _, work in watched.works[:6]] == [(0, 0), (1, 0), (2, 0), (0, 1), (0, 2), (0, 3)]
    first = 3 * SECONDS[0] + sum(SECONDS[1:])
    assert complete[0][1] == 0
    assert complete[0][0] == pytest.approx(first)
    # In the end every trial has been trained whole, and once.
    assert complete[-1][0] == pytest.approx(3 * WHOLE)
    assert len({work for _, work in watched.works}) == len(watched.works) == 12


def test_the_best_of_the_highest_rung_is_promoted_first() -> None:
    values = shown(0.1, 0.2, 0.3, 0.4, 0.5, 0.15, 0.45)
    watched = Watched(Pausing(range(7), (), values, LADDER, 3))
    simulate(watched, values.seconds, 1)
    works = [work for _, work in watched.works]
    # From the third on each is the best so far, and of the three that then stand on the second rung the last is the best.
    assert works[:8] == [(0, 0), (1, 0), (2, 0), (2, 1), (3, 0), (3, 1), (4, 0), (4, 1)]
    # The sixth is among the worst. Of six, and of seven, the best two have gone on, so that the last one waits.
    assert works[8:11] == [(4, 2), (5, 0), (6, 0)]


def test_spared_trials_climb_at_once() -> None:
    values = shown(0.1, 0.9, 0.9, 0.9)
    complete = simulate(Pausing(range(4), {0}, values, LADDER, 3), values.seconds, 1, WHOLE + 0.01)
    assert [trial for _, trial in complete] == [0]
    assert complete[0][0] == pytest.approx(WHOLE)
    rule = Median(values, Ladder.parse("1x30,2x30,5x30"))
    assert simulate(Ending([*range(1, 4), 0], {0}, rule), values.seconds, 4)


@pytest.mark.parametrize("least", [1, 2])
def test_enough_trials_are_complete_when_time_is_up(least: int) -> None:
    values = shown(*(0.9 - number / 100 for number in range(40)))
    # A moment before the first of these is promoted to the end and complete.
    deadline = 2.3 * WHOLE
    plain = simulate(Pausing(range(40), (), values, LADDER, 3), values.seconds, 1, deadline)
    cared = simulate(
        Pausing(range(40), (), values, LADDER, 3, least=least, workers=1, deadline=deadline), values.seconds, 1, deadline
    )
    assert not plain
    assert len(cared) >= least
    assert all(at <= deadline for at, _ in cared)


def test_the_median_ends_what_lies_under_it_after_five() -> None:
    values, ladder = show(made_up([0.5, 0.6, 0.7, 0.8, 0.9, 0.1, 0.75]), Ladder.parse("1x30,5x30"), "mean", []), "1x30,5x30"
    complete = simulate(Ending(range(7), (), Median(values, Ladder.parse(ladder))), values.seconds, 1)
    assert [trial for _, trial in complete] == [0, 1, 2, 3, 4, 6]
    assert complete[-1][0] == pytest.approx(6 * (150 + OVERHEAD) + 30 + OVERHEAD)


@pytest.mark.parametrize(("rule", "pruner"), [(Halving, make_pruner("halving", LADDER)), (Median, MedianPruner())])
def test_rules_end_the_trials_that_the_pruners_of_optuna_end(rule: type[Rule], pruner: BasePruner) -> None:
    values = show(made_up(np.random.default_rng(0).random(40), noise=0.2), LADDER, "mean", [])
    mine, study, ended = rule(values, LADDER), create_study(direction="maximize", pruner=pruner), 0
    for number, on_rungs in enumerate(values.values):
        trial, is_ended = study.ask(), False
        for rung, cost in enumerate(rung.cost for rung in LADDER.rungs):
            trial.report(on_rungs[rung], cost)
            is_ended = mine.ends(number, rung)
            assert is_ended == trial.should_prune()
            if is_ended:
                break
        else:
            mine.complete(number, False)
        ended += is_ended
        study.tell(trial, None if is_ended else on_rungs[-1], state=TrialState.PRUNED if is_ended else TrialState.COMPLETE)
    assert 5 < ended < 40


def test_trailing_ends_only_what_lies_far_below_every_good_one() -> None:
    values = shown(0.8, 0.79, 0.78, 0.1, 0.75)
    rule = Trailing(values, LADDER)
    assert not rule.ends(3, 2)
    for trial in range(3):
        rule.complete(trial, False)
    assert [rule.ends(3, 2), rule.ends(4, 2)] == [True, False]
    assert not math.isnan(values.errors[0][0])
