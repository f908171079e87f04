"""Every figure of data, scores and choices draws the numbers that it is given, with titles on its axes, and reads in grey."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import plotly.graph_objects as go
import pytest

from search.analysis.acceptance_curves import AcceptedPart, acceptance_curve, accepted_parts, calibrations, histograms
from search.analysis.choice_groups import ChoiceGroup, Outcome, SampledAxis
from search.analysis.confusion import Confusion
from search.analysis.importance import Weight
from search.report import figures
from search.statistics.intervals import Share, reliability
from spaces import Config
from tests.support.scored_pits import scored_pits

EVIL = "<b>24</b>"
SCORED = scored_pits()
OUTCOMES = tuple(
    Outcome(number, Config(), {}, Share(number / 20, number / 40, 1.0), "5x30", number % 4 > 0, 0, 5) for number in range(20)
)
AXES = (
    SampledAxis("optimiser.name", ("sgd", EVIL), False, {number: float(number % 2) for number in range(20)}),
    SampledAxis("optimiser.learning_rate", None, True, {number: 10.0**-number for number in range(10)}),
    SampledAxis("network.depth", None, False, {number: number + 1.0 for number in range(20)}),
)
GROUPS = tuple(
    ChoiceGroup(name, 20, tuple(one for one in OUTCOMES if one.is_complete and one.number % 2 == part), 0.5, reliability(9, 10))
    for part, name in enumerate(("binary", EVIL))
)
WEIGHTS = (Weight("a", 20, 0.5, 0.4, 0.6, 0.1), Weight("b", 20, 0.05, 0.0, 0.3, 0.1), Weight("c", 3))


def _curves() -> go.Figure:
    return figures.roc([acceptance_curve(name, SCORED, (0.05, 0.01)) for name in ("best", "in use")])


def _histograms() -> go.Figure:
    labels = np.where(SCORED.is_signal, "candidate", EVIL)
    return figures.score_histograms(histograms(SCORED, labels, ("candidate", EVIL)))


def _parts() -> go.Figure:
    names = [f"s{number % 4}" for number in range(len(SCORED.is_signal))]
    parts = accepted_parts(SCORED, 0.05, names, SCORED.signals)
    return figures.accepted_parts(parts, SCORED.fitted(0.05).share, "share of signal accepted [90 %]")


def _confusion() -> go.Figure:
    return figures.confusion(Confusion("binary", 3, ("candidate", EVIL), ("signal", "background"), np.array([[8, 2], [1, 0]])))


FIGURES: dict[str, Callable[[], go.Figure]] = {
    "pit_counts": lambda: figures.pit_counts({"24": {"top": 3}, EVIL: {"bottom": 1}}, ("top", "bottom"), "slide"),
    "roc": _curves,
    "score_histograms": _histograms,
    "calibration": lambda: figures.calibration(calibrations(SCORED)),
    "accepted_parts": _parts,
    "confusion": _confusion,
    "importances": lambda: figures.importances(WEIGHTS, "acceptance"),
    "slices": lambda: figures.slices(OUTCOMES, AXES, 0.05),
    "parallel_coordinates": lambda: figures.parallel_coordinates(OUTCOMES, AXES),
    "choices_compared": lambda: figures.choices_compared(GROUPS, 0.05),
}


@pytest.mark.parametrize("name", FIGURES)
def test_a_figure_has_marks_and_titles_and_shows_names_as_they_are(name: str) -> None:
    figure = FIGURES[name]()
    assert sum(len(trace.y) for trace in figure.data if trace.y is not None) > 1
    titles = [figure.layout[axis].title.text for axis in figure.layout if axis.startswith(("xaxis", "yaxis"))]
    assert any(titles)
    # What a data set says is shown, not read as markup.
    assert "<b>" not in figure.to_json().replace("\\u003c", "<")


@pytest.mark.parametrize("name", ["roc", "score_histograms", "calibration", "pit_counts"])
def test_traces_are_told_apart_without_colours(name: str) -> None:
    traces = [trace for trace in FIGURES[name]().data if trace.showlegend is not False]
    looks = [
        (trace.marker.pattern.shape,) if trace.type == "bar" else (trace.line.dash, trace.marker.symbol) for trace in traces
    ]
    assert len(set(looks)) == len(looks) > 1


def test_marks_of_a_curve_stand_at_its_working_points() -> None:
    curve = acceptance_curve("best", SCORED, (0.05, 0.01))
    (marks,) = [trace for trace in figures.roc([curve]).data if trace.mode == "markers"]
    assert list(marks.x) == [0.05, 0.01]
    assert list(marks.y) == [share.value for _, share in curve.points]
    assert figures.roc([curve]).layout.xaxis.type == "log"


@pytest.mark.parametrize(("curves", "bands"), [(1, 1), (2, 2), (3, 0), (8, 0)])
def test_more_bands_than_can_be_read_are_left_out(curves: int, bands: int) -> None:
    curve = acceptance_curve("best", SCORED, (0.05,))
    assert sum(trace.fill == "toself" for trace in figures.roc([curve] * curves).data) == bands


def test_a_confusion_says_shares_and_counts() -> None:
    (heat,) = _confusion().data
    assert [list(row) for row in heat.text] == [["80% (8)", "20% (2)"], ["100% (1)", "0% (0)"]]
    assert [list(row) for row in heat.z] == [[0.8, 0.2], [1.0, 0.0]]


def test_parts_that_no_bar_has_are_not_drawn() -> None:
    figure = figures.pit_counts({"a": {"top": 3}, "b": {"top": 1}}, ("top", "bottom"), "slide")
    assert [(trace.name, tuple(trace.y)) for trace in figure.data] == [("top", (3, 1))]


def test_slices_draw_each_trial_once_where_the_axis_applies() -> None:
    figure = figures.slices(OUTCOMES, AXES, 0.05)
    drawn = [[number for trace in figure.data[2 * place : 2 * place + 2] for number in trace.customdata] for place in range(3)]
    assert [sorted(numbers) for numbers in drawn] == [sorted(axis.values) for axis in AXES]


def test_lines_of_parallel_coordinates_are_of_complete_trials_and_end_at_their_acceptance() -> None:
    figure = figures.parallel_coordinates(OUTCOMES, AXES)
    ends = [up for trace in figure.data for across, up in zip(trace.x, trace.y, strict=True) if across == len(AXES)]
    assert ends == sorted(one.acceptance.value for one in OUTCOMES if one.is_complete)
    # A trial without an axis has no point there: that of learning rates applies to half of them.
    assert sum(across == 1 for trace in figure.data for across in trace.x) == sum(
        one.is_complete and one.number in AXES[1].values for one in OUTCOMES
    )


def test_intervals_and_the_line_of_all_are_those_given() -> None:
    share = Share(0.5, 0.2, 0.9)
    figure = figures.accepted_parts((AcceptedPart("a", 10, share),), Share(0.6, 0.5, 0.7), "share")
    (dots,) = figure.data
    assert (dots.x[0] - dots.error_x.arrayminus[0], dots.x[0] + dots.error_x.array[0]) == pytest.approx((0.2, 0.9))
    assert [shape.x0 for shape in figure.layout.shapes] == [0.6, 0.5]
