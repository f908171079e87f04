"""Draw efficiency and purity against the score and against the distance. Knows nothing of how the numbers came about."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import plotly.graph_objects as go
from plotly.subplots import make_subplots

from scan.comparison import Comparison, CurvePoint
from scan.intervals import Estimate
from scan.match import RULES

# Told apart also by those who see no red or no green (Okabe and Ito 2008), and by line and symbol.
EFFICIENCY, PURITY = "#0072B2", "#D55E00"
IN_USE = "#666666"


def match_figure(name: str, comparison: Comparison) -> go.Figure:
    """Draw both curves, each with bands of 95 %; without scores that against the distance alone."""
    has_scores = bool(comparison.by_score)
    chart = make_subplots(1, 1 + has_scores, shared_yaxes=True, horizontal_spacing=0.05)
    if has_scores:
        _add(chart, comparison.by_score, 1)
        chart.update_xaxes(title=f"least score P(signal) of a hit,<br>within {comparison.radius:g} pixels", row=1, col=1)
        if comparison.threshold is not None:
            _mark(chart, comparison.threshold, "hits that count", 1)
    column = 1 + has_scores
    _add(chart, comparison.by_distance, column, legend=not has_scores)
    chart.update_xaxes(title="distance within which a hit<br>finds a place, pixels", row=1, col=column)
    _mark(chart, comparison.radius, "radius", column)
    matched = comparison.match
    chart.update_layout(
        template="plotly_white",
        title={
            "text": f"{name}: {matched.found} of {matched.found + matched.missed} places found, {matched.false} false hits"
            f"<br><sup>{RULES[matched.rule]}; {'on the foil' if comparison.on_foil else 'on frames'}</sup>"
        },
        legend={"orientation": "h", "yanchor": "top", "y": -0.15, "x": 0},
        margin={"t": 90, "b": 60, "l": 70, "r": 30},
        font={"size": 14},
    )
    chart.update_yaxes(range=[0, 1.03])
    chart.update_yaxes(title="share [95 % interval]", row=1, col=1)
    return chart


def _add(chart: go.Figure, points: Sequence[CurvePoint], column: int, *, legend: bool = True) -> None:
    _line(chart, points, "efficiency: found of the places", lambda point: point.efficiency, EFFICIENCY, column, legend=legend)
    _line(
        chart, points, "purity: found of found and false", lambda point: point.purity, PURITY, column, legend=legend, dash="dot"
    )


def _line(
    chart: go.Figure,
    points: Sequence[CurvePoint],
    name: str,
    of: Callable[[CurvePoint], Estimate | None],
    color: str,
    column: int,
    *,
    legend: bool,
    dash: str = "solid",
) -> None:
    """Add a line, and its interval as a band behind it."""
    shown = [(point.at, estimate) for point in points if (estimate := of(point)) is not None]
    across = [at for at, _ in shown]
    place = {"row": 1, "col": column}
    chart.add_scatter(
        x=[*across, *reversed(across)],
        y=[*(one.high for _, one in shown), *(one.low for _, one in reversed(shown))],
        fill="toself",
        fillcolor=color,
        opacity=0.15,
        line={"width": 0},
        mode="lines",
        hoverinfo="skip",
        showlegend=False,
        **place,
    )
    chart.add_scatter(
        x=across,
        y=[one.value for _, one in shown],
        mode="lines+markers",
        name=name,
        legendgroup=name,
        showlegend=legend,
        line={"color": color, "dash": dash},
        marker={"symbol": "circle" if dash == "solid" else "diamond", "size": 6},
        text=[f"{at:.4g}: {one}" for at, one in shown],
        hoverinfo="text+name",
        **place,
    )


def _mark(chart: go.Figure, at: float, words: str, column: int) -> None:
    chart.add_vline(
        x=at,
        line={"color": IN_USE, "dash": "dash", "width": 1},
        annotation={"text": words, "yanchor": "bottom"},
        row=1,
        col=column,
    )
