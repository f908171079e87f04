"""Draw the history of a search: every trial where it ended, the best so far with its interval, and the rungs of the ladder."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from typing import Literal

import plotly.graph_objects as go

from search.analysis.search_history import Fate, RungCount, SearchHistory
from search.report.figures.style import BLUE, GREEN, GREY, ORANGE, PURPLE, SKY, VERMILION, compact, new_figure
from search.statistics.intervals import Share

# How each fate is drawn: colour, symbol of a point, pattern of a bar.
LOOKS = {
    Fate.COMPLETE: (BLUE, "circle", ""),
    Fate.REVIVED: (GREEN, "triangle-up", "x"),
    Fate.PAUSED: (ORANGE, "square-open", "/"),
    Fate.PRUNED: (PURPLE, "x", "\\"),
    Fate.FAILED: (VERMILION, "x-thin-open", "-"),
    Fate.RUNNING: (SKY, "circle-open", "."),
}
# Searches shorter than this are shown in minutes.
SHORT_HOURS = 3.0


def best_so_far(
    history: SearchHistory, in_use: Share | None, working_point: float, across: Literal["trials", "time"] = "trials"
) -> go.Figure:
    """Draw the best complete trial so far with its 90 % interval, and every trial, marked by how it ended.

    `in_use`: the acceptance of the network in use, a line; `across`: whether along the trials that have ended, or along the
    time since the first one started.
    """
    span = max((trial.hours for trial in history.trials), default=0.0)
    scale, unit = (60.0, "min") if span < SHORT_HOURS else (1.0, "h")
    title = "trials that have ended or are paused" if across == "trials" else f"time since the first trial started [{unit}]"
    figure = new_figure(title, f"signal acceptance at {working_point:.0%} false positives")
    last = max((trial.place for trial in history.trials), default=0) if across == "trials" else span * scale
    where = [float(best.place) if across == "trials" else best.hours * scale for best in history.best]
    if history.best:
        steps = [*where, last]
        shares = [best.acceptance for best in (*history.best, history.best[-1])]
        outline = [*_stairs(steps), *reversed(_stairs(steps))]
        high, low = _held([share.high for share in shares]), _held([share.low for share in shares])
        figure.add_scatter(
            x=compact(outline),
            y=compact([*high, *reversed(low)]),
            mode="lines",
            fill="toself",
            fillcolor="rgba(0,114,178,0.18)",
            line={"width": 0},
            hoverinfo="skip",
            name="90 % interval of the best",
        )
    for fate, (colour, symbol, _) in LOOKS.items():
        trials = [trial for trial in history.trials if trial.fate == fate]
        if trials:
            figure.add_scatter(
                x=compact(float(trial.place) if across == "trials" else trial.hours * scale for trial in trials),
                y=compact(trial.acceptance.value if trial.acceptance is not None else 0.0 for trial in trials),
                mode="markers",
                marker={"color": colour, "symbol": symbol, "size": 8, "line": {"width": 1.5, "color": colour}},
                customdata=[trial.number for trial in trials],
                hovertemplate=f"trial %{{customdata}}, {fate}<br>acceptance %{{y:.3f}}<extra></extra>",
                name=str(fate),
            )
    if history.best:
        figure.add_scatter(
            x=compact(steps),
            y=compact(share.value for share in shares),
            mode="lines",
            line={"color": BLUE, "shape": "hv", "width": 2.5},
            hoverinfo="skip",
            name="best so far",
        )
    if in_use is not None:
        figure.add_scatter(
            x=compact([0.0, last]),
            y=compact([in_use.value, in_use.value]),
            mode="lines",
            line={"color": GREY, "dash": "dash", "width": 2},
            hoverinfo="skip",
            name="the network in use",
        )
    return figure


def _stairs(steps: Sequence[float]) -> list[float]:
    """Give the corners of stairs along the axis: every step but the first twice."""
    return [steps[0], *chain.from_iterable((step, step) for step in steps[1:-1]), steps[-1]] if len(steps) > 1 else [*steps]


def _held(values: Sequence[float]) -> list[float]:
    """Give the heights of the corners: each value is held until the next step."""
    return [*chain.from_iterable((value, value) for value in values[:-1])]


def rung_counts(rungs: Sequence[RungCount]) -> go.Figure:
    """Draw how many trials reached each rung, and how those ended that went no further."""
    figure = new_figure("rung: folds x epochs", "trials", height=340)
    names = [count.rung for count in rungs]
    for fate, (colour, _, pattern) in LOOKS.items():
        if any(count.here.get(fate) for count in rungs):
            figure.add_bar(
                x=names,
                y=[count.here.get(fate, 0) for count in rungs],
                marker={"color": colour, "pattern": {"shape": pattern}},
                name=f"ended here: {fate}" if fate != Fate.PAUSED else "paused here",
                hovertemplate="%{x}: %{y}<extra></extra>",
            )
    figure.add_bar(
        x=names,
        y=[count.climbed for count in rungs],
        marker={"color": GREY},
        name="climbed on",
        hovertemplate="%{x}: %{y}<extra></extra>",
    )
    figure.update_layout(barmode="stack")
    figure.update_xaxes(type="category")
    return figure
