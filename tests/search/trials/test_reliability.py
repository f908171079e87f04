"""Reliability: what is counted."""

from __future__ import annotations

from search.statistics.intervals import reliability
from search.trials.reliability import tally
from tests.support.trials import reached


def test_folds_and_reseeds_are_counted_and_what_was_cut_short_is_not() -> None:
    first = reached(verdicts=("learned", "collapsed", "overtrained", "unfinished", "diverged"), reseeds=(1, 1, 0, 0, 0))
    found = tally([first, reached()])
    assert (found.learned, found.overtrained, found.trainings) == (6, 1, 11)
    assert found.reliability == reliability(6, 11)


def test_nothing_trained_is_nothing_known() -> None:
    found = tally([reached(verdicts=("unfinished",) * 5)])
    assert found.reliability is None
    assert str(found) == "unknown"
