"""The rule of a launch, replayed: it ends in time with what it was asked for, and takes no work twice."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.replay.promoting import Promoting
from benchmarks.replay.scores import show
from benchmarks.replay.simulation import simulate
from search.pruning.promotion import FINALISTS
from search.trials.ladder import Ladder
from tests.support.recorded_tables import made_up

LADDER = Ladder.parse("1x3,1x9,5x9,5x30")
TRUTHS = np.random.default_rng(0).permutation(np.linspace(0.1, 0.9, 40))


@pytest.mark.parametrize("deadline", [900.0, 2000.0, 4000.0])
def test_a_search_completes_the_best_in_time(deadline: float) -> None:
    table = made_up(TRUTHS.tolist(), noise=0.0)
    shown = show(table, LADDER, "mean", [])
    scheduler = Promoting(range(len(TRUTHS)), {0}, shown, LADDER, 2, deadline)
    complete = [trial for at, trial in simulate(scheduler, shown.seconds, 2, deadline) if at <= deadline]
    assert len(complete) == len(set(complete)) >= min(FINALISTS, int(deadline / 2 * 2 / 160))
    started = {trial for trial, _ in scheduler._standings}
    best = max(started, key=lambda trial: TRUTHS[trial])
    assert best in complete


def test_without_a_deadline_all_start_and_the_network_in_use_is_complete() -> None:
    table = made_up(TRUTHS.tolist(), noise=0.05)
    shown = show(table, LADDER, "mean", [])
    scheduler = Promoting(range(len(TRUTHS)), {0}, shown, LADDER, 2, float("inf"))
    complete = [trial for _, trial in simulate(scheduler, shown.seconds, 2)]
    assert 0 in complete
    assert len({trial for trial, _ in scheduler._standings}) == len(TRUTHS)
    assert FINALISTS <= len(complete) < len(TRUTHS) / 2
