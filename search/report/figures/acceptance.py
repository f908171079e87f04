"""Figures of scores out of fold: acceptance against false positives, histograms, calibration, parts of the data, confusion.

Knows no study and no data set.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

from search.analysis.acceptance_curves import AcceptanceCurve, AcceptedPart, CalibrationCurve, ScoreHistogram
from search.analysis.confusion import Confusion
from search.report.figures.style import COLOURS, DASHES, GREY, HEIGHT, SYMBOLS, compact, literal, new_figure
from search.statistics.intervals import Share

# Pixels of a row of a figure that lists parts, and of what stands around the rows.
ROW, AROUND = 26, 120
# Bands in one figure, at most; and the factor between the marks of two curves.
BANDS, BESIDE = 2, 1.05


def roc(curves: Sequence[AcceptanceCurve]) -> go.Figure:
    """Draw signal acceptance against the false-positive rate on a log axis, with working points, and bands over trainings.

    More than two bands would hide one another: of more curves none has one.
    """
    figure = new_figure("false-positive rate (1 - background rejection)", "signal acceptance", 480)
    for number, curve in enumerate(curves):
        colour, dash, name = COLOURS[number % len(COLOURS)], DASHES[number % len(DASHES)], literal(curve.name)
        if len(curves) <= BANDS:
            figure.add_scatter(
                x=compact([*curve.rates, *curve.rates[::-1]]),
                y=compact([*curve.low, *curve.high[::-1]]),
                fill="toself",
                fillcolor=colour,
                opacity=0.15,
                line={"width": 0},
                hoverinfo="skip",
                showlegend=False,
                legendgroup=name,
            )
        figure.add_scatter(
            x=compact(curve.rates),
            y=compact(curve.acceptance),
            mode="lines",
            name=name,
            legendgroup=name,
            line={"color": colour, "dash": dash, "width": 2.5},
            hovertemplate="accepts %{y:.3f} at a rate of %{x:.2%}<extra></extra>",
        )
        rates, shares = zip(*curve.points, strict=True)
        figure.add_scatter(
            # Side by side, or the intervals of several curves would hide one another.
            x=[rate * BESIDE**number for rate in rates],
            y=[share.value for share in shares],
            error_y=_bars(shares),
            mode="markers",
            name=f"{name}: working points [90 %]",
            legendgroup=name,
            showlegend=False,
            marker={"color": colour, "symbol": SYMBOLS[number % len(SYMBOLS)], "size": 10},
            text=[f"working point {rate:.3g}: {share}" for rate, share in curve.points],
            hoverinfo="text",
        )
    figure.update_xaxes(type="log", tickformat="~g", dtick=1)
    return figure.update_yaxes(range=[0, 1.02])


def score_histograms(parts: Sequence[ScoreHistogram]) -> go.Figure:
    """Draw how the scores of each label are spread, signal first, on a log axis: the tails decide."""
    figure = new_figure("P(signal), out of fold", "share of the label's pits in a bin (log)", HEIGHT)
    for number, part in enumerate(parts):
        edges = np.linspace(0, 1, len(part.shares) + 1)
        # A bin that holds nothing has no place on a log axis: the line breaks there.
        shares = np.where(part.shares > 0, part.shares, np.nan)
        figure.add_scatter(
            x=compact(edges),
            y=[None if np.isnan(share) else round(float(share), 6) for share in [*shares, shares[-1]]],
            mode="lines",
            name=f"{literal(part.name)} ({part.pits})",
            line={
                "color": COLOURS[number % len(COLOURS)],
                "dash": DASHES[number % len(DASHES)],
                "shape": "hv",
                "width": 3 if number == 0 else 1.8,
            },
        )
    figure.update_yaxes(type="log", dtick=1)
    return figure.update_xaxes(range=[-0.02, 1.02])


def calibration(curves: Sequence[CalibrationCurve]) -> go.Figure:
    """Draw the share of signal against P(signal) in bins of equal counts; on the diagonal P(signal) is a probability."""
    figure = new_figure("mean P(signal) of the bin", "share of signal in the bin [90 % interval]", HEIGHT)
    figure.add_scatter(x=[0, 1], y=[0, 1], mode="lines", name="P(signal) as it should be", line={"color": GREY, "dash": "dash"})
    for number, curve in enumerate(curves):
        figure.add_scatter(
            x=compact(one.mean for one in curve.bins),
            y=compact(one.share.value for one in curve.bins),
            error_y=_bars([one.share for one in curve.bins]),
            mode="lines+markers",
            name=f"{literal(curve.name)} (error {curve.error:.3f})",
            line={"color": COLOURS[number], "dash": DASHES[number], "width": 1.5},
            marker={"symbol": SYMBOLS[number], "size": 9},
        )
    return figure.update_xaxes(range=[-0.02, 1.02]).update_yaxes(range=[-0.02, 1.02])


def accepted_parts(parts: Sequence[AcceptedPart], whole: Share | None, across: str) -> go.Figure:
    """Draw the share accepted of each part with its interval, and of all as a line. `across`: what is accepted."""
    figure = new_figure(across, "", AROUND + ROW * len(parts))
    if whole is not None:
        figure.add_vline(x=whole.value, line={"color": GREY, "dash": "dash"}, layer="below")
        figure.add_vrect(whole.low, whole.high, fillcolor=GREY, opacity=0.15, line_width=0, layer="below")
    shares = [part.accepted for part in parts]
    figure.add_scatter(
        x=compact(share.value for share in shares),
        y=[f"{literal(part.name)} ({part.pits})" for part in parts],
        error_x=_bars(shares),
        mode="markers",
        marker={"color": COLOURS[0], "symbol": SYMBOLS[0], "size": 9},
        text=[f"{literal(part.name)}: {part.accepted} of {part.pits} pits" for part in parts],
        hoverinfo="text",
        showlegend=False,
    )
    figure.update_yaxes(type="category", autorange="reversed")
    return figure.update_xaxes(range=[-0.02, 1.02])


def confusion(table: Confusion) -> go.Figure:
    """Draw the share of each label's pits that is taken for each class, with their number."""
    figure = new_figure("taken for", "label", AROUND + 46 * len(table.labels))
    figure.add_heatmap(
        x=[literal(name) for name in table.classes],
        y=[literal(name) for name in table.labels],
        z=table.shares.round(3).tolist(),
        text=[
            [f"{share:.0%} ({count})" for share, count in zip(*row, strict=True)]
            for row in zip(table.shares, table.counts, strict=True)
        ],
        texttemplate="%{text}",
        zmin=0,
        zmax=1,
        # Light to dark, so that it reads in grey, too.
        colorscale=[[0, "#f7fbff"], [0.6, "#9ecae1"], [1, "#08306b"]],
        colorbar={"title": {"text": "share of the label", "side": "right"}, "tickformat": ".0%"},
        xgap=2,
        ygap=2,
        hovertemplate="%{y} taken for %{x}: %{text}<extra></extra>",
    )
    figure.update_xaxes(type="category", showgrid=False)
    return figure.update_yaxes(type="category", autorange="reversed", showgrid=False)


def _bars(shares: Sequence[Share]) -> dict[str, object]:
    """Give the intervals of shares as error bars."""
    return {
        "type": "data",
        "symmetric": False,
        "array": compact(share.high - share.value for share in shares),
        "arrayminus": compact(share.value - share.low for share in shares),
        "thickness": 1.5,
        "width": 4,
    }
