"""Make a model of any complete trial: the folds of its own cross-validation that learned, as an ensemble.

Such a model was neither confirmed nor selected. Its threshold is fixed on scores out of fold, one network's a pit. Knows
nothing of the held-out set.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from optuna.trial import FrozenTrial, TrialState

from foils import Dataset
from models.training.verdicts import Verdict
from search.counting import Step
from search.errors import StudyError
from search.selection.final_model import FinalModel, fix_threshold
from search.selection.pit_scores import OutOfFold
from search.studies.plan import Plan
from search.training.fold_cache import trial_members
from search.trials.records import RungResult

# What such a model is called where others are of `final_model.FINALS`.
FOLDS = "folds"


def make_trial_model(
    data: Dataset, plan: Plan, trial: FrozenTrial, workers: int | None = None, progress: bool | Step = False
) -> FinalModel:
    """Make the model of a trial. Folds that are no longer kept are trained again, to the same numbers.

    `data`: the pits that trials may see; `progress` counts the folds that are trained again. Raises StudyError where the trial
    is not complete, or no fold learned.
    """
    if trial.state != TrialState.COMPLETE:
        state = trial.state.name.lower()
        raise StudyError(
            f"a model must be of a complete trial, but trial {trial.number} is {state}; choose one that `pitsearch status` "
            "lists as complete."
        )
    ensemble = trial_members(data, trial, plan, workers, progress)
    learned = [fold for fold, verdict in enumerate(RungResult.demand(trial).verdicts) if verdict == Verdict.LEARNED]
    folds, scores = np.array(plan.folds), np.full((1, len(data)), np.nan)
    for fold, member in zip(learned, ensemble.members, strict=True):
        pits = np.flatnonzero(folds == fold)
        scores[0, pits] = replace(ensemble, members=(member,)).scores(data.take(pits).crops())
    return fix_threshold(data, plan, ensemble, OutOfFold(scores, [[*map(str, plan.folds)]]))
