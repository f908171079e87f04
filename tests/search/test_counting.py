"""What whoever waits sees: a bar on a terminal, a bar in a notebook, lines elsewhere, each with the time left."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from search.counting import EVERY_S, Counter, Step, counting, shown
from tests.support.notebooks import Cell, notebook


class Clock:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr("search.counting.monotonic", clock)
    return clock


def trained(step: Step, clock: Clock, of: int, seconds: float) -> None:
    """Make steps that each take so long, one after the other."""
    step(0, of)
    for finished in range(1, of + 1):
        clock.now += seconds
        step(finished, of)


def test_in_a_pipe_each_part_has_its_lines_with_the_time_left(clock: Clock) -> None:
    screen = io.StringIO()
    with counting(Console(file=screen, width=40)) as counter:
        for what in ("repeats", "folds [of] the winner that are trained again"):
            with shown(counter, what) as step:
                trained(step, clock, 3, 60.0)
    assert screen.getvalue().splitlines() == [
        f"{what}: {words}"
        for what in ("repeats", "folds [of] the winner that are trained again")
        for words in ("0 of 3", "1 of 3, about 2 min 00 s left", "2 of 3, about 1 min 00 s left", "3 of 3")
    ]


def test_in_a_pipe_many_short_steps_are_few_lines(clock: Clock) -> None:
    screen = io.StringIO()
    with counting(Console(file=screen)) as counter, shown(counter, "frames") as step:
        trained(step, clock, 100, EVERY_S / 20)
    lines = screen.getvalue().splitlines()
    assert [line.split(",")[0] for line in lines] == [f"frames: {number} of 100" for number in (0, 20, 40, 60, 80, 100)]


def test_what_was_finished_before_is_no_pace(clock: Clock) -> None:
    screen = io.StringIO()
    with counting(Console(file=screen)) as counter, shown(counter, "trainings", workers=2) as step:
        step(6, 10)
        clock.now += 60.0
        step(7, 10)
        step(8, 10)
    assert screen.getvalue().splitlines() == ["trainings: 6 of 10", "trainings: 7 of 10, about 1 min 00 s left"]


def test_a_step_that_takes_longer_than_those_before_has_no_time_left(clock: Clock) -> None:
    screen = io.StringIO()
    with counting(Console(file=screen)) as counter, shown(counter, "repeats", workers=2) as step:
        step(0, 2)
        clock.now += 60.0
        step(1, 2)
    assert screen.getvalue().splitlines() == ["repeats: 0 of 2", "repeats: 1 of 2"]


def test_on_a_terminal_the_time_left_goes_down_between_the_steps(clock: Clock) -> None:
    screen = io.StringIO()
    console = Console(file=screen, width=100, force_terminal=True, color_system=None)
    with counting(console) as counter, shown(counter, "trainings") as step:
        trained(step, clock, 2, 60.0)
        assert isinstance(step, Counter)
        step.begin("[red]epochs")
        step(0, 2)
        clock.now += 60.0
        step(1, 2)
        assert step.words == "1 of 2, about 1 min 00 s left"
        clock.now += 20.0
        assert step.words == "1 of 2, about 40 s left"
    told = screen.getvalue()
    assert "[red]epochs" in told
    assert "1 of 2, about 40 s left" in told


def test_in_a_notebook_each_part_is_one_bar_that_moves(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    cells: list[Cell] = notebook(monkeypatch)
    with shown(True, "repeats") as step:
        trained(step, clock, 2, 60.0)
    with shown(True, "<b>folds") as step:
        step(0, 5)
    assert [cell.text for cell in cells] == [
        ["repeats: 0 of 2", "repeats: 1 of 2, about 1 min 00 s left", "repeats: 2 of 2"],
        ["<b>folds: 0 of 5"],
    ]
    assert '<progress value="1" max="2"' in cells[0].html[1]
    assert cells[1].html[0].startswith("<div>&lt;b&gt;folds <progress")


def test_nothing_is_shown_where_nothing_is_wanted_and_the_own_is_called(capsys: pytest.CaptureFixture[str]) -> None:
    told: list[tuple[int, int]] = []
    for progress in (False, lambda finished, of: told.append((finished, of))):
        with shown(progress, "repeats") as step:
            step(1, 2)
    assert told == [(1, 2)]
    assert capsys.readouterr() == ("", "")
