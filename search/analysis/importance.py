"""Say which axes mattered in a study: for acceptance and, separately, for failing to learn.

PED-ANOVA (Watanabe, Bansal, Hutter 2023, arXiv:2304.10255): how far the choices of the top quarter of the trials differ from
those of all trials. Knows nothing of how it is shown.

*Acceptance* ranks finished trials as a ladder does: who climbed higher stands above, and acceptance compares trials on the same
rung alone, for a rung's acceptance says nothing beside another's. Only membership in the top quarter counts, so that a pruned
trial needs no guess at what it would have reached: it stands below every trial that went on. *Failing to learn* ranks by the
share of a trial's trainings, folds and reseeds, that failed: a reseed is a collapse, and so counts. A training that pruning cut
short counts as one that did not fail, for what collapses or diverges by its rung is reseeded or judged there. Its top quarter
holds no trial without a failure.

An axis is measured among the trials where it applies, and the top quarter is theirs. The value is PED-ANOVA's, divided by the
variance of being in the top quarter: 0 where the axis tells nothing of it, at most 1. Choices are smoothed, so that even an
axis that decides alone stays well under 1: compare values, with their intervals, and with chance.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from optuna.trial import FrozenTrial, TrialState

from models.metrics import Floats
from models.training.verdicts import Verdict
from search.errors import StudyError
from search.statistics.intervals import LEVEL
from search.statistics.ped_anova import TINY, domains_of, measure
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
    return of_finished(name, finished(trials), ladder, resamples, shuffles)


def of_finished(
    name: str,
    finished_trials: Sequence[tuple[FrozenTrial, RungResult]],
    ladder: Ladder,
    resamples: int = RESAMPLES,
    shuffles: int = SHUFFLES,
) -> Importance:
    """Weigh the axes of what `finished` gave."""
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
    """Trials with the draws that an interval needs, and the shuffles that chance is told by.

    Ranks are given as a loss, `[trials]`, lower is higher up.
    """

    def __init__(self, trials: Sequence[FrozenTrial], resamples: int, shuffles: int) -> None:
        self._trials = trials
        generator = np.random.default_rng(SEED)
        count = len(trials)
        draws = generator.integers(count, size=(resamples, count))
        self._counts = np.array([np.bincount(draw, minlength=count) for draw in draws], np.float64).reshape(resamples, count)
        self._orders = [generator.permutation(count) for _ in range(shuffles)]

    def weigh(self, loss: Floats) -> tuple[Weight, ...]:
        """Weigh every axis that varied, heaviest first; those with too few trials last."""
        weights = [weight for applies, axes in self._alike() for weight in self._weigh_alike(applies, axes, loss)]
        return tuple(sorted(weights, key=lambda weight: (weight.value is None, -(weight.value or 0.0), weight.axis)))

    def _alike(self) -> list[tuple[npt.NDArray[np.bool_], list[str]]]:
        """Gather the axes that varied by the trials where they apply: each such set is ranked at once."""
        values: Mapping[str, dict[int, Any]] = defaultdict(dict)
        for number, trial in enumerate(self._trials):
            for axis, value in trial.params.items():
                values[axis][number] = value
        alike: Mapping[tuple[int, ...], list[str]] = defaultdict(list)
        for axis, taken in values.items():
            if len(set(taken.values())) > 1:
                alike[tuple(taken)].append(axis)
        return [(np.isin(np.arange(len(self._trials)), numbers), axes) for numbers, axes in alike.items()]

    def _weigh_alike(self, applies: npt.NDArray[np.bool_], axes: Sequence[str], loss: Floats) -> list[Weight]:
        trials = int(applies.sum())
        better = int((loss[applies] < loss[applies].max()).sum())
        if trials < LEAST or better < LEAST_TOP:
            return [Weight(axis, trials) for axis in axes]
        members = [trial for trial, is_member in zip(self._trials, applies, strict=True) if is_member]
        resampled, shuffled = self._counts[:, applies], [_shuffle(loss, applies, order)[applies] for order in self._orders]
        # The trials as they are, then drawn again, then as they are with shuffled ranks.
        held = np.concatenate([np.ones((1, trials)), resampled, np.ones((len(shuffled), trials))])
        losses = np.concatenate([np.tile(loss[applies], (1 + len(resampled), 1)), np.reshape(shuffled, (-1, trials))])
        top = np.array([_top(*draw) for draw in zip(held, losses, strict=True)])
        share = top.sum(1) / np.maximum(held.sum(1), 1)
        weights = []
        for axis in axes:
            explained = measure(domains_of(axis, members), top, held)
            # The estimate of a ratio of densities may pass the bound that the ratio itself obeys.
            values = np.minimum(explained / np.maximum(share * (1 - share), TINY), 1.0)
            value, again, chance = values[0], values[: 1 + len(resampled)], values[1 + len(resampled) :]
            # Drawing again adds noise, which lifts all that is near 0: the trials as they are belong to their own interval.
            low, high = np.quantile(again[1:], [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
            numbers = value, min(low, value), max(high, value), np.quantile(chance, 0.95)
            weights.append(Weight(axis, trials, *map(float, numbers)))
        return weights


def _top(held: Floats, loss: Floats) -> Floats:
    """Say how often a draw holds each trial at its top, `[trials]`, given how often it holds it; 0 where none is better."""
    order = np.argsort(loss, kind="stable")
    ranked = np.repeat(loss[order], held[order].astype(np.int64))
    # Without the worst, which all may share: those that never failed are no better at failing than one another.
    top = min(math.ceil(TOP * len(ranked)), int((ranked < ranked[-1]).sum())) if len(ranked) else 0
    # More than `top` where some are equal.
    at_top: Floats = np.where(loss <= ranked[top - 1], held, 0.0) if top else np.zeros_like(held)
    return at_top


def _shuffle(loss: Floats, applies: npt.NDArray[np.bool_], order: npt.NDArray[np.int64]) -> Floats:
    """Deal the losses of the trials where an axis applies out among them anew."""
    shuffled = loss.copy()
    shuffled[applies] = loss[order[applies[order]]]
    return shuffled
