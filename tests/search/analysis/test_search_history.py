"""The history of a search: every fate, the best at each moment, the rungs, and what ending trials early saved."""

from __future__ import annotations

import pytest
from optuna.trial import TrialState

from search.analysis.search_history import Fate, fate_of, search_history
from search.trials.ladder import Ladder
from search.trials.records import PAUSED
from tests.support.subjects import FATES, STARTED, trial_of

LADDER = Ladder.parse("1x3,5x9,5x30")


def test_every_trial_has_its_fate() -> None:
    fates = (Fate.COMPLETE, Fate.PAUSED, Fate.PRUNED, Fate.REVIVED, Fate.FAILED, Fate.COMPLETE, Fate.RUNNING)
    assert tuple(map(fate_of, FATES)) == fates
    interrupted = trial_of(7, 20, state=TrialState.WAITING, rungs=1, remarks={"stopped": "by hand"})
    assert fate_of(interrupted) == Fate.RUNNING
    revived_and_running = trial_of(8, 20, state=TrialState.RUNNING, rungs=1, remarks={PAUSED.name: ""})
    assert fate_of(revived_and_running) == Fate.RUNNING


def test_the_best_rises_alone_and_trials_stand_where_they_ended() -> None:
    history = search_history(FATES, LADDER)
    assert history.began == STARTED
    assert [(best.number, best.hours) for best in history.best] == [(0, 0.5), (3, 3.5)]
    assert [best.acceptance.value for best in history.best] == [0.8, 0.92]
    assert {point.number: point.hours for point in history.trials} == {0: 0.5, 1: 1.0, 2: 2.5, 3: 3.5, 4: 4.5, 5: 5.5, 6: 6.0}
    assert [point.place for point in history.trials] == [1, 2, 3, 4, 5, 6, 6]
    assert next(point for point in history.trials if point.number == 4).acceptance is None


def test_every_trial_on_a_rung_stays_there_or_climbs_on() -> None:
    low, middle, high = search_history(FATES, LADDER).rungs
    assert (low.reached, low.climbed, low.here) == (6, 4, {Fate.PAUSED: 1, Fate.RUNNING: 1})
    assert (middle.reached, middle.climbed, middle.here) == (4, 3, {Fate.PRUNED: 1})
    assert (high.reached, high.climbed, high.here) == (3, 0, {Fate.COMPLETE: 2, Fate.REVIVED: 1})


def test_a_trial_that_ends_early_saves_the_rungs_above_it_at_its_own_pace() -> None:
    saving = search_history(FATES, LADDER).saving
    assert (saving.trials, saving.fold_epochs) == (2, (150 - 3) + (150 - 45))
    assert saving.whole == 5 * 150  # of those that are complete, paused or pruned
    assert saving.seconds == pytest.approx(2.0 * saving.fold_epochs)


def test_a_study_without_trials_has_an_empty_history() -> None:
    history = search_history((), LADDER)
    assert (history.began, history.ended, history.trials, history.best) == (None, None, (), ())
    assert history.saving.trials == history.saving.whole == 0
