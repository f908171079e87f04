"""Draw acceptances with their intervals below one another: of candidates in a race, and of one model by how it was measured."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import plotly.graph_objects as go
from plotly.subplots import make_subplots

from search.report.figures.style import BLUE, GREEN, GREY, LIGHT, ORANGE, VERMILION, compact, literal, new_figure
from search.statistics.intervals import Share

# Pixels of a row, and of what lies around the rows.
ROW, AROUND = 38, 120


@dataclass(frozen=True)
class Reading:
    """An acceptance, by how it was measured."""

    # Where it comes from, as the axis says it.
    words: str
    acceptance: Share
    # Whether it is the number to quote.
    quoted: bool = False
    # Whether it is of the network in use, which others are compared with.
    in_use: bool = False


@dataclass(frozen=True)
class Racer:
    """A configuration in a race."""

    # Its trial.
    number: int
    # How the axis names it.
    words: str
    # `winner`, `kept`, `dropped` or `ran`, where nothing was selected yet.
    fate: str
    # The acceptance that the search chose it for, and that on fresh splits; None where that is not known.
    searched: Share
    confirmed: Share | None
    # The mean acceptance of the folds, in each repeat.
    repeats: tuple[float, ...]
    # The probability that a training learns; None where no training has ended.
    reliability: Share | None


# Colour and symbol of each fate.
FATES = {
    "winner": (GREEN, "star"),
    "kept": (BLUE, "circle"),
    "ran": (BLUE, "circle"),
    "dropped": (VERMILION, "x"),
}


def readings(shown: Sequence[Reading], working_point: float) -> go.Figure:
    """Draw acceptances with their 90 % intervals, the first on top."""
    figure = new_figure(
        f"signal acceptance at {working_point:.0%} false positives [90 % interval]", "", len(shown) * ROW + AROUND
    )
    kinds = (
        ("other measurements", BLUE, "circle", [one for one in shown if not (one.quoted or one.in_use)]),
        ("the number to quote", GREEN, "star", [one for one in shown if one.quoted]),
        ("the network in use", GREY, "diamond", [one for one in shown if one.in_use]),
    )
    for name, colour, symbol, group in kinds:
        if group:
            _intervals(figure, [literal(one.words) for one in group], [one.acceptance for one in group], colour, symbol, name)
    figure.update_yaxes(categoryorder="array", categoryarray=[literal(one.words) for one in reversed(shown)])
    return figure


def race(racers: Sequence[Racer], bar: float, working_point: float) -> go.Figure:
    """Draw the candidates of a race, the best on top: acceptance on fresh splits beside reliability, with their 90 % intervals.

    `bar`: what the lower bound of a reliability has to pass.
    """
    figure = make_subplots(rows=1, cols=2, shared_yaxes=True, column_widths=[0.62, 0.38], horizontal_spacing=0.04)
    figure.update_layout(template=LIGHT, height=len(racers) * ROW + AROUND + 40)
    figure.update_xaxes(title_text=f"signal acceptance<br>at {working_point:.0%} false positives", col=1)
    figure.update_xaxes(title_text="reliability", range=[-0.05, 1.05], col=2)
    names = [literal(racer.words) for racer in racers]
    figure.add_scatter(
        x=compact(racer.searched.value for racer in racers),
        y=names,
        mode="markers",
        marker={"color": ORANGE, "symbol": "line-ns-open", "size": 14, "line": {"width": 2}},
        name="in the search, which chose by it",
        hovertemplate="%{y}<br>in the search %{x:.3f}<extra></extra>",
        row=1,
        col=1,
    )
    each = [(name, repeat) for name, racer in zip(names, racers, strict=True) for repeat in racer.repeats]
    figure.add_scatter(
        x=compact(repeat for _, repeat in each),
        y=[name for name, _ in each],
        mode="markers",
        marker={"color": GREY, "symbol": "circle-open", "size": 7},
        name="each repeat",
        hovertemplate="%{y}<br>one repeat %{x:.3f}<extra></extra>",
        row=1,
        col=1,
    )
    for fate, (colour, symbol) in FATES.items():
        group = [racer for racer in racers if racer.fate == fate]
        known = [racer for racer in group if racer.confirmed is not None]
        judged = [racer for racer in group if racer.reliability is not None]
        shares = [racer.confirmed for racer in known if racer.confirmed is not None]
        reliable = [racer.reliability for racer in judged if racer.reliability is not None]
        words = "ran to the end" if fate == "ran" else fate
        if known:
            _intervals(figure, [literal(racer.words) for racer in known], shares, colour, symbol, words, col=1)
        if judged:
            places = [literal(racer.words) for racer in judged]
            _intervals(figure, places, reliable, colour, symbol, words, col=2, legend=not known)
    figure.add_vline(x=bar, line={"color": GREY, "dash": "dash", "width": 2}, col=2)
    figure.update_yaxes(categoryorder="array", categoryarray=[*reversed(names)])
    return figure


def _intervals(
    figure: go.Figure,
    places: Sequence[str],
    shares: Sequence[Share],
    colour: str,
    symbol: str,
    name: str,
    *,
    col: int | None = None,
    legend: bool = True,
) -> None:
    where = {} if col is None else {"row": 1, "col": col}
    figure.add_scatter(
        x=compact(share.value for share in shares),
        y=places,
        error_x={
            "type": "data",
            "symmetric": False,
            "array": compact(share.high - share.value for share in shares),
            "arrayminus": compact(share.value - share.low for share in shares),
            "thickness": 2,
            "width": 5,
        },
        mode="markers",
        marker={"color": colour, "symbol": symbol, "size": 12},
        customdata=[str(share) for share in shares],
        hovertemplate="%{y}<br>%{customdata}<extra></extra>",
        name=name,
        legendgroup=name,
        showlegend=legend,
        **where,
    )
