"""Figures of the history and of readings: what is drawn stands where its numbers say, and is told apart without colour."""

from __future__ import annotations

from typing import Any

import numpy as np
import plotly.graph_objects as go
import pytest

from search.analysis.search_history import Fate, search_history
from search.report import figures
from search.report.figures.history import LOOKS
from search.report.figures.readings import Racer, Reading
from search.report.figures.style import COLOURS, DASHES, SYMBOLS, literal
from search.statistics.intervals import wilson
from search.trials.ladder import Ladder
from tests.support.subjects import FATES

HISTORY = search_history(FATES, Ladder.parse("1x3,5x9,5x30"))
RACERS = (
    Racer(3, "trial 3 (winner)", "winner", wilson(46, 50), wilson(45, 50), (0.9, 0.91), wilson(15, 15)),
    Racer(5, "trial 5 (dropped)", "dropped", wilson(47, 50), None, (), wilson(3, 15)),
)


def trace(figure: go.Figure, name: str) -> Any:
    """Give the trace of a name in the legend."""
    return next(one for one in figure.data if one.name == name)


@pytest.mark.parametrize(("across", "steps"), [("trials", [1, 4, 6]), ("time", [0.5, 3.5, 6.0])])
def test_the_best_is_a_stair_within_its_interval(across: Any, steps: list[float]) -> None:
    figure = figures.best_so_far(HISTORY, wilson(40, 50), 0.05, across)
    best = trace(figure, "best so far")
    assert best.line.shape == "hv"
    assert list(best.x) == steps
    assert list(best.y) == pytest.approx([0.8, 0.92, 0.92])
    band = trace(figure, "90 % interval of the best")
    assert max(band.y) == pytest.approx(HISTORY.best[1].acceptance.high)
    assert min(band.y) == pytest.approx(HISTORY.best[0].acceptance.low)
    assert len(band.x) == len(band.y) and band.mode == "lines"
    assert set(trace(figure, "the network in use").y) == {np.float32(0.8)}


def test_every_trial_is_marked_once_by_its_fate() -> None:
    figure = figures.best_so_far(HISTORY, None, 0.05)
    marked = {number: one.name for one in figure.data if one.mode == "markers" for number in one.customdata}
    assert marked == {trial.number: str(trial.fate) for trial in HISTORY.trials}
    assert len({one.marker.symbol for one in figure.data if one.mode == "markers"}) == len(set(marked.values()))


def test_bars_of_a_rung_add_up_to_the_trials_that_reached_it() -> None:
    figure = figures.rung_counts(HISTORY.rungs)
    heights = np.sum([one.y for one in figure.data], axis=0)
    assert heights.tolist() == [count.reached for count in HISTORY.rungs]
    assert len({one.marker.pattern.shape for one in figure.data}) >= len(figure.data) - 1  # what climbed on has none either


def test_a_study_that_has_begun_nothing_gives_figures_without_marks() -> None:
    empty = search_history((), Ladder.parse("1x3,5x9"))
    assert not figures.best_so_far(empty, None, 0.05).data
    assert sum(figures.rung_counts(empty.rungs).data[0].y) == 0


def test_readings_stand_in_their_order_with_their_intervals() -> None:
    shown = [
        Reading("held out", wilson(46, 52), quoted=True),
        Reading("<b>", wilson(40, 50)),
        Reading("old", wilson(30, 50), in_use=True),
    ]
    figure = figures.readings(shown, 0.05)
    assert list(figure.layout.yaxis.categoryarray) == ["old", "&lt;b&gt;", "held out"]
    quoted = trace(figure, "the number to quote")
    share = wilson(46, 52)
    assert list(quoted.x) == [np.float32(share.value)]
    assert list(quoted.error_x.array) == [np.float32(share.high - share.value)]
    assert list(quoted.error_x.arrayminus) == [np.float32(share.value - share.low)]


def test_a_race_shows_acceptance_beside_reliability_and_the_bar() -> None:
    figure = figures.race(RACERS, 0.8, 0.05)
    assert list(trace(figure, "in the search, which chose by it").x) == [np.float32(46 / 50), np.float32(47 / 50)]
    assert list(trace(figure, "each repeat").y) == ["trial 3 (winner)", "trial 3 (winner)"]
    beside = {one.name: list(one.y) for one in figure.data if one.xaxis == "x2"}
    assert beside == {"winner": ["trial 3 (winner)"], "dropped": ["trial 5 (dropped)"]}
    assert figure.layout.shapes[0].x0 == 0.8
    shown = [one.name for one in figure.data if one.showlegend is not False]
    assert len(shown) == len(set(shown))


@pytest.mark.parametrize(
    "figure",
    [
        figures.best_so_far(HISTORY, None, 0.05),
        figures.best_so_far(HISTORY, None, 0.05, "time"),
        figures.rung_counts(HISTORY.rungs),
        figures.readings([Reading("a", wilson(1, 2))], 0.05),
        figures.race(RACERS, 0.8, 0.05),
    ],
)
def test_axes_have_titles_and_no_figure_sets_its_background(figure: go.Figure) -> None:
    titles = [axis.title.text for axis in figure.select_xaxes()]
    assert all(titles)
    assert figure.layout.paper_bgcolor is None and figure.layout.plot_bgcolor is None
    assert len(figure.to_json()) < 30_000


def test_colours_symbols_and_dashes_are_as_many_and_differ_in_grey() -> None:
    assert len(COLOURS) == len(set(COLOURS)) == len(SYMBOLS) == len(DASHES)
    assert len({symbol for _, symbol, _ in LOOKS.values()}) == len(LOOKS) == len(Fate)
    assert literal('<a href="x">&') == '&lt;a href="x"&gt;&amp;'
