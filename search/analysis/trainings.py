"""Tell how every training of a search went: its curve, its end, its verdict, and whether failures go with a fold.

Losses of different configurations are compared as shares of what predicting the class shares alone costs: 1 is to know nothing.
Knows nothing of how it is shown.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from optuna.trial import FrozenTrial, TrialState

from models.training.training_curve import TrainingCurve
from models.training.verdicts import Verdict
from search.errors import StudyError
from search.statistics.intervals import Share, wilson
from search.studies.curve_rows import verdict_of
from search.trials.baseline import is_baseline
from search.trials.ranking import rank_trials
from search.trials.records import Recipe, RungResult
from search.trials.stored_curves import read_curves

# Configurations whose curves are shown: as many of the best, of those with most failures, and of those stopped earliest.
BEST, FAILING, STOPPED = 4, 2, 2
RESAMPLES = 2000


@dataclass(frozen=True)
class Training:
    """One training of a trial's fold."""

    trial: int
    verdict: str
    curve: TrainingCurve

    @property
    def train_loss(self) -> tuple[float, ...]:
        """The training loss of each epoch, as a share of the constant predictor's."""
        return _shares(self.curve.train_loss, self.curve.train_constant)

    @property
    def validation_loss(self) -> tuple[float, ...]:
        """The validation loss of each epoch, as a share of the constant predictor's."""
        return _shares(self.curve.validation_loss, self.curve.validation_constant)


@dataclass(frozen=True)
class Trainings:
    """Every training of a study whose curve was recorded."""

    # By trial, fold and start.
    every: tuple[Training, ...]
    # Trials that trained and have no curves: an older pitsearch ran them.
    without: tuple[int, ...]
    # A line for each trial whose curves are damaged.
    faults: tuple[str, ...]


@dataclass(frozen=True)
class Panel:
    """The trainings of one configuration."""

    # The trials that had it, with curves.
    trials: tuple[int, ...]
    # Why it is shown.
    reason: str
    trainings: tuple[Training, ...]


@dataclass(frozen=True)
class FoldOutcomes:
    """How the trainings of one fold ended, over all complete trials, those too that were started again."""

    fold: int
    learned: int
    trainings: int

    @property
    def share(self) -> Share:
        """The share that learned, with its 90 % interval."""
        return wilson(self.learned, self.trainings)


def read_trainings(trials: Sequence[FrozenTrial]) -> Trainings:
    """Read the trainings of trials; damaged curves are told of, and left out."""
    every, without, faults = [], [], []
    for trial in trials:
        reached = RungResult.read(trial)
        try:
            curves = read_curves(trial)
        except StudyError as error:
            faults.append(str(error).rpartition("; ")[0])
            continue
        if reached is not None and not curves:
            without.append(trial.number)
        every += [Training(trial.number, verdict_of(curve, reached), curve) for curve in curves]
    return Trainings(tuple(every), tuple(without), tuple(faults))


def choose_panels(trials: Sequence[FrozenTrial], trainings: Trainings) -> tuple[Panel, ...]:
    """Choose the configurations whose curves tell most: in use, the best, those that fail most, those stopped first."""
    by_trial: dict[int, list[Training]] = {}
    for training in trainings.every:
        by_trial.setdefault(training.trial, []).append(training)
    shown = [trial for trial in trials if trial.number in by_trial]
    recipes = {trial.number: Recipe.read(trial) for trial in shown}
    keys = {number: recipe.key for number, recipe in recipes.items() if recipe is not None}
    failed = {number: sum(_has_failed(training.verdict) for training in of_one) for number, of_one in by_trial.items()}
    ended = [trial for trial in shown if trial.state == TrialState.COMPLETE]
    stopped = [trial for trial in shown if trial.state != TrialState.COMPLETE]
    queues = (
        ("the network in use", 1, [trial for trial in shown if is_baseline(trial)]),
        ("among the best", BEST, rank_trials(ended)),
        ("most failures", FAILING, sorted((one for one in shown if failed[one.number]), key=lambda one: -failed[one.number])),
        ("stopped early", STOPPED, sorted(stopped, key=lambda one: sum(one.curve.epochs[-1] for one in by_trial[one.number]))),
    )
    panels: dict[str, Panel] = {}
    for reason, most, queue in queues:
        for key in dict.fromkeys(keys[trial.number] for trial in queue if trial.number in keys):
            if most and key not in panels:
                most -= 1
                twins = tuple(number for number in by_trial if keys.get(number) == key)
                panels[key] = Panel(twins, reason, tuple(one for number in twins for one in by_trial[number]))
    return tuple(panels.values())


def outcomes_by_fold(trials: Sequence[FrozenTrial]) -> tuple[FoldOutcomes, ...]:
    """Count by fold how the trainings of complete trials ended, as the reliability counts them."""
    counts: dict[int, list[int]] = {}
    for reached in _complete(trials):
        needless = reached.needless or (0,) * len(reached.verdicts)
        for fold, verdict in enumerate(reached.verdicts):
            count = counts.setdefault(fold, [0, 0])
            count[0] += verdict == Verdict.LEARNED
            count[1] += 1 + reached.reseeds[fold] - needless[fold]
    return tuple(FoldOutcomes(fold, *count) for fold, count in sorted(counts.items()))


def p_of_folds(trials: Sequence[FrozenTrial], seed: int = 0) -> float | None:
    """Give how often chance alone spreads failures as unevenly over the folds; None where no trial has both learned and failed.

    A permutation test: the failures of each complete trial, restarts among them, are dealt out anew over its folds, and the
    variance of the failures of a fold is compared. Trials that failed in every fold, or in none, tell nothing and are left out.
    """
    rows = []
    for reached in _complete(trials):
        needless = reached.needless or (0,) * len(reached.verdicts)
        both = zip(reached.verdicts, reached.reseeds, needless, strict=True)
        rows.append([int(verdict != Verdict.LEARNED) + again - vain for verdict, again, vain in both])
    table = np.array([row for row in rows if len(row) == max(map(len, rows)) and min(row) != max(row)])
    if not len(table):
        return None
    generator, spread = np.random.default_rng(seed), table.sum(0).var()
    above = sum(bool(generator.permuted(table, axis=1).sum(0).var() >= spread - 1e-9) for _ in range(RESAMPLES))
    return (1 + above) / (1 + RESAMPLES)


def _complete(trials: Sequence[FrozenTrial]) -> list[RungResult]:
    return [RungResult.demand(trial) for trial in trials if trial.state == TrialState.COMPLETE]


def _has_failed(verdict: str) -> bool:
    return verdict not in (Verdict.LEARNED, Verdict.UNFINISHED)


def _shares(losses: Sequence[float], constant: float) -> tuple[float, ...]:
    return tuple((np.array(losses) / constant).tolist()) if constant > 0 else (float("nan"),) * len(losses)
