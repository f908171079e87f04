"""What a search shows while it runs: in place on a terminal, as plain lines elsewhere, in a log. A thread reads the study."""

from __future__ import annotations

import io
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from optuna.trial import TrialState
from rich.console import Console

from pitsearch.errors import PitsearchError
from search.analysis.running import RunningTrial
from search.analysis.status import Status, of_trials, summarise
from search.errors import StudyError
from search.report import progress, viewers
from search.report.progress import RungNews, Watched, watch
from search.report.tables import trial_line
from search.report.viewers import STOPPING, LiveTable, LogFile, PlainLines, Viewer, running_line
from search.studies.study import Study
from search.trials.progress import TrialProgress
from tests.support.status import TRIALS, trial_of
from tests.support.trials import PLAN

RUNNING = of_trials("craters", PLAN, TRIALS)


def lines_on(screen: io.StringIO) -> PlainLines:
    return PlainLines(Console(file=screen, width=40))


def climbing(rung: str, progress: TrialProgress | None = None, state: TrialState = TrialState.RUNNING) -> Status:
    """Give a study of one trial that runs and has reached a rung."""
    one = trial_of(5, state, ["1x3", "5x9", "5x30"].index(rung) + 1)
    return replace(RUNNING, running_trials=[RunningTrial(one, "host:1", rung, progress)], running=1)


def test_plain_lines_are_never_wrapped() -> None:
    screen = io.StringIO()
    shown, trial = lines_on(screen), trial_of(0, TrialState.COMPLETE, 3)
    shown.on_start(Study("craters"), ["3 pits left out"])
    shown.on_trial_end(trial)
    shown.on_stop()
    assert screen.getvalue().splitlines() == ["study craters", "note: 3 pits left out", trial_line(trial), STOPPING]


def test_plain_lines_are_not_silent_for_long_and_say_little_of_those_that_climb(monkeypatch: pytest.MonkeyPatch) -> None:
    now, screen = 100.0, io.StringIO()
    monkeypatch.setattr(viewers, "monotonic", lambda: now)
    shown = lines_on(screen)
    nothing = replace(RUNNING, running_trials=(), running=0, target=7)
    said = []
    for now in range(100, 400):  # the clock
        shown.on_status(climbing("1x3") if now > 115 else nothing)
        if 200 <= now < 209:
            shown.on_rung(trial_of(now, TrialState.RUNNING, 1))
        said += [(now - 100, line) for line in screen.getvalue().splitlines()]
        screen.seek(0)
        screen.truncate()
    assert said[0] == (10, "3 of 7 trials done; no worker has begun a trial yet")
    assert said[1] == (20, running_line(climbing("1x3")))
    assert [second for second, _ in said] == [10, 20, 30, 40, 50, 100, 160, 220, 280]
    assert said[5][1].startswith("trial 200")


def test_a_line_says_what_runs_and_how_far_it_is() -> None:
    far = TrialProgress("5x9", 2, 7, 25, 12.3, (0.5,))
    together = climbing("1x3", replace(far, fold=None))
    timed = replace(climbing("1x3", far), target=None, left_s=90.0)
    assert running_line(timed) == "3 trials done; at work: trial 5 to 5x9, fold 3, epoch 7; time left 1 min 30 s"
    assert "trial 5 to 5x9, all folds, epoch 7" in running_line(together)
    many = replace(RUNNING, running_trials=[*climbing("1x3").running_trials] * 9, left_s=None)
    assert running_line(many).endswith("trial 5 from 1x3, and 5 more")


def test_a_trial_is_told_of_once_it_climbs_on_from_a_rung_and_not_where_it_ends() -> None:
    news = RungNews()
    assert news.new(climbing("1x3")) == []  # it may be paused there in a moment
    (trial,) = news.new(climbing("1x3"))
    assert trial.number == 5
    assert news.new(climbing("1x3")) == []
    assert news.new(climbing("5x9")) == []
    assert len(news.new(climbing("5x9"))) == 1
    assert [news.new(climbing("5x30")) for _ in range(3)] == [[], [], []]


def test_a_launch_is_watched_from_a_thread_and_what_stays_is_how_it_ended(finished: Study) -> None:
    screen = io.StringIO()
    live = LiveTable(Console(file=screen, width=80, height=24, force_terminal=True, color_system=None))
    with Watched([live]) as watched:
        watched.on_start(finished, ["3 pits left out"])
        for trial in finished.optuna.trials:
            watched.on_trial_end(trial)
        watched.on_stop()
    assert watched.interrupted
    shown = screen.getvalue()
    for text in ("3 of 3 done", "best so far", "1x1: 3   5x1: 3   5x6: 3", "trial 2", "note: 3 pits left out", "stopping: "):
        assert text in shown


def test_a_study_is_read_less_often_the_more_that_costs(finished: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    watched, looks, waits = Watched([Viewer()]), list[Status](), list[float]()
    spent = iter([0.0, 9.0, 9.001, 9.001, 9.101])  # of the core: at the first look, then before and after each

    def wait(pause: float) -> bool:
        waits.append(pause)
        return len(waits) > 3

    monkeypatch.setattr(progress, "thread_time", lambda: next(spent))
    monkeypatch.setattr(watched._ended, "wait", wait)
    monkeypatch.setattr(watched, "_look", looks.append)
    watched.study = finished
    watched._watch()
    assert len(looks) == 3
    assert waits == pytest.approx([0.0, 1.0, 1.0, 2.0])


def test_an_output_that_is_gone_ends_the_launch_at_the_next_word(finished: Study) -> None:
    class Gone(Viewer):
        def on_status(self, status: Status) -> None:
            raise PitsearchError("gone")

    with pytest.raises(PitsearchError, match="gone"), Watched([Gone()]) as watched:
        watched.on_start(finished, [])
        end = time.monotonic() + 60
        while watched.fault is None and time.monotonic() < end:
            time.sleep(0.01)
        watched.on_note("a word")


def test_a_study_that_others_run_is_watched_until_it_is_done(finished: Study) -> None:
    seen: list[str] = []

    class Seen(Viewer):
        def on_start(self, study: Study, notes: Sequence[str]) -> None:
            seen.append(study.name)

        def on_status(self, status: Status) -> None:
            seen.append(f"{status.done} done")

    assert watch(finished, [Seen()]).done == summarise(finished).done
    assert seen == ["tiny", "3 done"]


def test_a_log_has_the_time_and_a_full_disk_does_not_end_the_search(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log = LogFile(tmp_path / "search.log")
    log.on_note("first")
    log.on_note("second")
    text = (tmp_path / "search.log").read_text()
    assert [line.split(" ", 1)[1] for line in text.splitlines()] == ["note: first", "note: second"]
    assert all(line[10] == "T" and line[19] == "Z" for line in text.splitlines())
    log.path = tmp_path
    log.on_note("third")
    assert log.fault == f"the log ends before the search: {tmp_path}: Is a directory"
    with pytest.raises(StudyError, match="--log-file must lie in an existing folder"):
        LogFile(tmp_path / "nowhere" / "search.log")
