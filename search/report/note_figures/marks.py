"""Draw the traces of a plotly figure with matplotlib: lines, marks, areas, error bars, bars and tables of colours.

Knows nothing of axes' titles, of legends or of files.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap, to_rgb
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from models.metrics import Floats
from search.report.note_figures.looks import POINTS, STROKES, Ink, colour, dash, hatch, marker, words

# Traces with more marks than this are pixels in a PDF, which is slow to open otherwise.
MOST_MARKS = 3000
KINDS = ("scatter", "bar", "heatmap")
# plotly's own, where a figure sets none.
LINE, MARK, GAP = 2.0, 6.0, 0.2
FEW = 20
# The share of a colour's brightness above which dark words are written on it.
BRIGHT = 0.5


@dataclass(frozen=True)
class Scale:
    """Where values lie on an axis."""

    # Its names in their order, of an axis of names; None on an axis of numbers.
    names: tuple[str, ...] | None

    def place(self, values: Sequence[Any] | None) -> Floats:
        """Give the places of values; a gap is NaN."""
        known = [] if values is None else list(values)
        if self.names is None:
            return np.array([np.nan if value is None else float(value) for value in known], np.float64)
        order = {name: float(number) for number, name in enumerate(self.names)}
        # A number on an axis of names is a place already.
        places = [order[value] if isinstance(value, str) else np.nan if value is None else float(value) for value in known]
        return np.array(places, np.float64)


@dataclass(frozen=True)
class Panel:
    """Where traces are drawn."""

    axes: Axes
    across: Scale
    up: Scale
    # Of bars: `stack` or `group`; how many stand side by side; how high those so far are, by place.
    bar_mode: str
    bar_count: int
    heights: dict[float, float]
    gap: float


def draw(trace: Any, default: str, panel: Panel, number: int) -> None:
    """Draw a trace of KINDS. `default`: its colour where it sets none; `number`: which of the panel's bars it is.

    Raises ValueError for what is not known here.
    """
    if trace.type == "scatter":
        _draw_scatter(trace, default, panel)
    elif trace.type == "bar":
        _draw_bars(trace, default, panel, number)
    else:
        _draw_heatmap(trace, panel)


def handle(trace: Any, default: str) -> Line2D | Patch:
    """Give what stands for a trace in a legend."""
    name = words(trace.name)
    if trace.type == "bar":
        face, alpha = colour(trace.marker.color or default, trace.opacity)
        return Patch(facecolor=face, alpha=alpha, hatch=hatch(trace.marker.pattern.shape), edgecolor="white", label=name)
    if trace.fill:
        face, alpha = _fill_colour(trace, default)
        return Patch(facecolor=face, alpha=alpha, label=name)
    mode, line, (symbol, filled) = _mode(trace), trace.line, marker(_first(trace.marker.symbol))
    ink = colour(_first(trace.marker.color) or line.color or default)[0]
    return Line2D(
        [],
        [],
        color=colour(line.color)[0] if line.color else ink,
        linestyle=dash(line.dash) if "lines" in mode else "none",
        linewidth=_width(line) * POINTS,
        marker=symbol if "markers" in mode else "none",
        markersize=8 * POINTS * 1.2,
        markerfacecolor=ink if filled else "none",
        markeredgecolor=ink,
        label=name,
    )


def _draw_scatter(trace: Any, default: str, panel: Panel) -> None:
    xs, ys, mode = panel.across.place(trace.x), panel.up.place(trace.y), _mode(trace)
    if trace.fill:
        _draw_area(trace, xs, ys, default, panel.axes)
    if "lines" in mode and _width(trace.line):
        ink, alpha = colour(trace.line.color or default, trace.opacity)
        steps = "steps-post" if trace.line.shape == "hv" else "default"
        width, dashes = _width(trace.line) * POINTS, dash(trace.line.dash)
        panel.axes.plot(xs, ys, color=ink, alpha=alpha, linewidth=width, linestyle=dashes, drawstyle=steps, zorder=2)
    ink, alpha = colour(_first(trace.marker.color) or trace.line.color or default, _both(trace.opacity, trace.marker.opacity))
    for bars, axis in ((trace.error_x, "xerr"), (trace.error_y, "yerr")):
        if bars.array is not None and bars.visible is not False:
            high = np.array(bars.array, np.float64)
            low = high if bars.symmetric is not False or bars.arrayminus is None else np.array(bars.arrayminus, np.float64)
            lengths: Any = {axis: np.array([low, high])}
            panel.axes.errorbar(xs, ys, **lengths, fmt="none", ecolor=ink, elinewidth=1.2, capsize=2.5, zorder=2.5)
    if "markers" in mode and np.isfinite(xs).any():
        symbol, filled = marker(_first(trace.marker.symbol))
        size = trace.marker.size if trace.marker.size is not None else MARK
        area = np.square(np.array(size, np.float64) * POINTS)
        edge = max((trace.marker.line.width or 1.0) * POINTS, 0.8)
        look: dict[str, Any] = (
            {"color": ink} if symbol in STROKES else {"facecolors": ink if filled else "none", "edgecolors": ink}
        )
        many = len(xs) > MOST_MARKS
        panel.axes.scatter(xs, ys, area, marker=symbol, linewidths=edge, alpha=alpha, rasterized=many, zorder=3, **look)


def _draw_area(trace: Any, xs: Floats, ys: Floats, default: str, axes: Axes) -> None:
    face, alpha = _fill_colour(trace, default)
    if trace.fill == "toself":
        axes.fill(xs, ys, facecolor=face, alpha=alpha, linewidth=0, zorder=1)
    elif trace.fill == "tozeroy":
        axes.fill_between(xs, ys, 0, facecolor=face, alpha=alpha, linewidth=0, zorder=1)
    else:
        raise ValueError(f"an area must be filled toself or tozeroy, but got {trace.fill!r}; add it here.")


def _draw_bars(trace: Any, default: str, panel: Panel, number: int) -> None:
    upright = trace.orientation != "h"
    places = (panel.across if upright else panel.up).place(trace.x if upright else trace.y)
    lengths = (panel.up if upright else panel.across).place(trace.y if upright else trace.x)
    ink, alpha = colour(trace.marker.color or default, trace.opacity)
    look: dict[str, Any] = {"color": ink, "alpha": alpha, "hatch": hatch(trace.marker.pattern.shape), "edgecolor": "white"}
    width, before = 1 - panel.gap, np.zeros(len(places))
    if panel.bar_mode == "stack":
        before = np.array([panel.heights.get(place, 0.0) for place in places.tolist()])
        panel.heights.update(zip(places.tolist(), (before + lengths).tolist(), strict=True))
    else:
        width /= panel.bar_count
        places = places + (number - (panel.bar_count - 1) / 2) * width
    if upright:
        panel.axes.bar(places, lengths, width, before, linewidth=0, **look)
    else:
        panel.axes.barh(places, lengths, width, before, linewidth=0, **look)


def _draw_heatmap(trace: Any, panel: Panel) -> None:
    values = np.array([[np.nan if value is None else value for value in row] for row in trace.z], np.float64)
    xs, ys = panel.across.place(trace.x), panel.up.place(trace.y)
    scale = LinearSegmentedColormap.from_list(
        "of the figure", [(float(place), colour(ink)[0]) for place, ink in trace.colorscale]
    )
    mesh = panel.axes.pcolormesh(xs, ys, values, cmap=scale, vmin=trace.zmin, vmax=trace.zmax, edgecolors="white", linewidth=1)
    if trace.texttemplate is not None:
        for y, row, shades in zip(ys, trace.text, values, strict=True):
            for x, text, shade in zip(xs, row, shades, strict=True):
                bright = float(np.mean(to_rgb(mesh.to_rgba(np.array([shade]))[0][:3]))) > BRIGHT
                panel.axes.text(x, y, words(str(text)), ha="center", va="center", color="black" if bright else "white")
    if trace.showscale is not False:
        figure = panel.axes.get_figure(root=True)
        assert figure is not None  # a panel is part of one
        figure.colorbar(mesh, ax=panel.axes, label=words(trace.colorbar.title.text))


def _mode(trace: Any) -> str:
    if trace.mode is not None:
        if "text" in trace.mode:
            raise ValueError(f"a mode must be of lines and markers, but got {trace.mode!r}; add it here.")
        return str(trace.mode)
    return "lines+markers" if trace.x is not None and len(trace.x) < FEW and not trace.fill else "lines"


def _fill_colour(trace: Any, default: str) -> tuple[Ink, float]:
    """Give the colour of an area, half of its line's where it has none, as plotly fills it."""
    if trace.fillcolor is not None:
        return colour(trace.fillcolor, trace.opacity)
    return colour(trace.line.color or default, 0.5 * (trace.opacity if trace.opacity is not None else 1))


def _both(*opacities: float | None) -> float:
    return float(np.prod([1.0 if opacity is None else opacity for opacity in opacities]))


def _width(line: Any) -> float:
    return LINE if line.width is None else float(line.width)


def _first(value: Any) -> Any:
    """Give what marks have in common; of marks that differ, the first's."""
    return value[0] if isinstance(value, tuple | list | np.ndarray) and len(value) else value
