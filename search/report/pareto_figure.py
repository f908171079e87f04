"""Draw a Pareto front as a page of HTML that holds all it needs. Knows nothing of how the numbers came about."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import plotly.graph_objects as go

from search.report.pages import write_figure_page
from search.report.pareto_table import second_words
from search.studies.pareto import ParetoTrial
from search.trials.objectives import OBJECTIVES

# Told apart also by those who see no red or no green (Okabe and Ito 2008), and by symbol.
FRONT, IN_USE, OTHERS = "#0072B2", "#D55E00", "#999999"


def figure(name: str, second: str, working_point: float, members: Sequence[ParetoTrial]) -> go.Figure:
    """Draw every complete trial whose folds all learned, the front among them; `second`: the objective beside acceptance."""
    chart = go.Figure()
    front = [member for member in members if member.on_front]
    _add(chart, [member for member in members if not member.on_front and not member.in_use], "other trials", OTHERS, "circle")
    _add(chart, front, "front", FRONT, "circle", line=True)
    _add(chart, [member for member in members if member.in_use], "the network in use", IN_USE, "diamond-open")
    chart.update_layout(
        template="plotly_white",
        title={
            "text": f"{name}: {len(front)} of {len(members)} trials are on the front"
            "<br><sup>complete trials whose folds all learned</sup>"
        },
        legend={"orientation": "h", "yanchor": "top", "y": -0.15, "x": 0},
        margin={"t": 80, "b": 60, "l": 70, "r": 30},
        font={"size": 14},
    )
    if second == "cost":
        chart.update_xaxes(title=OBJECTIVES[second].words, type="log", dtick="D2", tickformat=".2~s")
    else:
        chart.update_xaxes(title=f"{OBJECTIVES[second].words} [90 % interval]")
    chart.update_yaxes(title=f"signal acceptance at {working_point:.0%} false positives [90 % interval]")
    return chart


def write_figure(name: str, second: str, working_point: float, members: Sequence[ParetoTrial], path: Path) -> None:
    """Write the figure as one HTML file. Raises StudyError where that is not possible."""
    write_figure_page(figure(name, second, working_point, members), "front", f"{name}: Pareto front", path)


def _add(chart: go.Figure, shown: Sequence[ParetoTrial], name: str, color: str, symbol: str, *, line: bool = False) -> None:
    """Add trials as points with error bars, those of the front joined by a line of steps: what it reaches at each price."""
    bars = {
        "type": "data",
        "symmetric": False,
        "array": [member.acceptance.high - member.acceptance.value for member in shown],
        "arrayminus": [member.acceptance.value - member.acceptance.low for member in shown],
        "thickness": 1.5 if line else 0.7,
        "width": 5 if line else 3,
    }
    across = [member.interval for member in shown if member.interval is not None]  # all or none
    chart.add_scatter(
        x=[member.second for member in shown],
        y=[member.acceptance.value for member in shown],
        error_y=bars,
        error_x={
            **bars,
            "visible": bool(across),
            "array": [share.high - share.value for share in across],
            "arrayminus": [share.value - share.low for share in across],
        },
        mode="lines+markers" if line else "markers",
        name=name,
        line={"color": color, "shape": "vh", "width": 1.5},
        marker={"symbol": symbol, "size": 14 if symbol == "diamond-open" else 9, "color": color},
        text=[
            f"trial {member.number}<br>acceptance {member.acceptance}<br>{second_words(member)}<br>"
            f"reliability {member.tally}<br>{member.config.describe()}"
            for member in shown
        ],
        hoverinfo="text",
    )
