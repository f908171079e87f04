"""Say how well scores out of fold separate signal: curve of acceptance, histograms, calibration, parts of the data.

Arrays in, numbers out. Knows nothing of how they are drawn.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from models.inference.calibration import calibrated, calibration_error, fit_calibration
from models.metrics import Flags, Floats
from search.analysis.out_of_fold import ScoredPits
from search.statistics.fitted import is_few
from search.statistics.intervals import LEVEL, Share, score_interval, worth_of

# Rates on a curve, even on a log axis.
POINTS = 61
LOWEST = 1e-4
BINS = 25
CALIBRATION_BINS = 10


@dataclass(frozen=True)
class AcceptanceCurve:
    """Signal acceptance against the false-positive rate."""

    name: str
    # False-positive rates, rising, `[points]`.
    rates: Floats
    # As acceptance is quoted, the mean over the cross-validations, `[points]`.
    acceptance: Floats
    # What 90 % of the single trainings, a fold of a cross-validation each, lie within, `[points]`.
    low: Floats
    high: Floats
    trainings: int
    # Working points and the acceptance there, with its interval over pits.
    points: tuple[tuple[float, Share], ...]


def acceptance_curve(name: str, scored: ScoredPits, working_points: Sequence[float]) -> AcceptanceCurve:
    """Measure the curve of scores out of fold. `working_points`: the study's own first, then others to be marked."""
    backgrounds = int(scored.backgrounds.sum())
    rates = np.unique([*np.geomspace(max(1 / max(backgrounds, 1), LOWEST), 1, POINTS), *working_points])
    whole, single = [], []
    for repeat in range(scored.repeats):
        folds = [(scores[is_signal], scores[~is_signal]) for scores, is_signal in scored.by_fold(repeat)]
        curves = np.array([_curve(signal, background, rates) for signal, background in folds if len(signal)])
        single += [*curves]
        # One rule for the whole curve, that of the working point: a change on the way would look like a step of the network.
        if is_few([len(background) for _, background in folds], working_points[0]):
            signals, others = (np.concatenate(parts) for parts in zip(*folds, strict=True))
            whole.append(_curve(signals, others, rates))
        else:
            whole.append(np.average(curves, axis=0, weights=[len(signal) for signal, _ in folds if len(signal)]))
    low, high = np.quantile(single, [(1 - LEVEL) / 2, (1 + LEVEL) / 2], axis=0)
    points = tuple((rate, scored.fitted(rate).share) for rate in working_points)
    return AcceptanceCurve(name, rates, np.mean(whole, axis=0), low, high, len(single), points)


def _curve(signal: Floats, background: Floats, rates: Floats) -> Floats:
    """Give the share of signal above the first background pit that may not pass, for each rate."""
    passing = (rates * len(background) + 1e-9).astype(np.int64)
    falling = np.append(np.sort(background)[::-1], -np.inf)
    below = np.searchsorted(np.sort(signal), falling[np.minimum(passing, len(background))], side="right")
    share: Floats = 1 - below / len(signal)
    return share


@dataclass(frozen=True)
class ScoreHistogram:
    """How the scores of one label are spread."""

    name: str
    pits: int
    # The share of the label's scores in each of the even bins from 0 to 1, `[bins]`.
    shares: Floats


def histograms(scored: ScoredPits, labels: npt.NDArray[np.str_], order: Sequence[str]) -> tuple[ScoreHistogram, ...]:
    """Count the scores of every label in even bins. `labels`: `[pits]`; `order`: theirs."""
    parts = []
    for label in order:
        members = labels == label
        if members.any():
            counts, _ = np.histogram(scored.scores[:, members], BINS, (0.0, 1.0))
            parts.append(ScoreHistogram(label, int(members.sum()), counts / counts.sum()))
    return tuple(parts)


@dataclass(frozen=True)
class CalibrationBin:
    """Pits of about one P(signal), and what share of them is signal."""

    mean: float
    share: Share
    # On average over the cross-validations.
    pits: float


@dataclass(frozen=True)
class CalibrationCurve:
    """P(signal) against the share of signal."""

    name: str
    # The expected calibration error.
    error: float
    bins: tuple[CalibrationBin, ...]


def calibrations(scored: ScoredPits) -> tuple[CalibrationCurve, ...]:
    """Measure the scores as they are, and calibrated the way `select` does it, on the same scores."""
    scores = scored.scores[:, scored.is_scored]
    is_signal = np.tile(scored.is_signal[scored.is_scored], (scored.repeats, 1))
    fit = fit_calibration(scores.ravel(), is_signal.ravel())
    after = calibrated(scores, fit.temperature, fit.offset)
    return (
        calibration_curve("as the networks give it", scores.ravel(), is_signal.ravel(), scored.repeats),
        calibration_curve("calibrated on these scores", after.ravel(), is_signal.ravel(), scored.repeats),
    )


def calibration_curve(name: str, scores: Floats, is_signal: Flags, repeats: int = 1) -> CalibrationCurve:
    """Measure P(signal) against the share of signal in bins of equal counts.

    `scores`, `is_signal`: `[pits]`; `repeats`: how often each pit is among them, which makes no interval narrower.
    """
    parts = np.array_split(np.argsort(scores, kind="stable"), min(CALIBRATION_BINS, len(scores)))
    bins = [
        CalibrationBin(
            float(scores[part].mean()),
            score_interval(float(is_signal[part].mean()), max(len(part) / repeats, 1.0)),
            len(part) / repeats,
        )
        for part in parts
    ]
    return CalibrationCurve(name, calibration_error(scores, is_signal, CALIBRATION_BINS), tuple(bins))


@dataclass(frozen=True)
class AcceptedPart:
    """A part of the pits, and the share of it that is accepted."""

    name: str
    pits: int
    accepted: Share


def accepted_parts(
    scored: ScoredPits, rate: float, names: Sequence[str] | npt.NDArray[np.str_], among: Flags
) -> tuple[AcceptedPart, ...]:
    """Give the share accepted of every part, largest part first, with an interval over its groups of pits.

    `names`: of the part of each pit; `among`: the pits that count, `[pits]` each.
    """
    passes, named = scored.accepted(rate).mean(0), np.asarray(names)
    parts = []
    for name in np.unique(named[among]):
        members = among & (named == name)
        share = score_interval(float(passes[members].mean()), worth_of(scored.groups[members]))
        parts.append(AcceptedPart(str(name), int(members.sum()), share))
    return tuple(sorted(parts, key=lambda part: (-part.pits, part.name)))
