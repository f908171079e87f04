"""Draw a learning curve as a page of HTML that holds all it needs. Knows nothing of how the numbers came about."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Sequence
from pathlib import Path

import plotly.graph_objects as go

from search.analysis.learning_curve import Curve, CurvePoint
from search.report.pages import write_figure_page
from search.statistics.intervals import Share

# Told apart also by those who see no red or no green (Okabe and Ito 2008), and by line and symbol.
ACCEPTANCE, RELIABILITY = "#0072B2", "#D55E00"
# Characters of a line of the title that a narrow window shows.
LINE = 80


def figure(curve: Curve) -> go.Figure:
    """Draw acceptance and reliability against the examples of signal, with their intervals."""
    chart = go.Figure()
    acceptance = f"signal acceptance at {curve.plot.working_point:.0%} false positives"
    _add(chart, curve, acceptance, lambda point: point.acceptance, color=ACCEPTANCE, symbol="circle", dash="solid", shift=1.0)
    reliability = "reliability: share of trainings that learned"
    _add(
        chart, curve, reliability, lambda point: point.reliability, color=RELIABILITY, symbol="diamond", dash="dot", shift=1.015
    )
    examples = [point.examples[0] for point in curve.points]
    about = "<br>".join(textwrap.wrap(curve.config.describe(), LINE))
    chart.update_layout(
        template="plotly_white",
        title={"text": f"{curve.name}: learning curve<br><sup>{about}</sup>"},
        legend={"orientation": "h", "yanchor": "top", "y": -0.2, "x": 0},
        margin={"t": 110, "b": 60, "l": 70, "r": 30},
        font={"size": 14},
    )
    chart.update_xaxes(
        title="signal pits in the training half (share of all training pits)",
        type="log",
        tickvals=examples,
        ticktext=[f"{count:.0f}<br>{point.share:.0%}" for count, point in zip(examples, curve.points, strict=True)],
        minor={"ticks": ""},
    )
    chart.update_yaxes(title="share [90 % interval]", rangemode="normal")
    return chart


def write_figure(curve: Curve, path: Path) -> None:
    """Write the figure as one HTML file. Raises StudyError where that is not possible."""
    write_figure_page(figure(curve), "curve", f"{curve.name}: learning curve", path)


def _add(
    chart: go.Figure,
    curve: Curve,
    name: str,
    of: Callable[[CurvePoint], Share],
    *,
    color: str,
    symbol: str,
    dash: str,
    shift: float,
) -> None:
    """Add a line with error bars; `shift` moves it sideways, so that the bars of two lines do not hide one another."""
    shares: Sequence[Share] = [of(point) for point in curve.points]
    chart.add_scatter(
        x=[point.examples[0] * shift for point in curve.points],
        y=[share.value for share in shares],
        error_y={
            "type": "data",
            "symmetric": False,
            "array": [share.high - share.value for share in shares],
            "arrayminus": [share.value - share.low for share in shares],
            "thickness": 1.5,
            "width": 5,
        },
        mode="lines+markers",
        name=name,
        line={"color": color, "dash": dash},
        marker={"symbol": symbol, "size": 9},
        text=[f"{point.share:.0%} of the training pits<br>{_classes(curve, point)}<br>{of(point)}" for point in curve.points],
        hoverinfo="text",
    )


def _classes(curve: Curve, point: CurvePoint) -> str:
    return ", ".join(f"{name} {count:.0f}" for name, count in zip(curve.classes, point.examples, strict=True))
