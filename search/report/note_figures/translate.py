"""Translate a plotly figure to matplotlib: its panels, axes, lines across, words and legend.

It takes what the figures of a report use, and refuses anything else, so that nothing is left out of a note unseen.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal

import numpy as np
import plotly.graph_objects as go
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullFormatter, NullLocator, PercentFormatter

from search.report.figures.style import COLOURS, HEIGHT
from search.report.note_figures.looks import ALIGNMENTS, HEIGHTS, PIXELS, POINTS, colour, dash, words
from search.report.note_figures.marks import GAP, KINDS, LINE, Panel, Scale, draw, handle

# Inches: of a figure across, and of a row of its legend; letters that stand side by side.
WIDTH, LEGEND_ROW, LETTERS = 10.0, 0.27, 125
# What plotly calls the ticks within a decade.
WITHIN_DECADE = {"D1": tuple(range(1, 10)), "D2": (1, 2, 5)}


def to_matplotlib(figure: go.Figure) -> Figure:
    """Give a figure as matplotlib draws it. Raises ValueError for what cannot be translated."""
    for trace in figure.data:
        if trace.type not in KINDS:
            raise ValueError(f"a trace must be a {' or '.join(KINDS)}, but got {trace.type!r}; add it to those.")
    layout, handles = figure.layout, _handles(figure)
    letters = [len(one.get_label()) + 7 for one in handles]
    columns = len(handles) if sum(letters) <= LETTERS else max(1, LETTERS // max(letters))
    height = (layout.height or HEIGHT) / PIXELS + LEGEND_ROW * -(-len(handles) // max(columns, 1))
    drawn = Figure((WIDTH, height), layout="constrained")
    panels = _make_panels(figure, drawn)
    count = dict.fromkeys(panels, 0)
    for number, trace in enumerate(figure.data):
        place = _place_of(trace)
        draw(trace, COLOURS[number % len(COLOURS)], panels[place], count[place])
        count[place] += trace.type == "bar"
    for place, panel in panels.items():
        _set_axis(panel.axes, "x", _axis(layout, place[0]), panel.across)
        _set_axis(panel.axes, "y", _axis(layout, place[1]), panel.up)
    for panel in panels.values():
        panel.axes.set_visible(panel.axes.has_data())
    for shape in layout.shapes:
        _draw_shape(shape, panels)
    for note in layout.annotations:
        _write(note, panels, layout)
    if handles:
        drawn.legend(handles=handles, loc="outside upper left", ncols=columns, borderpad=0.2, columnspacing=1.5)
    return drawn


def _make_panels(figure: go.Figure, drawn: Figure) -> dict[tuple[str, str], Panel]:
    """Lay out the panels as a grid, by the names of their axes; axes that match share their range."""
    layout = figure.layout
    # A layout gives its keys in any order, and a note has the same bytes every time.
    names = sorted((key for key in layout if key.startswith("xaxis")), key=lambda key: int(key[5:] or 1)) or ["xaxis"]
    places = [(f"x{key[5:]}", layout[key].anchor or f"y{key[5:]}") for key in names]
    places = list(dict.fromkeys([*places, *map(_place_of, figure.data)]))
    across = sorted({_domain(layout, x) for x, _ in places})
    up = sorted({_domain(layout, y) for _, y in places}, reverse=True)
    widths, heights = ([end - start for start, end in domains] for domains in (across, up))
    grid = drawn.add_gridspec(len(up), len(across), width_ratios=widths, height_ratios=heights)
    shared: dict[str, Axes] = {}
    panels = {}
    for x, y in places:
        roots = _root(layout, x), _root(layout, y)
        cell = grid[up.index(_domain(layout, y)), across.index(_domain(layout, x))]
        axes = drawn.add_subplot(cell, sharex=shared.get(roots[0]), sharey=shared.get(roots[1]))
        for root in roots:
            shared.setdefault(root, axes)
        bars = sum(trace.type == "bar" and _place_of(trace) == (x, y) for trace in figure.data)
        gap = GAP if layout.bargap is None else float(layout.bargap)
        panels[x, y] = Panel(axes, _scale(figure, x), _scale(figure, y), layout.barmode or "group", max(bars, 1), {}, gap)
    return panels


def _scale(figure: go.Figure, name: str) -> Scale:
    """Give the scale of an axis: of names where its values are such."""
    root, axis, side = _root(figure.layout, name), _axis(figure.layout, name), name[0]
    values = [
        value
        for trace in figure.data
        if _root(figure.layout, _place_of(trace)[side == "y"]) == root
        for value in (trace[side] if trace[side] is not None else ())
    ]
    if axis.type != "category" and not any(isinstance(value, str) for value in values):
        return Scale(None)
    ordered = list(axis.categoryarray) if axis.categoryarray is not None else []
    return Scale(tuple(dict.fromkeys([*ordered, *(str(value) for value in values if isinstance(value, str))])))


def _set_axis(axes: Axes, name: Literal["x", "y"], plan: Any, scale: Scale) -> None:
    """Set title, range and ticks of an axis."""
    axis: Axis = axes.xaxis if name == "x" else axes.yaxis
    set_range = axes.set_xlim if name == "x" else axes.set_ylim
    if plan.type == "log":
        axes.set_xscale("log") if name == "x" else axes.set_yscale("log")
        if plan.dtick in WITHIN_DECADE:
            axis.set_major_locator(LogLocator(subs=WITHIN_DECADE[plan.dtick]))
            axis.set_minor_formatter(NullFormatter())
        if "g" in (plan.tickformat or ""):
            axis.set_major_formatter("{x:g}")
    axis.set_label_text(words(plan.title.text))
    if scale.names is not None:
        upright = name == "x" and sum(len(text) + 3 for text in scale.names) > LETTERS
        axis.set_ticks(np.arange(len(scale.names)), [words(text) for text in scale.names], rotation=90 if upright else 0)
        set_range(-0.5, len(scale.names) - 0.5)
    if plan.tickvals is not None:
        labels = None if plan.ticktext is None else [words(str(text)) for text in plan.ticktext]
        axis.set_ticks(np.array(plan.tickvals, np.float64), labels)
    if scale.names is not None or plan.ticktext is not None:
        axis.set_minor_locator(NullLocator())
    elif plan.tickformat is not None and plan.tickformat.endswith("%"):
        axis.set_major_formatter(PercentFormatter(1.0, decimals=int(plan.tickformat.strip(".~%") or 0)))
    if plan.range is not None:
        ends = [float(end) for end in plan.range]
        set_range(*(10**end for end in ends) if plan.type == "log" else ends)
    elif plan.rangemode == "tozero":
        set_range(0, None)
    if plan.autorange == "reversed":
        axis.set_inverted(True)
    if plan.side == "right":
        axes.yaxis.tick_right()
        axes.yaxis.set_label_position("right")
    if plan.showticklabels is False:
        axes.tick_params(axis=name, labelbottom=False, labelleft=False)


def _draw_shape(shape: Any, panels: dict[tuple[str, str], Panel]) -> None:
    """Draw a line or a band across a panel. Raises ValueError for another shape."""
    panel = _panel_of(shape.xref, shape.yref, panels)
    x_axis, y_axis = (str(shape.xref).endswith("domain"), str(shape.yref).endswith("domain"))
    depth = 0.5 if shape.layer == "below" else 2.2
    ink, alpha = colour(shape.line.color, shape.opacity)
    width = LINE if shape.line.width is None else float(shape.line.width)
    look: dict[str, Any] = {"color": ink, "alpha": alpha, "linewidth": width * POINTS, "linestyle": dash(shape.line.dash)}
    face, shade = colour(shape.fillcolor, shape.opacity)
    if shape.type == "line" and y_axis:
        panel.axes.axvline(shape.x0, zorder=depth, **look)
    elif shape.type == "line" and x_axis:
        panel.axes.axhline(shape.y0, zorder=depth, **look)
    elif shape.type == "rect" and y_axis:
        panel.axes.axvspan(shape.x0, shape.x1, color=face, alpha=shade, linewidth=0, zorder=depth)
    elif shape.type == "rect" and x_axis:
        panel.axes.axhspan(shape.y0, shape.y1, color=face, alpha=shade, linewidth=0, zorder=depth)
    else:
        raise ValueError(f"a shape must be a line or a band across a panel, but got {shape.type!r}; add it here.")


def _write(note: Any, panels: dict[tuple[str, str], Panel], layout: Any) -> None:
    """Write words over a panel, as its title where they stand above it, or at a place within."""
    if note.xref == "paper" and note.yref == "paper":
        tops = {place: (sum(_domain(layout, place[0])) / 2 - note.x, _domain(layout, place[1])[1] - note.y) for place in panels}
        nearest = min(tops, key=lambda place: abs(tops[place][0]) + abs(tops[place][1]))
        panels[nearest].axes.set_title(words(note.text), fontsize="medium")
        return
    panel = _panel_of(note.xref, note.yref, panels)
    logs = _axis(layout, note.xref or "x").type == "log", _axis(layout, note.yref or "y").type == "log"
    values = panel.across.place([note.x])[0], panel.up.place([note.y])[0]
    # plotly gives the places of words, unlike those of marks, as logarithms.
    x, y = (10**value if is_log else value for value, is_log in zip(values, logs, strict=True))
    shift = ((note.xshift or 0) * POINTS, (note.yshift or 0) * POINTS)
    arrow = None
    if note.showarrow is not False:
        shift = ((note.ax or 0) * POINTS, -(note.ay or 0) * POINTS)
        arrow = {"arrowstyle": "->"}
    panel.axes.annotate(
        words(note.text),
        (x, y),
        xytext=shift,
        textcoords="offset points",
        ha=ALIGNMENTS[note.xanchor or "auto"],
        va=HEIGHTS[note.yanchor or "auto"],
        fontsize="small",
        arrowprops=arrow,
    )


def _handles(figure: go.Figure) -> list[Any]:
    """Give what the legend shows: a trace with a name, where there is more than one, or it asks to be shown."""
    if figure.layout.showlegend is False:
        return []
    asked = [trace for trace in figure.data if trace.name and trace.showlegend is not False and trace.type != "heatmap"]
    if len(figure.data) == 1:
        asked = [trace for trace in asked if trace.showlegend]
    default = {id(trace): COLOURS[number % len(COLOURS)] for number, trace in enumerate(figure.data)}
    return [handle(trace, default[id(trace)]) for trace in asked]


def _panel_of(x: str | None, y: str | None, panels: dict[tuple[str, str], Panel]) -> Panel:
    """Find the panel that a shape or words refer to."""
    place = _bare(x or "x"), _bare(y or "y")
    if place not in panels:
        raise ValueError(f"what is drawn over a figure must be in a panel, but got {x!r} and {y!r}; draw it in one.")
    return panels[place]


def _bare(reference: str) -> str:
    return reference.removesuffix(" domain")


def _place_of(trace: Any) -> tuple[str, str]:
    return trace.xaxis or "x", trace.yaxis or "y"


def _axis(layout: Any, name: str) -> Any:
    """Give the layout of an axis by its short name: x2 is xaxis2."""
    return layout[f"{name[0]}axis{name[1:]}"]


def _root(layout: Any, name: str) -> str:
    """Name the axis whose range another takes; itself where it has its own."""
    return _axis(layout, name).matches or name


def _domain(layout: Any, name: str) -> tuple[float, float]:
    domain = _axis(layout, name).domain
    return (0.0, 1.0) if domain is None else (round(domain[0], 6), round(domain[1], 6))


def panels_of(drawn: Figure) -> Iterator[Axes]:
    """Give the panels of a figure that was drawn, colour bars left out."""
    yield from (axes for axes in drawn.axes if axes.get_label() != "<colorbar>")
