"""How well the best configuration separates signal: curve, histograms, confusion, parts of the data, calibration.

All of scores out of fold: no network scores a pit that it trained on.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from foils import Dataset
from search import defaults
from search.analysis.acceptance_curves import (
    AcceptanceCurve,
    AcceptedPart,
    acceptance_curve,
    accepted_parts,
    calibration_curve,
    calibrations,
    histograms,
)
from search.analysis.confusion import PASSING, Confusion, confusions
from search.analysis.out_of_fold import ScoredPits, scored_pits
from search.report import figures
from search.report.contents import Drawing, Listing, Part, Section
from search.report.subject import Subject
from search.report.winner import Winner, winner_of
from search.statistics.fitted import pooled_remarks
from search.statistics.intervals import Share
from search.text import counted, sentence

NAME, TITLE = "scores", "How well signal is told from background"
SIGNAL, BACKGROUND, UNSCORED = "signal", "background", "never scored"
# Slides drawn, at most.
SLIDES = 24


def searched_data(subject: Subject) -> Dataset | None:
    """Give the pits that trials may see, where the data is at hand."""
    return None if subject.data is None else subject.plan.search_set(subject.data)


def judged_pits(subject: Subject, data: Dataset | None) -> ScoredPits | None:
    """Give the scores out of fold of the trial that the report is about; `data`: the pits that trials may see."""
    winner = winner_of(subject)
    return None if winner is None else scored_pits(winner.trial, subject.plan, subject.confirmations, data)


def section(subject: Subject) -> Section:
    """Lay out the scores of the winner, or before a selection of the best trial, beside those of the network in use."""
    data, winner = searched_data(subject), winner_of(subject)
    scored = judged_pits(subject, data)
    if winner is None or scored is None:
        missing = "no trial has climbed the whole ladder yet" if winner is None else "the best trial kept none"
        return Section(NAME, TITLE, (f"There are no scores out of fold to show: {missing}.",), ())
    rate = subject.plan.options.working_point
    own = as_selected(acceptance_curve(_curve_name(winner), scored, _rates(rate)), winner)
    curves = [own, *_in_use(subject, winner, data)]
    remarks = pooled_remarks(share for curve in curves for _, share in curve.points)
    labels, order = _labels(scored, data)
    tables = confusions(subject.trials, subject.plan, labels, order)
    parts: list[Part] = [
        _roc(curves),
        _points_table(curves),
        _histograms(scored, labels, order),
        *(_confusion(number, table, rate) for number, table in enumerate(tables)),
        *_parts(scored, own.points[0], labels, order, data),
        _calibration(subject, scored),
    ]
    without = (
        () if data is not None else ("Labels, slides and styles are not told apart, because the data set is not at hand.",)
    )
    return Section(NAME, TITLE, (_sentence(own, scored), *map(sentence, remarks), *without), tuple(parts))


def _rates(working_point: float) -> tuple[float, ...]:
    """Give the working points: the study's own first, then the strict one that a rare signal needs."""
    return tuple(dict.fromkeys((working_point, defaults.STRICT)))


def _curve_name(winner: Winner) -> str:
    return f"{'winner' if winner.is_selected else 'best'}, trial {winner.trial.number}"


def as_selected(curve: AcceptanceCurve, winner: Winner) -> AcceptanceCurve:
    """Quote the acceptance of a selection at the study's working point, where it judged the same scores: a page has one "
    "interval."""
    judged = None if winner.judged is None else winner.judged.confirmed
    (rate, share), *others = curve.points
    if judged is None or not math.isclose(judged.value, share.value, abs_tol=1e-9):
        return curve
    return replace(curve, points=((rate, judged), *others))


def _sentence(curve: AcceptanceCurve, scored: ScoredPits) -> str:
    rate, share = curve.points[0]
    return (
        f"Out of fold the {curve.name}, accepts {share} of {int(scored.signals.sum())} signal pits where it accepts {rate:.3g} "
        f"of {int(scored.backgrounds.sum())} background pits. The scores are of {scored.source}. The interval of 90 % covers "
        "the chance of these pits; it does not cover that the configuration was chosen among many by such pits."
    )


def _in_use(subject: Subject, winner: Winner, data: Dataset | None) -> list[AcceptanceCurve]:
    """Give the curve of the network in use, where that is another trial and kept its scores."""
    if winner.comparison is None or winner.is_in_use:
        return []
    others = scored_pits(winner.comparison.baseline, subject.plan, subject.confirmations, data)
    if others is None:
        return []
    name = f"network in use, trial {others.trial}"
    return [acceptance_curve(name, others, _rates(subject.plan.options.working_point))]


def _roc(curves: Sequence[AcceptanceCurve]) -> Drawing:
    trainings = "; ".join(f"{curve.name}: {counted(curve.trainings, 'training')}" for curve in curves)
    return Drawing(
        "acceptance-curve",
        "Signal acceptance against background",
        figures.roc(curves),
        "Further up and to the left is better. The line is the mean over the cross-validations; the band holds 90 % of the "
        f"single trainings ({trainings}), a fold of a cross-validation each. Marks are the working points with their interval "
        "over pits, side by side; where one threshold holds for all folds a mark may lie off its line. At the left end a "
        "single background pit moves the line: two lines whose bands overlap there are not told apart.",
    )


