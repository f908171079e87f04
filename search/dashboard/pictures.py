"""Pictures of a trial, as PNG: how its folds learned, and its signal acceptance against its background.

They are drawn when somebody looks, from what the trial recorded. Knows nothing of the dashboard.
"""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from threading import Lock
from typing import Any

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from optuna.trial import FrozenTrial
from sklearn.metrics import roc_curve

from models.metrics import Floats
from models.training.training_curve import TrainingCurve
from models.training.verdicts import Verdict
from search.report.colours import BLUE, GREY, ORANGE, PURPLE, VERMILION
from search.trials.records import RungResult, on_rungs
from search.trials.stored_curves import CURVES, read_curves
from search.trials.stored_scores import SCORES, RungScores, read_scores

# Inches, and dots to an inch: two panels that fit the dashboard's card, and are sharp when they fill the window.
SIZE, DPI = (9.0, 3.8), 120
# The least false-positive rate that is drawn: one of a thousand background pits.
LEAST = 1e-3
# Colour and dash of a training by its verdict, told apart in grey too.
STYLES: Mapping[str, Mapping[str, Any]] = {
    Verdict.LEARNED: {"color": BLUE, "linestyle": "-"},
    Verdict.OVERTRAINED: {"color": ORANGE, "linestyle": (0, (5, 1))},
    Verdict.COLLAPSED: {"color": VERMILION, "linestyle": "--"},
    Verdict.DIVERGED: {"color": PURPLE, "linestyle": "-."},
    Verdict.UNFINISHED: {"color": GREY, "linestyle": "-"},
}
STARTED_AGAIN: Mapping[str, Any] = {"color": GREY, "linestyle": ":"}
# What tells a picture from a file: Optuna's names of files are UUIDs.
PICTURE_ID = re.compile(r"d0-([0-9])-([0-9]{1,18})")
# matplotlib keeps fonts and texts that two threads must not change at once.
_drawing = Lock()


@dataclass(frozen=True)
class Picture:
    """A picture that can be drawn of a trial."""

    # As a file is called.
    file: str
    draw: Callable[[FrozenTrial, RungResult], Figure]
    # Whether a trial recorded what it is drawn from.
    can_draw: Callable[[FrozenTrial], bool]


def draw_png(picture: Picture, trial: FrozenTrial, reached: RungResult) -> bytes:
    """Draw a picture of a trial as PNG."""
    with _drawing, matplotlib.rc_context({"font.size": 9, "axes.spines.top": False, "axes.spines.right": False}):
        stream = io.BytesIO()
        picture.draw(trial, reached).savefig(stream, format="png", dpi=DPI, metadata={"Software": None})
        return stream.getvalue()


def picture_id(number: int, trial_id: int) -> str:
    """Give what a picture of a trial is asked for by."""
    return f"d0-{number}-{trial_id}"


def _draw_curves(trial: FrozenTrial, reached: RungResult) -> Figure:
    """Draw how every fold learned; of a trial without curves, what it reported on its rungs."""
    curves = read_curves(trial)
    figure = Figure(figsize=SIZE, layout="constrained")
    figure.suptitle(f"Trial {trial.number}: learning curves" if curves else f"Trial {trial.number}: rungs")
    if not curves:
        axes = figure.subplots()
        steps, values = zip(*sorted(on_rungs(trial).items()), strict=True)
        axes.plot(steps, values, marker="o", color=BLUE)
        axes.set(xlabel="fold-epochs spent", ylabel="mean signal acceptance", ylim=(-0.02, 1.02))
        return figure
    left, right = figure.subplots(1, 2)
    for curve in curves:
        look = dict(_look(curve, curves, reached))
        left.plot(curve.epochs, _finite(curve.acceptance), **look)
        loss = _relative(curve.train_loss, curve.train_constant)
        right.plot(curve.epochs, loss, **{**look, "alpha": 0.4, "label": None})
        right.plot(curve.epochs, _relative(curve.validation_loss, curve.validation_constant), **look)
    left.set(xlabel="epoch", ylabel="signal acceptance, validation pits", ylim=(-0.02, 1.02))
    right.axhline(1.0, color=GREY, linewidth=0.8)
    right.set(xlabel="epoch", ylabel="loss / loss of predicting the class shares", ylim=(0, 2))
    right.set_title("validation; training is paler", fontsize=8)
    _name_once(left)
    return figure


