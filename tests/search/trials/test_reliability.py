"""Reliability: what is counted."""

from __future__ import annotations

import numpy as np
from optuna.trial import FrozenTrial, TrialState, create_trial

from search.selection.confirmations import Confirmation, pooled_tally
from search.statistics.intervals import reliability
from search.trials.reliability import tally, trainings_of, twins_of
from spaces import Config
from tests.support.trials import reached, recipe, written


def test_folds_and_reseeds_are_counted_and_what_was_cut_short_is_not() -> None:
    first = reached(verdicts=("learned", "collapsed", "overtrained", "unfinished", "diverged"), reseeds=(1, 1, 0, 0, 0))
    found = tally([first, reached()])
    assert (found.learned, found.overtrained, found.trainings) == (6, 1, 11)
    assert found.reliability == reliability(6, 11)


def trial_of(number: int, verdicts: str, config: Config | None = None, state: TrialState = TrialState.COMPLETE) -> FrozenTrial:
    """Make a trial whose folds ended so, a letter each: learned or collapsed."""
    words = tuple({"l": "learned", "c": "collapsed"}[letter] for letter in verdicts)
    attributes = written(recipe(config), reached(verdicts=words))
    trial = create_trial(value=0.5 if state == TrialState.COMPLETE else None, user_attrs=attributes, state=state)
    trial.number = number
    return trial


def test_trials_of_one_configuration_are_counted_together() -> None:
    best, unlucky, other = trial_of(0, "lllll"), trial_of(1, "ccccl"), trial_of(2, "ccccc", Config(normalisation="image"))
    ended = trial_of(3, "ccccc", state=TrialState.FAIL)
    trials = [best, unlucky, other, ended]
    assert [sum(verdict == "learned" for verdict in one.verdicts) for one in trainings_of(best, trials)] == [5, 1]
    assert twins_of(best, trials) == (1, 3)
    confirmation = Confirmation(np.array([]), (1,) * 5, (1,) * 5, (1.0,) * 5, ("collapsed",) * 5, (0,) * 5, 5, 1.0)
    pooled = pooled_tally(best, trials, {(1, 0): confirmation, (2, 0): confirmation, (0, 1): confirmation})
    assert (pooled.learned, pooled.trainings) == (6, 20)
    # In a race only the repeats that have been run by all count of a trial's own.
    assert pooled_tally(best, trials, {(0, 1): confirmation}, repeats=1).trainings == 10


def test_a_restart_that_was_not_needed_counts_as_nothing() -> None:
    first = reached(verdicts=("learned",) * 5, reseeds=(1, 1, 0, 0, 0), needless=(1, 0, 0, 0, 0))
    found = tally([first])
    assert (found.learned, found.trainings) == (5, 6)


def test_nothing_trained_is_nothing_known() -> None:
    found = tally([reached(verdicts=("unfinished",) * 5)])
    assert found.reliability is None
    assert str(found) == "unknown"
