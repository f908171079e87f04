"""Gather the scores out of fold of one configuration: of its confirmations, or of its trial on the study's own split.

Each pit is scored by a network that did not train on it, once a cross-validation. Knows nothing of what is drawn of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from optuna.trial import FrozenTrial

from foils import Dataset
from models.metrics import Flags, Floats
from search.selection.confirmations import Confirmation, confirmation_request
from search.statistics.fitted import FittedShare, fit_acceptance, is_few, mean_of
from search.studies.plan import Plan
from search.text import counted
from search.trials.configuration import config_of
from search.trials.records import RungResult
from search.trials.stored_scores import read_scores

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class ScoredPits:
    """Scores out of fold of a configuration, from one cross-validation or several."""

    # Its trial.
    trial: int
    # Where the scores are from, for people.
    source: str
    # P(signal), `[repeats, pits]`.
    scores: Floats
    # The fold of each pit, `[repeats, pits]`.
    folds: Ints
    is_signal: Flags
    is_scored: Flags
    # Pits that share plastic, `[pits]`; each alone where the data set is not at hand.
    groups: Ints

    @property
    def repeats(self) -> int:
        """Cross-validations."""
        return len(self.scores)

    @property
    def signals(self) -> Flags:
        """The signal pits that count, `[pits]`."""
        return self.is_signal & self.is_scored

    @property
    def backgrounds(self) -> Flags:
        """The background pits, `[pits]`."""
        return ~self.is_signal & self.is_scored

    @property
    def means(self) -> Floats:
        """The mean P(signal) of each pit over the cross-validations, `[pits]`."""
        means: Floats = self.scores.mean(0)
        return means

    def by_fold(self, repeat: int) -> list[tuple[Floats, Flags]]:
        """Give scores and whether signal of each fold's scored pits, as `search.statistics.fitted` takes them."""
        scores, folds = self.scores[repeat], self.folds[repeat]
        picked = [(folds == fold) & self.is_scored for fold in range(int(folds.max()) + 1)]
        return [(scores[pits], self.is_signal[pits]) for pits in picked]

    def fitted(self, rate: float) -> FittedShare:
        """Give the acceptance at a false-positive rate, as it is quoted: the mean over the cross-validations."""
        return mean_of([fit_acceptance(self.by_fold(repeat), rate) for repeat in range(self.repeats)])

    def accepted(self, rate: float) -> Flags:
        """Say which pits pass the threshold of their fold at a false-positive rate, `[repeats, pits]`.

        Where a fold is too small for a threshold of its own, one over all folds holds, as `fitted` has it.
        """
        return np.array([self._accepted(repeat, rate) for repeat in range(self.repeats)])

    def _accepted(self, repeat: int, rate: float) -> Flags:
        scores, folds = self.scores[repeat], self.folds[repeat]
        others = np.bincount(folds[self.backgrounds], minlength=int(folds.max()) + 1)
        if is_few(others.tolist(), rate):
            folds = np.zeros_like(folds)
        passes = np.zeros(len(scores), np.bool_)
        for fold in range(int(folds.max()) + 1):
            inside = folds == fold
            passes[inside] = scores[inside] > bar(scores[inside & self.backgrounds], rate)
        return passes


def bar(background: Floats, rate: float) -> float:
    """Give the score of the first background pit that may not pass at a false-positive rate: what lies above it passes."""
    passing = int(rate * len(background) + 1e-9)
    return float(np.sort(background)[::-1][passing]) if passing < len(background) else -np.inf


def scores_of_trial(trial: FrozenTrial, plan: Plan, data: Dataset | None = None) -> ScoredPits | None:
    """Give the scores of a trial on the study's own split; None where it trained not every fold, or kept no scores.

    `data`: the pits that trials may see, where they are at hand.
    """
    reached = RungResult.read(trial)
    stored = None if reached is None else read_scores(trial, reached.rung)
    if stored is None or len(stored.scores) != len(plan.folds):
        return None
    groups = np.arange(len(stored.scores)) if data is None else data.groups
    source = f"trial {trial.number}, on the split of the search"
    return ScoredPits(trial.number, source, stored.scores[None], stored.folds[None], stored.is_signal, stored.is_scored, groups)


def scored_pits(
    trial: FrozenTrial, plan: Plan, confirmations: Mapping[tuple[int, int], Confirmation], data: Dataset | None = None
) -> ScoredPits | None:
    """Give the scores of a trial's confirmations, and without any those on the study's own split.

    `data`: the pits that trials may see; without them the folds of confirmations are not known, and the trial's own scores
    stand for them.
    """
    numbers = sorted(repeat for number, repeat in confirmations if number == trial.number)
    if data is None or not numbers:
        return scores_of_trial(trial, plan, data)
    config = config_of(trial)
    folds = [confirmation_request(plan, data, config, trial.number, repeat).folds for repeat in numbers]
    return ScoredPits(
        trial.number,
        f"trial {trial.number}, confirmed on {counted(len(numbers), 'fresh split')}",
        np.stack([confirmations[trial.number, repeat].scores for repeat in numbers]),
        np.array(folds, np.int64),
        data.is_signal,
        data.is_scored,
        data.groups,
    )