def _look(curve: TrainingCurve, curves: tuple[TrainingCurve, ...], reached: RungResult) -> Mapping[str, Any]:
    """Give how a training is drawn: by its verdict, unless another took its place."""
    last = max(one.start for one in curves if one.fold == curve.fold)
    if curve.start < last or curve.fold >= len(reached.verdicts):
        return {**STARTED_AGAIN, "label": "started again"}
    verdict = reached.verdicts[curve.fold]
    return {**STYLES.get(verdict, STARTED_AGAIN), "label": verdict}


def _draw_roc(trial: FrozenTrial, reached: RungResult) -> Figure:
    """Draw acceptance against the false-positive rate, a line a fold, their mean, and what is quoted at the working point."""
    scores = read_scores(trial, reached.rung)
    assert scores is not None  # _has_scores
    figure = Figure(figsize=SIZE, layout="constrained")
    figure.suptitle(f"Trial {trial.number}: signal acceptance against background, out of fold, on rung {reached.rung}")
    roc, histogram = figure.subplots(1, 2)
    rates = np.geomspace(LEAST, 1.0, 200)
    lines = [_acceptance_at(rates, *fold) for fold in scores.by_fold() if fold[1].any() and not fold[1].all()]
    for number, line in enumerate(lines):
        roc.plot(rates, line, color=BLUE, alpha=0.35, linewidth=1, label=None if number else "folds")
    if lines:
        roc.plot(rates, np.mean(lines, axis=0), color=BLUE, linewidth=2, label="mean of the folds")
    rate, quoted = 1 - sum(reached.rejection) / len(reached.rejection), reached.quoted.share
    away = [[max(quoted.value - quoted.low, 0)], [max(quoted.high - quoted.value, 0)]]
    roc.errorbar([max(rate, LEAST)], [quoted.value], yerr=away, color=VERMILION, marker="o", capsize=3, label="quoted, 90 %")
    roc.plot(rates, rates, color=GREY, linestyle=":", linewidth=1, label="chance")
    roc.set(xscale="log", xlim=(LEAST, 1), ylim=(-0.02, 1.02), xlabel="false-positive rate", ylabel="signal acceptance")
    _name_once(roc)
    _draw_histogram(histogram, scores)
    return figure


def _draw_histogram(axes: Axes, scores: RungScores) -> None:
    bins = np.linspace(0, 1, 41).tolist()
    for is_signal, words, colour, dash in ((True, "signal", BLUE, "-"), (False, "background", VERMILION, "--")):
        picked = scores.scores[scores.is_scored & (scores.is_signal == is_signal)]
        axes.hist(picked, bins=bins, histtype="step", linewidth=1.5, linestyle=dash, label=words, color=colour)
    axes.set(xlabel="P(signal), out of fold", ylabel="pits", yscale="log")
    _name_once(axes)


def _acceptance_at(rates: Floats, scores: Floats, is_signal: Any) -> Floats:
    """Give the acceptance of a fold at each false-positive rate."""
    false, true, _ = roc_curve(is_signal, scores)
    return np.asarray(np.interp(rates, false, true))


def _relative(losses: tuple[float, ...], constant: float) -> Floats:
    """Give losses as shares of what a constant answer costs; NaN where one exploded."""
    return _finite(losses) / (constant if constant > 0 and np.isfinite(constant) else 1.0)


def _finite(values: tuple[float, ...]) -> Floats:
    array = np.array(values, float)
    return np.where(np.isfinite(array), array, np.nan)


def _name_once(axes: Axes) -> None:
    """Add a legend that names each kind of line once."""
    handles, labels = axes.get_legend_handles_labels()
    named = dict(zip(labels, handles, strict=True))
    axes.legend(list(named.values()), list(named), fontsize=8, frameon=False)


def _has_rungs(trial: FrozenTrial) -> bool:
    return RungResult.name in trial.user_attrs and (CURVES in trial.user_attrs or bool(on_rungs(trial)))


def _has_scores(trial: FrozenTrial) -> bool:
    record = trial.user_attrs.get(RungResult.name)
    return isinstance(record, Mapping) and f"{SCORES}:{record.get('rung')}" in trial.user_attrs


# By number, which files are found by.
PICTURES = (
    Picture("learning-curves.png", _draw_curves, _has_rungs),
    Picture("roc.png", _draw_roc, _has_scores),
)
