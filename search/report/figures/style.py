"""How all figures look: colours, symbols and dashes that are told apart in grey too, and one template, light and dark.

A figure is made by `new_figure`, takes its colours from here and sets no background, so that a page can show it in either
template. Knows nothing of what is drawn.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt
import plotly.graph_objects as go

from search.report.colours import BLUE, COLOURS, GREEN, GREY, ORANGE, PURPLE, SKY, VERMILION

__all__ = [
    "BLUE",
    "COLOURS",
    "DARK",
    "DASHES",
    "GREEN",
    "GREY",
    "HEIGHT",
    "LIGHT",
    "ORANGE",
    "PURPLE",
    "SKY",
    "SYMBOLS",
    "VERMILION",
    "compact",
    "literal",
    "new_figure",
]
# The n-th line of a figure has the n-th colour, symbol and dash.
SYMBOLS = ("circle", "diamond", "square", "triangle-up", "cross", "x")
DASHES = ("solid", "dash", "dot", "dashdot", "longdash", "longdashdot")
# Pixels of a figure of one panel.
HEIGHT = 420


def _template(ink: str, grid: str, surface: str) -> go.layout.Template:
    """Make a template. `ink`: of text; `surface`: what lies beneath words that float over a figure."""
    axis = {
        "gridcolor": grid,
        "linecolor": ink,
        "tickcolor": ink,
        "ticks": "outside",
        "showline": True,
        "zeroline": False,
        "automargin": True,
        "title": {"standoff": 10},
    }
    return go.layout.Template(
        layout={
            "paper_bgcolor": "rgba(0,0,0,0)",
            "plot_bgcolor": "rgba(0,0,0,0)",
            "colorway": COLOURS,
            "font": {"family": "system-ui, sans-serif", "size": 14, "color": ink},
            "hoverlabel": {"bgcolor": surface, "bordercolor": grid, "font": {"color": ink}, "align": "left"},
            "legend": {"orientation": "h", "x": 0, "xanchor": "left", "y": 1.02, "yanchor": "bottom"},
            "margin": {"t": 40, "b": 50, "l": 60, "r": 20},
            "xaxis": axis,
            "yaxis": axis,
        }
    )


LIGHT = _template("#1a1a1a", "#dddddd", "#ffffff")
DARK = _template("#e8e8e8", "#3d4247", "#1d2125")


def new_figure(across: str, up: str, height: int = HEIGHT) -> go.Figure:
    """Make an empty figure. `across`, `up`: titles of its axes, with units."""
    figure = go.Figure(layout={"template": LIGHT, "height": height})
    figure.update_xaxes(title_text=across)
    figure.update_yaxes(title_text=up)
    return figure


def compact(values: Iterable[float]) -> npt.NDArray[np.float32]:
    """Give numbers as a figure stores them: four bytes each tell more than a screen shows."""
    return np.fromiter(values, np.float32)


def literal(text: str) -> str:
    """Give text of a data set or a study as plotly shows it as it is, not as markup."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
