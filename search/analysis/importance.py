"""Say which axes mattered in a study: for acceptance and, separately, for failing to learn.

PED-ANOVA (Watanabe, Bansal, Hutter 2023, arXiv:2304.10255), by Optuna: how far the choices of the top quarter of the trials
differ from those of all trials. Knows nothing of how it is shown.

*Acceptance* ranks finished trials as a ladder does: who climbed higher stands above, and acceptance compares trials on the same
rung alone, for a rung's acceptance says nothing beside another's. Only membership in the top quarter counts, so that a pruned
trial needs no guess at what it would have reached: it stands below every trial that went on. *Failing to learn* ranks by the
share of a trial's trainings, folds and reseeds, that failed: a reseed is a collapse, and so counts. A training that pruning cut
short counts as one that did not fail, for what collapses or diverges by its rung is reseeded or judged there. Its top quarter
holds no trial without a failure.

An axis is measured among the trials where it applies, and the top quarter is theirs. The value is PED-ANOVA's, divided by the
variance of being in the top quarter: 0 where the axis tells nothing of it, at most 1. Optuna smooths choices, so that even an
axis that decides alone stays well under 1: compare values, with their intervals, and with chance.
"""

from __future__ import annotations

import math
import warnings
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import optuna
from optuna.exceptions import ExperimentalWarning
from optuna.importance import PedAnovaImportanceEvaluator, get_param_importances
from optuna.trial import FrozenTrial, TrialState, create_trial

from models.metrics import Floats
from models.training.verdicts import Verdict
from search.errors import StudyError
from search.statistics.intervals import LEVEL
from search.studies.study import Study
from search.trials.ladder import Ladder
from search.trials.records import RungResult, is_done

# Optuna asks for five trials at the top; a quarter of this many gives them.
TOP, LEAST_TOP = 0.25, 5
LEAST = math.ceil(LEAST_TOP / TOP)
RESAMPLES, SHUFFLES, SEED = 200, 100, 0
FAILED = (Verdict.COLLAPSED, Verdict.OVERTRAINED, Verdict.DIVERGED)


@dataclass(frozen=True)
class Weight:
    """What an axis weighs, with a 90 % percentile interval over trials drawn again (Efron 1979).

    The numbers are None where there are too few trials, or too few that failed.
    """

    axis: str
    # Those where the axis applies.
    trials: int
    value: float | None = None
    low: float | None = None
    high: float | None = None
    # What 95 % of axes stay under whose trials' ranks are shuffled.
    chance: float | None = None

    @property
    def matters(self) -> bool:
        """Tell whether the whole interval lies above chance."""
        return self.low is not None and self.chance is not None and self.low > self.chance


@dataclass(frozen=True)
class Importance:
    """What mattered in a study, heaviest first."""

    # Finished and paused trials.
    finished: int
    # Of them, those that are not complete: they were pruned, or are paused.
    pruned: int
    # Of them, those with a training that failed.
    failing: int
    acceptance: tuple[Weight, ...]
    failure: tuple[Weight, ...]


def importance(study: Study, *, resamples: int = RESAMPLES, shuffles: int = SHUFFLES) -> Importance:
    """Weigh the axes of a study. Raises StudyError where it has too few finished trials."""
    return of_trials(study.name, study.optuna.get_trials(deepcopy=False), study.plan.ladder, resamples, shuffles)


def of_trials(
    name: str, trials: Sequence[FrozenTrial], ladder: Ladder, resamples: int = RESAMPLES, shuffles: int = SHUFFLES
) -> Importance:
    """Weigh the axes of trials that were read already; `ladder`: the one that they climbed."""
    finished_trials = finished(trials)
    if len(finished_trials) < LEAST:
        raise StudyError(
            f"importance needs at least {LEAST} finished trials, so that the best quarter holds {LEAST_TOP}, but study "
            f"{name!r} has {len(finished_trials)}; launch more trials."
        )
    rungs = [str(rung) for rung in ladder.rungs]
    standing = np.array([_standing(reached, rungs) for _, reached in finished_trials])
    failing = np.array([failures(reached) / trainings(reached) for _, reached in finished_trials])
    study = _Resampled([trial for trial, _ in finished_trials], resamples, shuffles)
    return Importance(
        finished=len(finished_trials),
        pruned=sum(trial.state != TrialState.COMPLETE for trial, _ in finished_trials),
        failing=int((failing > 0).sum()),
        acceptance=study.weigh(-standing),
        failure=study.weigh(-failing),
    )


def finished(trials: Sequence[FrozenTrial]) -> list[tuple[FrozenTrial, RungResult]]:
    """Choose the complete, pruned and paused trials, with what they reached; broken and stopped ones say nothing."""
    return [(trial, RungResult.demand(trial)) for trial in trials if is_done(trial)]


def trainings(reached: RungResult) -> int:
    """Count the trainings that a trial started: its folds, and each reseed."""
    return len(reached.verdicts) + sum(reached.reseeds) - sum(reached.needless)


def failures(reached: RungResult) -> int:
    """Count those of a trial's trainings that failed: each reseed was a collapse; verdicts tell of the rest."""
    return sum(verdict in FAILED for verdict in reached.verdicts) + sum(reached.reseeds) - sum(reached.needless)


