"""Figures of what a data set holds: pits by label, slide and style. Knows no data set."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import plotly.graph_objects as go

from search.report.figures.style import COLOURS, HEIGHT, literal, new_figure

# Fills that tell bars apart in grey, beside their colours.
PATTERNS = ("", "/", ".", "x", "-", "+")


def pit_counts(counts: Mapping[str, Mapping[str, int]], parts: Sequence[str], across: str) -> go.Figure:
    """Draw bars of pits, each in parts.

    `counts`: by bar, then by part; `parts`: all that may be, in their order; `across`: what the bars are.
    """
    figure = new_figure(across, "pits", HEIGHT)
    bars = [literal(bar) for bar in counts]
    for number, part in enumerate(parts):
        if not any(part in in_parts for in_parts in counts.values()):
            continue
        figure.add_bar(
            x=bars,
            y=[in_parts.get(part, 0) for in_parts in counts.values()],
            name=literal(part),
            marker={
                "color": COLOURS[number % len(COLOURS)],
                "pattern": {
                    "shape": PATTERNS[number % len(PATTERNS)],
                    "fillmode": "overlay",
                    "fgcolor": "#ffffff",
                    "fgopacity": 0.8,
                    "solidity": 0.25,
                },
            },
        )
    # Slides are called 24: names, not numbers, on the axis.
    figure.update_xaxes(type="category")
    return figure.update_layout(barmode="stack", bargap=0.25, legend={"traceorder": "normal"})