def _points_table(curves: Sequence[AcceptanceCurve]) -> Listing:
    rows = [(curve.name, f"{rate:.3g}", str(share)) for curve in curves for rate, share in curve.points]
    return Listing("Working points", ("configuration", "false-positive rate", "signal acceptance [90 %]"), tuple(rows))


def _labels(scored: ScoredPits, data: Dataset | None) -> tuple[npt.NDArray[np.str_], tuple[str, ...]]:
    """Give the label of each pit and their order; without the data signal and background stand for labels."""
    if data is not None:
        return data.labels, tuple(data.counts())
    labels = np.where(scored.signals, SIGNAL, np.where(scored.backgrounds, BACKGROUND, UNSCORED)).astype(np.str_)
    return labels, tuple(name for name in (SIGNAL, BACKGROUND, UNSCORED) if (labels == name).any())


def _histograms(scored: ScoredPits, labels: npt.NDArray[np.str_], order: Sequence[str]) -> Drawing:
    return Drawing(
        "score-histograms",
        "Scores of each label",
        figures.score_histograms(histograms(scored, labels, order)),
        "How P(signal) is spread within each label, which has its number of pits beside it. Background in the rightmost bins "
        "is what remains to be looked through; signal in the leftmost is lost. Shares are within a label: a rare label's line "
        "may lie high and yet be a few pits. The networks' probabilities are as they give them, before calibration.",
    )


def _confusion(number: int, table: Confusion, rate: float) -> Drawing:
    if table.classes == PASSING:
        what = f"whether they pass the working point of {rate:.3g}; the class that a pit was taken for was not recorded"
    else:
        what = "the class of the highest probability"
    return Drawing(
        # By its number: the scheme of a space file may have any name.
        f"confusion-{number}",
        f"Confusion: scheme {table.scheme}, its best trial {table.trial}",
        figures.confusion(table),
        f"What pits of each label are taken for, out of fold: {what}. Rows add up to 100 %. A label that the scheme leaves out "
        "of training is shown, too, though the network never saw it. The class of the highest probability is not what is "
        "accepted at the working point: schemes are compared by P(signal), not by this table.",
    )


def _parts(
    scored: ScoredPits,
    point: tuple[float, Share],
    labels: npt.NDArray[np.str_],
    order: Sequence[str],
    data: Dataset | None,
) -> list[Drawing]:
    """Draw the share accepted of each label and, with the data, of the signal and background of each slide and style.

    `point`: the working point, and the acceptance of all signal pits there.
    """
    rate, whole = point
    every = np.ones(len(labels), np.bool_)
    by_label = sorted(accepted_parts(scored, rate, labels, every), key=lambda part: order.index(part.name))
    drawings = [
        Drawing(
            "accepted-by-label",
            "Accepted by label",
            figures.accepted_parts(by_label, None, f"share accepted, working point {rate:.3g} [90 %]"),
            "Of the signal's label this is the acceptance, of the others the false-positive rate: the label with the largest "
            "share is what the networks mistake for signal. Labels of few pits have wide intervals.",
        )
    ]
    if data is None:
        return drawings
    places = [("slide", [f"{pit.foil}:{pit.slide}" for pit in data.pits])]
    if len({pit.style for pit in data.pits}) > 1:
        places.append(("style", [pit.style or "none" for pit in data.pits]))
    for kind, names in places:
        for what, members, line in ((SIGNAL, scored.signals, whole), (BACKGROUND, scored.backgrounds, None)):
            parts = accepted_parts(scored, rate, names, members)
            if len(parts) > 1:
                drawings.append(_by_place(kind, what, parts, line, rate))
    return drawings


def _by_place(kind: str, what: str, parts: Sequence[AcceptedPart], whole: Share | None, rate: float) -> Drawing:
    fewer = f" Shown are the {SLIDES} with most {what} pits, of {len(parts)}." if len(parts) > SLIDES else ""
    line = " The line and its band are all pits together." if whole else ""
    return Drawing(
        f"{what}-by-{kind}",
        f"{what.capitalize()} accepted by {kind}",
        figures.accepted_parts(parts[:SLIDES], whole, f"share accepted, working point {rate:.3g} [90 %]"),
        f"Whether one {kind} differs, most {what} pits first, their number beside its name.{line}{fewer} Of many intervals of "
        "90 % one in ten misses by chance: `pitsearch diagnose` tests whether any stands out.",
    )


def _calibration(subject: Subject, scored: ScoredPits) -> Drawing:
    curves = [*calibrations(scored)]
    opening, held_out = subject.opening, None if subject.data is None else subject.plan.held_out_set(subject.data)
    if opening is not None and opening.scores is not None and held_out is not None:
        judged = held_out.is_scored
        curves.append(calibration_curve("held out, as the model gives it", opening.scores[judged], held_out.is_signal[judged]))
    return Drawing(
        "calibration",
        "Calibration",
        figures.calibration(curves),
        "On the diagonal P(signal) is a probability. Bins hold equally many pits; the error in the legend is the mean distance "
        "from the diagonal. `select` calibrates by a temperature and an offset, which keep the order of the pits, and so "
        "the acceptance. The calibrated line was fitted on the scores that it shows: held-out pits alone test it.",
    )
