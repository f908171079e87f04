"""Figures as a note prints them show the same marks, words and ranges; what cannot be translated is refused."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import plotly.graph_objects as go
import pytest
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection, PathCollection, QuadMesh
from matplotlib.figure import Figure
from plotly.subplots import make_subplots

from search.report.contents import Drawing
from search.report.figures.style import new_figure
from search.report.note_figures.files import hep_style
from search.report.note_figures.looks import colour, words
from search.report.note_figures.translate import panels_of, to_matplotlib
from search.report.study_report import make_sections
from search.report.subject import read_subject
from search.studies.study import Study
from tests.support.curves import trial_with_curves
from tests.support.subjects import selected_subject


@pytest.fixture(scope="module", autouse=True)
def style() -> Iterator[None]:
    with hep_style():
        yield


def panel(figure: go.Figure) -> Axes:
    (axes,) = panels_of(to_matplotlib(figure))
    return axes


def legend(drawn: Figure) -> list[str]:
    return [text.get_text() for one in drawn.legends for text in one.get_texts()]


def test_lines_marks_and_error_bars_are_where_they_were() -> None:
    figure = new_figure("epochs", "loss")
    line = {"color": "#0072B2", "dash": "dot", "width": 2}
    figure.add_scatter(x=[1, 2, None, 4], y=[0.5, 0.25, None, 0.1], mode="lines", name="loss", line=line)
    bars = {"type": "data", "symmetric": False, "array": [0.1, 0.2], "arrayminus": [0.05, 0.1]}
    marks = {"symbol": "diamond-open", "color": "rgba(213,94,0,0.5)", "size": 10}
    figure.add_scatter(x=[1, 3], y=[0.3, 0.4], error_y=bars, mode="markers", name="points", marker=marks)
    figure.update_yaxes(type="log", range=[-2, 0])
    drawn = to_matplotlib(figure)
    (axes,) = panels_of(drawn)
    assert (axes.get_xlabel(), axes.get_ylabel(), axes.get_yscale()) == ("epochs", "loss", "log")
    assert axes.get_ylim() == pytest.approx((0.01, 1.0))
    np.testing.assert_array_equal(axes.lines[0].get_xydata(), [[1, 0.5], [2, 0.25], [np.nan, np.nan], [4, 0.1]])
    assert (axes.lines[0].get_linestyle(), axes.lines[0].get_color()) == (":", "#0072B2")
    (points,) = [one for one in axes.collections if isinstance(one, PathCollection)]
    np.testing.assert_allclose(np.asarray(points.get_offsets()), [[1, 0.3], [3, 0.4]])
    assert len(points.get_facecolor()) == 0 and points.get_alpha() == 0.5
    (errors,) = [one for one in axes.collections if isinstance(one, LineCollection)]
    segments = errors.get_segments()
    np.testing.assert_allclose(segments, [[[1, 0.25], [1, 0.4]], [[3, 0.3], [3, 0.6]]])
    assert legend(drawn) == ["loss", "points"]


def test_bars_stand_on_one_another_or_side_by_side_on_an_axis_of_names() -> None:
    figure = new_figure("label", "pits")
    for name, counts in (("old", [3, 1]), ("new", [2, 5])):
        figure.add_bar(x=["top", "bottom"], y=counts, name=name, marker={"color": "#0072B2", "pattern": {"shape": "/"}})
    figure.update_layout(barmode="stack", bargap=0.25)
    axes = panel(figure)
    assert [label.get_text() for label in axes.get_xticklabels()] == ["top", "bottom"]
    boxes = [(bar.get_x() + bar.get_width() / 2, bar.get_y(), bar.get_height()) for bar in axes.patches]  # type: ignore[attr-defined]
    np.testing.assert_allclose(boxes, [(0, 0, 3), (1, 0, 1), (0, 3, 2), (1, 1, 5)], atol=1e-9)
    assert {bar.get_hatch() for bar in axes.patches} == {"//"}
    beside = panel(figure.update_layout(barmode="group")).patches
    assert [bar.get_y() for bar in beside] == [0, 0, 0, 0]  # type: ignore[attr-defined]
    assert len({bar.get_x() for bar in beside}) == 4  # type: ignore[attr-defined]


def test_names_of_an_axis_keep_their_order_from_the_top_and_steps_and_areas_their_form() -> None:
    figure = new_figure("acceptance", "")
    figure.add_scatter(x=[0.1, 0.2], y=["b", "a"], mode="markers")
    figure.update_yaxes(type="category", categoryorder="array", categoryarray=["a", "b"], autorange="reversed")
    axes = panel(figure)
    assert [label.get_text() for label in axes.get_yticklabels()] == ["a", "b"]
    assert axes.yaxis_inverted()
    np.testing.assert_allclose(np.asarray(axes.collections[0].get_offsets()), [[0.1, 1], [0.2, 0]])
    figure = new_figure("trials", "best")
    figure.add_scatter(
        x=[0, 1, 1], y=[0, 0, 1], fill="toself", fillcolor="rgba(0,114,178,0.18)", line={"width": 0}, name="band"
    )
    figure.add_scatter(x=[0, 1], y=[0, 1], mode="lines", line={"shape": "hv"}, name="best")
    axes = panel(figure)
    assert axes.patches[0].get_alpha() == 0.18
    assert [line.get_drawstyle() for line in axes.lines] == ["steps-post"]


def test_a_table_of_colours_has_its_words() -> None:
    figure = new_figure("taken for", "label")
    look = {"zmin": 0, "zmax": 1, "colorscale": [[0, "#ffffff"], [1, "#08306b"]], "texttemplate": "%{text}"}
    figure.add_heatmap(x=["signal", "other"], y=["cone"], z=[[0.9, 0.1]], text=[["90 %", "10 %"]], **look)
    drawn = to_matplotlib(figure)
    (axes,) = panels_of(drawn)
    (mesh,) = [one for one in axes.collections if isinstance(one, QuadMesh)]
    np.testing.assert_allclose(np.asarray(mesh.get_array()).ravel(), [0.9, 0.1])
    assert [(text.get_text(), text.get_color()) for text in axes.texts] == [("90 %", "white"), ("10 %", "black")]
    assert len(drawn.axes) == 2  # with the bar of colours


def test_panels_share_what_they_shared_and_have_their_titles_lines_and_words() -> None:
    figure = make_subplots(1, 2, shared_yaxes=True, subplot_titles=["one", "two"])
    for column in (1, 2):
        figure.add_scatter(x=[10, 1000], y=[0, column], mode="markers", showlegend=False, row=1, col=column)
        figure.add_hline(0.5, line={"dash": "dash"}, row=1, col=column)
    figure.add_vrect(20, 30, fillcolor="#888888", opacity=0.2, row=1, col=2)
    figure.update_xaxes(type="log", tickformat="~g", dtick=1, col=2)
    figure.add_annotation(x=2, y=0.5, text="here<br>&lt;it&gt;", showarrow=False, row=1, col=2)
    first, second = panels_of(to_matplotlib(figure))
    assert [axes.get_title() for axes in (first, second)] == ["one", "two"]
    assert first.get_ylim() == second.get_ylim()
    assert [axes.lines[0].get_ydata() for axes in (first, second)] == [[0.5, 0.5]] * 2
    assert second.patches[0].get_extents().width > 0
    assert (second.texts[0].get_text(), second.texts[0].xy) == ("here\n<it>", (100, 0.5))  # type: ignore[attr-defined]
    assert first.get_xscale() == "linear"


def test_an_empty_panel_is_not_drawn_and_one_trace_needs_no_legend() -> None:
    figure = make_subplots(1, 2)
    figure.add_scatter(x=[1, 2], y=[1, 2], name="alone", row=1, col=1)
    drawn = to_matplotlib(figure)
    assert [axes.get_visible() for axes in panels_of(drawn)] == [True, False]
    assert legend(drawn) == []


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda figure: figure.add_pie(values=[1, 2]), "a trace must be"),
        (lambda figure: figure.add_scatter(x=[1], y=[1], mode="text"), "a mode must be"),
        (lambda figure: figure.add_scatter(x=[1], y=[1], mode="markers", marker={"symbol": "bowtie"}), "a symbol must be"),
        (lambda figure: figure.add_scatter(x=[1, 2], y=[1, 2], mode="lines", line={"dash": "5px"}), "a dash must be"),
        (lambda figure: figure.add_scatter(x=[1, 2], y=[1, 2], fill="tonextx"), "an area must be"),
        (lambda figure: figure.add_shape(type="circle", x0=0, x1=1, y0=0, y1=1), "a shape must be"),
        (lambda figure: figure.add_annotation(text="?", xref="paper", x=0, y=0), "must be in a panel"),
    ],
)
def test_what_cannot_be_translated_is_refused(change: Callable[[go.Figure], Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        to_matplotlib(change(new_figure("x", "y").add_scatter(x=[1, 2], y=[1, 2])))


def test_words_and_colours_of_a_page() -> None:
    assert words("<b>a</b><br>x &lt; y, $5") == "a\nx < y, \\$5"
    assert words(None) == ""
    assert colour("rgba(0,255,0,0.5)", 0.5) == ((0, 1, 0), 0.25)
    assert colour(None) == ("black", 1)


def test_every_figure_of_a_report_is_translated_mark_by_mark(finished: Study) -> None:
    searched, selected = read_subject(finished), selected_subject()
    curves = trial_with_curves(3, ("collapsed", "diverged", "learned"))
    subjects = replace(searched, trials=(*searched.trials, curves)), replace(selected, trials=(*selected.trials, curves))
    sections = [section for subject in subjects for section in make_sections(subject)]
    drawings = [part for section in sections for part in section.parts if isinstance(part, Drawing)]
    assert {"answer-readings", "rungs", "loss-curves", "acceptance-curve", "race"} <= {drawing.name for drawing in drawings}
    for drawing in drawings:
        drawn, data = to_matplotlib(drawing.figure), drawing.figure.data
        marked = [trace for trace in data if trace.type == "scatter" and "markers" in (trace.mode or "")]
        shown = [len(trace.x) for trace in marked if any(value is not None for value in trace.x)]
        scattered = [one for axes in panels_of(drawn) for one in axes.collections if isinstance(one, PathCollection)]
        assert sorted(len(np.asarray(one.get_offsets())) for one in scattered) == sorted(shown), drawing.name
        assert set(legend(drawn)) <= {words(trace.name) for trace in data}
