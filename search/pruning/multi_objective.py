"""Prune where there are two objectives, for which Optuna offers nothing: each trial is compared with its rivals alone.

A trial's rivals are those that are no worse in the other objective: as cheap or cheaper, or with as much rejection on the same
rung. Among them the study's pruner compares acceptance, as in a study of one objective. A trial that trails in acceptance is
thus pruned only where trials that are no worse in anything else stand above it; the cheapest has none to fear, and what lies
between the ends of the front is not held against either end. Knows nothing of the pruners' rules.
"""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from copy import copy

import optuna
from optuna.study import StudyDirection
from optuna.trial import FrozenTrial, TrialState

from search.storage.optuna_internals import PrunedStudy, storage_of, trial_id_of
from search.trials.objectives import OBJECTIVES
from search.trials.records import RungResult, on_rungs


def is_pruned(trial: optuna.Trial, steps: Sequence[int], path: Mapping[str, Sequence[float]]) -> bool:
    """Ask the pruner of a trial's study about it, on the last rung of its path; `steps`: the fold-epochs of each."""
    study = trial.study
    seen = copy(storage_of(study).get_trial(trial_id_of(trial)))
    seen.intermediate_values = dict(zip(steps, path["acceptance"], strict=True))
    return study.pruner.prune(_Rivals(study, trial.number, path), seen)  # type: ignore[arg-type]  # all that pruners ask for


class _Rivals(PrunedStudy):
    """A study as a pruner is to see it for one trial: its rivals, and acceptance alone."""

    direction = StudyDirection.MAXIMIZE

    def __init__(self, study: optuna.Study, number: int, path: Mapping[str, Sequence[float]]) -> None:
        super().__init__(study)
        self._study, self._number, self._path = study, number, path

    def get_trials(self, deepcopy: bool = True, states: Container[TrialState] | None = None) -> list[FrozenTrial]:
        trials = self._study.get_trials(deepcopy=False, states=states)
        return [_shown(trial) for trial in trials if trial.number != self._number and self._is_rival(trial)]

    def _is_rival(self, trial: FrozenTrial) -> bool:
        reached, height = RungResult.read(trial), len(self._path["acceptance"])
        if reached is None or len(reached.steps) < height:
            return False
        return all(
            OBJECTIVES[name].no_worse(reached.path[name][height - 1], values[height - 1])
            for name, values in self._path.items()
            if name != "acceptance"
        )


def _shown(trial: FrozenTrial) -> FrozenTrial:
    shown = copy(trial)
    shown.intermediate_values = dict(on_rungs(trial))
    return shown