def _standing(reached: RungResult, rungs: Sequence[str]) -> float:
    """Rank a trial: the rung first, acceptance, at most 1, within the rung alone."""
    return 2 * rungs.index(reached.rung) + reached.quoted.value


class _Resampled:
    """Trials in a study of their own, each as often as any resample draws it: a resample is then a choice of copies.

    Ranks are given as a loss, `[trials]`, lower is higher up.
    """

    def __init__(self, trials: Sequence[FrozenTrial], resamples: int, shuffles: int) -> None:
        self.params = [trial.params for trial in trials]
        generator = np.random.default_rng(SEED)
        count = len(trials)
        draws = generator.integers(count, size=(resamples, count))
        self._counts = np.stack([np.bincount(draw, minlength=count) for draw in draws])
        self._orders = [generator.permutation(count) for _ in range(shuffles)]
        copies = int(self._counts.max())
        self._trial, self._copy = np.repeat(np.arange(count), copies), np.tile(np.arange(copies), count)
        self._study = optuna.create_study()
        copied = [create_trial(value=0.0, params=trial.params, distributions=trial.distributions) for trial in trials]
        self._study.add_trials([trial for trial in copied for _ in range(copies)])

    def weigh(self, loss: Floats) -> tuple[Weight, ...]:
        """Weigh every axis that varied, heaviest first; those with too few trials last."""
        weights = [weight for applies, axes in self._alike() for weight in self._weigh_alike(applies, axes, loss)]
        return tuple(sorted(weights, key=lambda weight: (weight.value is None, -(weight.value or 0.0), weight.axis)))

    def _alike(self) -> list[tuple[npt.NDArray[np.bool_], list[str]]]:
        """Gather the axes that varied by the trials where they apply: each such set is measured at once."""
        values: Mapping[str, dict[int, Any]] = defaultdict(dict)
        for number, params in enumerate(self.params):
            for axis, value in params.items():
                values[axis][number] = value
        alike: Mapping[tuple[int, ...], list[str]] = defaultdict(list)
        for axis, taken in values.items():
            if len(set(taken.values())) > 1:
                alike[tuple(taken)].append(axis)
        return [(np.isin(np.arange(len(self.params)), numbers), axes) for numbers, axes in alike.items()]

    def _weigh_alike(self, applies: npt.NDArray[np.bool_], axes: Sequence[str], loss: Floats) -> list[Weight]:
        trials = int(applies.sum())
        better = int((loss[applies] < loss[applies].max()).sum())
        if trials < LEAST or better < LEAST_TOP:
            return [Weight(axis, trials) for axis in axes]
        once = applies.astype(np.int64)
        value = self._measure(once, axes, loss)
        resampled = [self._measure(counts * once, axes, loss) for counts in self._counts]
        shuffled = [self._measure(once, axes, _shuffle(loss, applies, order)) for order in self._orders]
        low, high = np.quantile(resampled, [(1 - LEVEL) / 2, (1 + LEVEL) / 2], axis=0)
        chance = np.quantile(shuffled, 0.95, axis=0)
        # Drawing again adds noise, which lifts all that is near 0: the trials as they are belong to their own interval.
        low, high = np.minimum(low, value), np.maximum(high, value)
        numbers = zip(axes, value, low, high, chance, strict=True)
        return [Weight(axis, trials, *map(float, of_axis)) for axis, *of_axis in numbers]

    def _measure(self, counts: npt.NDArray[np.int64], axes: Sequence[str], loss: Floats) -> Floats:
        """Measure some axes, `[axes]`, with each trial so many times, `[trials]`; 0 where no trial is better than another."""
        chosen = np.where(self._copy < counts[self._trial], loss[self._trial], np.inf)
        ranked = np.sort(chosen[np.isfinite(chosen)])
        # Without the worst, which all may share: those that never failed are no better at failing than one another.
        top = min(math.ceil(TOP * len(ranked)), int((ranked < ranked[-1]).sum())) if len(ranked) else 0
        if top == 0:
            return np.zeros(len(axes))
        share = float((ranked <= ranked[top - 1]).mean())  # more than `top` where some are equal
        evaluator = PedAnovaImportanceEvaluator(target_quantile=(top - 0.5) / len(ranked))
        with warnings.catch_warnings():
            # Raw numbers are asked for, which Optuna calls experimental; a resample may hold hardly a trial of these axes.
            warnings.simplefilter("ignore", ExperimentalWarning)
            warnings.simplefilter("ignore", UserWarning)
            weights = get_param_importances(
                self._study,
                evaluator=evaluator,
                params=list(axes),
                target=lambda trial: float(chosen[trial.number]),
                normalize=False,
            )
        # The estimate of a ratio of densities may pass the bound that the ratio itself obeys.
        return np.array([min(weights[axis] / (share * (1 - share)), 1.0) for axis in axes])


def _shuffle(loss: Floats, applies: npt.NDArray[np.bool_], order: npt.NDArray[np.int64]) -> Floats:
    """Deal the losses of the trials where an axis applies out among them anew."""
    shuffled = loss.copy()
    shuffled[applies] = loss[order[applies[order]]]
    return shuffled
