"""What a launch shows: plain lines without a terminal, a live table on one."""

from __future__ import annotations

import io

import pytest
from optuna.trial import TrialState
from rich.console import Console

from search.analysis.status import Status, summarise
from search.report.progress import STOPPING, LiveTable, PlainLines
from search.report.tables import trial_line
from search.studies.study import Study
from tests.support.status import trial_of


def test_plain_lines_are_never_wrapped() -> None:
    screen = io.StringIO()
    progress = PlainLines(Console(file=screen, width=40))
    trial = trial_of(0, TrialState.COMPLETE, 3)
    progress.on_start(Study("craters"), ["3 pits left out"])
    progress.on_trial_end(trial)
    progress.on_stop()
    assert progress.interrupted
    assert screen.getvalue().splitlines() == ["study craters", "note: 3 pits left out", trial_line(trial), STOPPING]


def test_the_live_table_shows_the_study_and_the_trials_that_ended_last(finished: Study) -> None:
    screen = io.StringIO()
    console = Console(file=screen, width=120, force_terminal=True, color_system=None)
    with LiveTable(console) as progress:
        progress.on_start(finished, ["3 pits left out"])
        for trial in finished.optuna.trials:
            progress.on_trial_end(trial)
        progress.on_stop()
        progress.live.refresh()
    shown = screen.getvalue()
    assert "3 of 3 done: 3 complete, 0 pruned, 0 paused; 0 running, 0 interrupted, 0 failed" in shown
    assert "best so far" in shown
    assert "1x1: 3   5x1: 3   5x6: 3" in shown
    assert shown.count("3 of 3") >= 2
    assert "trial 2" in shown
    assert "note: 3 pits left out" in shown
    assert "stopping: running trials end" in shown


def test_the_live_table_reads_a_study_less_often_the_longer_it_takes(finished: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    now, reads = 0.0, list[float]()

    def slow(study: Study) -> Status:
        nonlocal now
        now += 0.1
        reads.append(now)
        return summarise(study)

    monkeypatch.setattr("search.report.progress.monotonic", lambda: now)
    monkeypatch.setattr("search.report.progress.summarise", slow)
    console = Console(file=io.StringIO(), width=120, force_terminal=True, color_system=None)
    progress = LiveTable(console)
    progress.on_start(finished, [])
    for shown in (10.0, 11.0, 15.0, 15.2):
        now = shown
        progress.live.get_renderable()
    assert reads == pytest.approx([10.1, 15.3])
    with progress:
        pass
    assert len(reads) == 3
