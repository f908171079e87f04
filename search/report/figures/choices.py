"""Figures of what mattered in a search: importances, slices, parallel coordinates, choices side by side. Knows no study."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

from search.analysis.choice_groups import ChoiceGroup, Outcome, SampledAxis, even_place
from search.analysis.importance import Weight
from search.report.figures.acceptance import AROUND, ROW
from search.report.figures.style import COLOURS, GREY, SYMBOLS, compact, literal, new_figure

# Classes of acceptance of the lines of parallel coordinates, dark for the best, so that they read in grey; and their widths.
SHADES, WIDTHS = ("#b9c4cf", "#6fa3cc", "#2171b5", "#D55E00"), (0.7, 0.9, 1.2, 2.2)
# Panels of slices side by side, and the pixels of a row of them.
ABREAST, PANEL = 2, 300


def importances(weights: Sequence[Weight], question: str) -> go.Figure:
    """Draw the weight of each axis with its interval, and what chance gives. `question`: what they weigh for."""
    known = [weight for weight in weights if weight.value is not None]
    figure = new_figure(f"importance for {question}, 0 to 1 [90 %]", "", AROUND + ROW * len(known))
    for number, (name, matters) in enumerate((("matters", True), ("no more than chance", False))):
        shown = [weight for weight in known if weight.matters is matters]
        figure.add_scatter(
            x=compact(weight.value or 0 for weight in shown),
            y=[weight.axis for weight in shown],
            error_x={
                "type": "data",
                "symmetric": False,
                "array": compact((weight.high or 0) - (weight.value or 0) for weight in shown),
                "arrayminus": compact((weight.value or 0) - (weight.low or 0) for weight in shown),
                "thickness": 1.5,
                "width": 4,
            },
            mode="markers",
            name=name,
            marker={"color": (COLOURS[0], GREY)[number], "symbol": ("circle", "circle-open")[number], "size": 10},
        )
    figure.add_scatter(
        x=compact(weight.chance or 0 for weight in known),
        y=[weight.axis for weight in known],
        mode="markers",
        name="what 95 % of axes without effect stay under",
        marker={"color": COLOURS[1], "symbol": "line-ns-open", "size": 14, "line": {"width": 2}},
    )
    figure.update_yaxes(
        type="category", categoryorder="array", categoryarray=[weight.axis for weight in known], autorange="reversed"
    )
    return figure.update_xaxes(rangemode="tozero")


def slices(trials: Sequence[Outcome], axes: Sequence[SampledAxis], working_point: float) -> go.Figure:
    """Draw the acceptance of each trial against its choice on each axis, a panel an axis."""
    rows = -(-len(axes) // ABREAST)
    figure = new_figure("", "", 60 + PANEL * rows)
    figure.set_subplots(rows, min(ABREAST, len(axes)), shared_yaxes=True, horizontal_spacing=0.06, vertical_spacing=0.3 / rows)
    for place, axis in enumerate(axes):
        row, column = divmod(place, ABREAST)
        for number, (name, is_complete) in enumerate((("whole ladder", True), ("pruned or paused, on fewer epochs", False))):
            shown = [one for one in trials if one.number in axis.values and one.is_complete is is_complete]
            figure.add_scatter(
                x=compact(_beside(axis, one) for one in shown),
                y=compact(one.acceptance.value for one in shown),
                mode="markers",
                name=name,
                legendgroup=name,
                showlegend=place == 0,
                marker={
                    "color": (COLOURS[0], GREY)[number],
                    "symbol": ("circle", "x-thin-open")[number],
                    "size": (7, 6)[number],
                    "opacity": 0.8,
                },
                # By the number alone: thousands of lines of text would make the page heavy.
                customdata=np.array([one.number for one in shown], np.int32),
                hovertemplate="trial %{customdata}: %{y:.3f}<extra></extra>",
                row=row + 1,
                col=column + 1,
            )
        ticks = {} if axis.names is None else {"tickvals": [*range(len(axis.names))], "ticktext": [*map(literal, axis.names)]}
        figure.update_xaxes(title_text=axis.name, type="log" if axis.is_log else "linear", row=row + 1, col=column + 1, **ticks)
        if axis.is_log:
            figure.update_xaxes(dtick=1, exponentformat="power", row=row + 1, col=column + 1)
        if column == 0:
            figure.update_yaxes(title_text=f"acceptance at {working_point:.3g}", row=row + 1, col=1)
    return figure.update_yaxes(range=[-0.02, 1.02])


def _beside(axis: SampledAxis, trial: Outcome) -> float:
    """Place a trial on its axis; those of one name lie side by side, or hundreds of them would look like one."""
    value = axis.values[trial.number]
    return value if axis.names is None else value + _spread(trial.number)


def _spread(number: int) -> float:
    """Give a trial a place between -0.3 and 0.3 that is its own: multiples of the golden ratio lie far apart."""
    return 0.6 * ((number * 0.6180339887) % 1.0) - 0.3


def parallel_coordinates(trials: Sequence[Outcome], axes: Sequence[SampledAxis]) -> go.Figure:
    """Draw each complete trial as a line through its choices, the best quarter last and strongest.

    Plain lines, which print and save as any other figure does.
    """
    figure = new_figure("", "", 460)
    complete = sorted((one for one in trials if one.is_complete), key=lambda one: one.acceptance.value)
    for number, members in enumerate(np.array_split(np.array([*range(len(complete))]), len(SHADES))):
        across: list[float | None] = []
        up: list[float | None] = []
        for trial in (complete[place] for place in members):
            heights = [_height(axis, trial) for axis in axes]
            # A line of one trial ends in a gap.
            across += [*(place for place, height in enumerate(heights) if height is not None), len(axes), None]
            up += [*(height for height in heights if height is not None), round(trial.acceptance.value, 4), None]
        if len(members):
            low, high = (complete[place].acceptance.value for place in (members[0], members[-1]))
            figure.add_scatter(
                x=across,
                y=up,
                mode="lines",
                name=f"acceptance {low:.2f} to {high:.2f}",
                line={"color": SHADES[number], "width": WIDTHS[number]},
                hoverinfo="skip",
            )
    for place, axis in enumerate(axes):
        for height, text in _ticks(axis):
            figure.add_annotation(
                x=place, y=height, text=literal(text), showarrow=False, xanchor="left", xshift=4, font_size=11
            )
        figure.add_vline(x=place, line={"color": GREY, "width": 1}, layer="below")
    figure.add_vline(x=len(axes), line={"color": GREY, "width": 1}, layer="below")
    names = [axis.name.replace(".", "<br>", 1) for axis in axes]
    figure.update_xaxes(
        tickvals=[*range(len(axes) + 1)], ticktext=[*names, "acceptance"], range=[-0.2, len(axes) + 0.3], showgrid=False
    )
    return figure.update_yaxes(side="right", range=[-0.05, 1.05], title_text="signal acceptance (last axis)", showgrid=False)


def _height(axis: SampledAxis, trial: Outcome) -> float | None:
    """Place a trial on an axis, 0 to 1; None where the axis does not apply to it."""
    value = axis.values.get(trial.number)
    if value is None:
        return None
    spread = 0.0 if axis.names is None else 0.1 * _spread(trial.number)
    return round(even_place(axis, value) + spread, 4)


def _ticks(axis: SampledAxis) -> list[tuple[float, str]]:
    """Give the names of an axis with their places, or its least and greatest number."""
    if axis.names is not None:
        return [(even_place(axis, place), name) for place, name in enumerate(axis.names)]
    return [(0.0, f"{min(axis.values.values()):.3g}"), (1.0, f"{max(axis.values.values()):.3g}")]


def choices_compared(groups: Sequence[ChoiceGroup], working_point: float) -> go.Figure:
    """Draw the acceptance of every complete trial by its choice, the best with its interval, and the median."""
    known = [group for group in groups if group.complete]
    figure = new_figure(f"signal acceptance, working point {working_point:.3g}", "", AROUND + 34 * len(known))
    rows = [f"{literal(group.name)} ({len(group.complete)} of {group.finished})" for group in known]
    every = [(row, one) for row, group in zip(rows, known, strict=True) for one in group.complete]
    figure.add_scatter(
        x=compact(one.acceptance.value for _, one in every),
        y=[row for row, _ in every],
        mode="markers",
        name="complete trial",
        marker={"color": GREY, "symbol": SYMBOLS[0], "size": 6, "opacity": 0.7},
        customdata=np.array([one.number for _, one in every], np.int32),
        hovertemplate="trial %{customdata}: %{x:.3f}<extra></extra>",
    )
    best = [group.complete[0] for group in known]
    figure.add_scatter(
        x=compact(one.acceptance.value for one in best),
        y=rows,
        error_x={
            "type": "data",
            "symmetric": False,
            "array": compact(one.acceptance.high - one.acceptance.value for one in best),
            "arrayminus": compact(one.acceptance.value - one.acceptance.low for one in best),
            "thickness": 1.5,
            "width": 4,
        },
        mode="markers",
        name="best [90 % interval]",
        marker={"color": COLOURS[0], "symbol": SYMBOLS[1], "size": 10},
        text=[f"trial {one.number}: {one.acceptance}" for one in best],
        hoverinfo="text",
    )
    figure.add_scatter(
        x=compact(group.median or 0.0 for group in known),
        y=rows,
        mode="markers",
        name="median",
        marker={"color": COLOURS[1], "symbol": "line-ns-open", "size": 16, "line": {"width": 3}},
    )
    return figure.update_yaxes(type="category", autorange="reversed").update_xaxes(range=[-0.02, 1.02])
