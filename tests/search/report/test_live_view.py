"""The view of a running search: it fits 80 x 24 whatever there is to say, and has a row for all that is asked of a search."""

from __future__ import annotations

import io
from dataclasses import replace

import pytest
from optuna.trial import TrialState
from rich.console import Console

from search.analysis.running import RunningTrial
from search.analysis.status import Status, of_trials
from search.report.live_view import LiveView
from search.report.sparkline import sparkline
from search.report.tables import trial_line
from search.statistics.expected_gain import Gain
from search.trials.progress import POINTS, TrialProgress
from tests.support.status import TRIALS, trial_of
from tests.support.trials import PLAN

CURVE = tuple(1 / (1 + epoch) for epoch in range(POINTS))
FAR = TrialProgress("5x30", 4, 30, 150, 1234.5, CURVE)
EMPTY = of_trials("craters", PLAN, [])
SOME = of_trials("craters", PLAN, TRIALS)
MANY = replace(
    SOME,
    name="a study with a name that is far too long for any terminal that a person has",
    complete=1234,
    pruned=12345,
    paused=1234,
    failed=123,
    waiting=123,
    running=64,
    target=99999,
    left_s=1e7,
    gain=Gain(12345, 0.0123, 0.1234),
    rungs=[(f"5x{10 * rung}", 12345 - rung) for rung in range(1, 9)],
    queue=[(f"5x{10 * rung}", 1234 - rung) for rung in range(1, 9)],
    verdicts=dict.fromkeys(("learned", "collapsed", "overtrained", "diverged", "unfinished"), 12345),
    running_trials=[RunningTrial(trial_of(n + 9000, TrialState.RUNNING, 2), f"h{n}:1", "5x9", FAR) for n in range(64)],
)


def drawn(status: Status, width: int, height: int, lines: int = 9) -> list[str]:
    screen = io.StringIO()
    console = Console(file=screen, width=width, height=height, force_terminal=True, color_system=None)
    console.print(LiveView(status, 4321.0, (1.94, 2), [trial_line(trial_of(n, TrialState.RUNNING, 2)) for n in range(lines)]))
    return screen.getvalue().splitlines()


@pytest.mark.parametrize("status", [EMPTY, SOME, MANY], ids=["empty", "some", "many"])
@pytest.mark.parametrize(("width", "height"), [(80, 24), (120, 50), (60, 24)])
def test_the_view_fits_the_terminal(status: Status, width: int, height: int) -> None:
    rows = drawn(status, width, height)
    assert len(rows) < height
    assert max(map(len, rows)) <= width
    names = [row.split()[0] for row in rows[2:12] if row[0] != " "]
    assert names == ["best", "in", "further", "trials", "rungs", "queue", "pruning", "verdicts", "workers"]


def test_a_running_trial_has_its_rung_epoch_and_curve() -> None:
    (row,) = [row for row in drawn(MANY, 80, 24) if row.startswith("9000")]
    assert row.split()[:6] == ["9000", "5x30", "5", "30", "of", "30"]
    assert row.endswith(sparkline(CURVE, POINTS))
    assert "and 60 more" in drawn(MANY, 80, 24)[-3:][0] or any(row.startswith("and ") for row in drawn(MANY, 80, 24))
    starting = replace(SOME, running_trials=[replace(MANY.running_trials[0], rung=None, progress=None)])
    assert any(row == "9000     starts" for row in drawn(starting, 80, 24))


def test_a_search_is_summed_up_in_rows() -> None:
    rows = drawn(SOME, 80, 24)
    assert "best so far  0.738 [0.600, 0.841]  trial 1; 10 of 11 trainings learned" in rows
    assert "in use       0.714 [0.573, 0.823]  trial 0; best +0.024 [+0.009, +0.039]" in rows
    assert "trials       2 complete, 1 pruned, 1 interrupted, 1 failed" in rows
    assert "workers      1 at work; 1.9 of 2 cores in use" in rows
    assert "best so far  no trial has climbed the whole ladder yet" in drawn(EMPTY, 80, 24)


def test_a_curve_is_drawn_between_its_least_and_its_greatest() -> None:
    assert sparkline([0, 1, 2, 3, 4, 5, 6, 7], 8) == "▁▂▃▄▅▆▇█"
    assert sparkline([9, 0, 7], 2) == "▁█"
    assert sparkline([5.0, 5.0], 9, ascii_only=True) == "__"
    assert sparkline([], 9) == sparkline([1.0], 0) == ""
