"""Figures of trainings: curves by configuration, how every training ended, and outcomes by fold and by seed."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import plotly.graph_objects as go
from plotly.subplots import make_subplots

from models.training.verdicts import Verdict
from search.analysis.trainings import FoldOutcomes, Panel, Training
from search.report.figures.style import BLUE, GREY, LIGHT, ORANGE, PURPLE, VERMILION, compact
from search.selection.confirmations import Confirmation

# Colour and symbol of each verdict: the symbol tells them apart in grey.
VERDICTS = {
    Verdict.LEARNED.value: (BLUE, "circle"),
    Verdict.COLLAPSED.value: (VERMILION, "x"),
    Verdict.OVERTRAINED.value: (ORANGE, "triangle-up"),
    Verdict.DIVERGED.value: (PURPLE, "diamond"),
    Verdict.UNFINISHED.value: (GREY, "square-open"),
}
COLUMNS = 3
PANEL_HEIGHT, ENDS_HEIGHT = 210, 440
# Losses are relative to the constant predictor's, which knows the shares of the classes alone; axes end here at most.
MOST_LOSS = 10.0
LOSS = "relative loss"
# A legend of its own above panels with titles.
LEGEND = {"orientation": "h", "x": 0, "xanchor": "left", "yanchor": "bottom"}

Values = Callable[[Training], Sequence[float]]


def loss_curves(panels: Sequence[Panel]) -> go.Figure:
    """Draw the losses of both halves, a panel a configuration, a line a training, coloured by its verdict."""
    figure = _panels(panels, LOSS, (("training", "dot", _train_loss), ("validation", "solid", _validation_loss)))
    losses = [
        loss
        for panel in panels
        for one in panel.trainings
        for loss in (*one.train_loss, *one.validation_loss)
        if math.isfinite(loss) and loss > 0
    ]
    ends = min(losses, default=0.1) * 0.9, min(max(losses, default=1.0) * 1.1, MOST_LOSS)
    figure.update_yaxes(type="log", range=[math.log10(end) for end in ends], tickformat="~g", dtick="D2")
    for number in range(len(panels)):
        figure.add_hline(1.0, line={"color": GREY, "width": 1, "dash": "dash"}, **_place(number))
    return figure


def accuracy_curves(panels: Sequence[Panel]) -> go.Figure:
    """Draw the accuracies of both halves, a panel a configuration, a line a training, coloured by its verdict."""
    halves = (("training", "dot", _of("train_accuracy")), ("validation", "solid", _of("validation_accuracy")))
    return _panels(panels, "accuracy", halves)


def acceptance_curves(panels: Sequence[Panel], working_point: float) -> go.Figure:
    """Draw the acceptance on the validation pits, a panel a configuration, a line a training, coloured by its verdict."""
    figure = _panels(panels, f"acceptance at {working_point:.0%}", (("validation", "solid", _of("acceptance")),))
    figure.update_yaxes(range=[-0.03, 1.03])
    return figure


def training_ends(trainings: Sequence[Training]) -> go.Figure:
    """Draw training against validation accuracy, and loss, of every training at its last epoch, marked by its verdict."""
    figure = make_subplots(1, 2, horizontal_spacing=0.11, figure=go.Figure(layout={"template": LIGHT, "height": ENDS_HEIGHT}))
    sides: tuple[tuple[Values, Values], ...] = (
        (_of("train_accuracy"), _of("validation_accuracy")),
        (_train_loss, _validation_loss),
    )
    for verdict, (colour, symbol) in VERDICTS.items():
        for column, (across, up) in enumerate(sides, start=1):
            ends = [(across(one)[-1], up(one)[-1], one) for one in trainings if one.verdict == verdict]
            ends = [end for end in ends if math.isfinite(end[0]) and math.isfinite(end[1])]
            if ends:
                figure.add_scatter(
                    x=compact(end[0] for end in ends),
                    y=compact(end[1] for end in ends),
                    customdata=[[one.trial, one.curve.fold, one.curve.epochs[-1]] for _, _, one in ends],
                    mode="markers",
                    name=verdict,
                    legendgroup=verdict,
                    showlegend=column == 1 or all(not math.isfinite(_of("train_accuracy")(end[2])[-1]) for end in ends),
                    marker={"color": colour, "symbol": symbol, "size": 7, "opacity": 0.7},
                    hovertemplate="trial %{customdata[0]}, fold %{customdata[1]}, epoch %{customdata[2]}<br>"
                    "training %{x:.3g}, validation %{y:.3g}",
                    row=1,
                    col=column,
                )
    figure.update_xaxes(title_text="training accuracy", row=1, col=1)
    figure.update_yaxes(title_text="validation accuracy", row=1, col=1)
    figure.update_xaxes(title_text=f"training {LOSS}", type="log", tickformat="~g", dtick="D2", row=1, col=2)
    figure.update_yaxes(title_text=f"validation {LOSS}", type="log", tickformat="~g", dtick="D2", row=1, col=2)
    return figure


def outcomes_by_fold(outcomes: Sequence[FoldOutcomes]) -> go.Figure:
    """Draw the share of trainings that learned in each fold, with its 90 % interval."""
    figure = go.Figure(layout={"template": LIGHT, "height": 320})
    shares = [one.share for one in outcomes]
    figure.add_scatter(
        x=[f"fold {one.fold}" for one in outcomes],
        y=compact(share.value for share in shares),
        error_y={
            "type": "data",
            "symmetric": False,
            "array": compact(share.high - share.value for share in shares),
            "arrayminus": compact(share.value - share.low for share in shares),
        },
        mode="markers",
        marker={"color": BLUE, "size": 10},
        text=[f"{one.learned} of {one.trainings}" for one in outcomes],
        hovertemplate="%{text} learned",
        showlegend=False,
    )
    figure.update_xaxes(title_text="fold of the study's split")
    figure.update_yaxes(title_text="share of trainings that learned", range=[-0.03, 1.03])
    return figure


def seed_outcomes(confirmations: Sequence[tuple[int, int, Confirmation]], working_point: float) -> go.Figure:
    """Draw the acceptance of every fold of every confirmation, seed by seed; `confirmations`: by trial and repeat."""
    figure = go.Figure(layout={"template": LIGHT, "height": 380})
    trials = list(dict.fromkeys(trial for trial, _, _ in confirmations))
    repeats = 1 + max((repeat for _, repeat, _ in confirmations), default=0)
    for verdict, (colour, symbol) in VERDICTS.items():
        points = [
            (trials.index(trial) + 0.7 * ((repeat + 0.5) / repeats - 0.5), accepted / max(signals, 1), trial, repeat, fold)
            for trial, repeat, one in confirmations
            for fold, (accepted, signals) in enumerate(zip(one.accepted, one.signals, strict=True))
            if one.verdicts[fold] == verdict
        ]
        if points:
            figure.add_scatter(
                x=compact(point[0] for point in points),
                y=compact(point[1] for point in points),
                customdata=[point[2:] for point in points],
                mode="markers",
                name=verdict,
                marker={"color": colour, "symbol": symbol, "size": 8, "opacity": 0.8},
                hovertemplate="trial %{customdata[0]}, repeat %{customdata[1]}, fold %{customdata[2]}<br>acceptance %{y:.3f}",
            )
    names = [f"trial {trial}" for trial in trials]
    figure.update_xaxes(
        title_text="confirmed trial, its repeats side by side, each with a split and seeds of its own",
        tickvals=list(range(len(trials))),
        ticktext=names,
        range=[-0.5, len(trials) - 0.5],
    )
    figure.update_yaxes(title_text=f"acceptance of a fold at {working_point:.0%}", range=[-0.03, 1.03])
    return figure


def _panels(panels: Sequence[Panel], up: str, halves: Sequence[tuple[str, str, Values]]) -> go.Figure:
    """Draw a panel a configuration. `halves`: for each half its name, its dash and its values; the last has the marks."""
    columns, rows = min(COLUMNS, max(len(panels), 1)), math.ceil(max(len(panels), 1) / COLUMNS)
    height = 130 + rows * PANEL_HEIGHT
    figure = make_subplots(
        rows,
        columns,
        shared_xaxes="all",
        shared_yaxes="all",
        horizontal_spacing=0.03,
        vertical_spacing=60 / height,
        subplot_titles=[f"{_numbers(panel.trials)}: {panel.reason}" for panel in panels],
        figure=go.Figure(layout={"template": LIGHT, "height": height, "margin": {"t": 90}}),
    )
    figure.update_annotations(font_size=13)
    present = {training.verdict for panel in panels for training in panel.trainings}
    for verdict, (colour, symbol) in VERDICTS.items():
        if verdict in present:
            look = {"line": {"color": colour}, "marker": {"color": colour, "symbol": symbol, "size": 8}}
            figure.add_scatter(x=[None], y=[None], mode="lines+markers", name=verdict, **look)
    for name, dash, _ in halves if len(halves) > 1 else ():
        figure.add_scatter(x=[None], y=[None], mode="lines", name=name, line={"color": GREY, "dash": dash})
    for number, panel in enumerate(panels):
        for verdict, (colour, symbol) in VERDICTS.items():
            trainings = [training for training in panel.trainings if training.verdict == verdict]
            for _, dash, values in halves:
                _add_lines(figure, number, trainings, values, {"color": colour, "width": 1.3, "dash": dash})
            _add_ends(figure, number, trainings, halves[-1][2], {"color": colour, "symbol": symbol, "size": 8})
    figure.update_layout(legend={**LEGEND, "y": 1 + 34 / (height - 140)})
    for column in range(1, columns + 1):
        figure.update_xaxes(title_text="epoch", row=math.ceil((len(panels) - column + 1) / columns), col=column)
        figure.update_xaxes(showticklabels=True, row=math.ceil((len(panels) - column + 1) / columns), col=column)
    for row in range(1, rows + 1):
        figure.update_yaxes(title_text=up, title_font_size=12, row=row, col=1)
    return figure


def _add_lines(figure: go.Figure, number: int, trainings: Sequence[Training], values: Values, line: dict[str, Any]) -> None:
    """Add the lines of some trainings to a panel, as one trace with gaps."""
    across, up = list[float](), list[float]()
    for training in trainings:
        finite = [(epoch, value) for epoch, value in zip(training.curve.epochs, values(training), strict=True) if _shown(value)]
        if finite:
            across += [*(float(epoch) for epoch, _ in finite), math.nan]
            up += [*(value for _, value in finite), math.nan]
    if across:
        figure.add_scatter(
            x=compact(across[:-1]),
            y=compact(up[:-1]),
            mode="lines",
            line=line,
            connectgaps=False,
            showlegend=False,
            hoverinfo="skip",
            **_place(number),
        )


def _add_ends(figure: go.Figure, number: int, trainings: Sequence[Training], values: Values, marker: dict[str, Any]) -> None:
    """Mark where the trainings of a panel end."""
    ends = [(one.curve.epochs[-1], values(one)[-1], one) for one in trainings if _shown(values(one)[-1])]
    if ends:
        figure.add_scatter(
            x=[end[0] for end in ends],
            y=compact(end[1] for end in ends),
            customdata=[[one.trial, one.curve.fold] for _, _, one in ends],
            mode="markers",
            marker=marker,
            showlegend=False,
            hovertemplate="trial %{customdata[0]}, fold %{customdata[1]}, epoch %{x}: %{y:.3g}",
            **_place(number),
        )


def _place(number: int) -> dict[str, Any]:
    return {"row": number // COLUMNS + 1, "col": number % COLUMNS + 1}


def _shown(value: float) -> bool:
    return math.isfinite(value)


def _numbers(trials: Sequence[int]) -> str:
    listed = ", ".join(map(str, trials[:3]))
    return f"trial{'s' * (len(trials) > 1)} {listed}{', ...' if len(trials) > 3 else ''}"


def _of(name: str) -> Values:
    def values(training: Training) -> Sequence[float]:
        shown: Sequence[float] = getattr(training.curve, name)
        return shown

    return values


def _train_loss(training: Training) -> Sequence[float]:
    return training.train_loss


def _validation_loss(training: Training) -> Sequence[float]:
    return training.validation_loss
