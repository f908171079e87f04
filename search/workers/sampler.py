"""Open a study as a trial asks it for its choices: of the sampler, but for what is known of the trial before.

The sampler is Optuna's TPE and the storage Optuna's cache, made to read less: each would read every trial that runs again and
again, which with 64 workers takes longer than all the rest. Knows nothing of training; imports no torch.
"""

from __future__ import annotations

import copy
import json
import warnings
from collections.abc import Container

import optuna
import sqlalchemy as sql
from optuna.exceptions import ExperimentalWarning
from optuna.samplers import BaseSampler, PartialFixedSampler
from optuna.trial import FrozenTrial, TrialState

from search.pruning.pruners import make_pruner
from search.seeds import sampler_seed
from search.storage.connect import backend_of, open_storage
from search.storage.optuna_internals import CachedTPESampler, SharedCache, StudyInfo, models, study_id_of
from search.studies.plan import Plan
from search.studies.study import Study
from search.trials.ladder import Ladder
from search.trials.records import FixedParams
from spaces import Space
from spaces.suggest import parameters


def open_study(study: Study, plan: Plan, number: int) -> optuna.Study:
    """Open a study with the pruner of its plan and the sampler of the trial of this number."""
    opened, pruner = FinishedTrialsCache(open_storage(study.storage)), make_pruner(plan.pruner, Ladder.parse(plan.ladder))
    optuna_study = optuna.load_study(study_name=study.name, storage=opened, pruner=pruner)
    trial_id = opened.get_trial_id_from_study_id_trial_number(study_id_of(optuna_study), number)
    optuna_study.sampler = _sampler(plan, number, FixedParams.read(opened.get_trial(trial_id)))
    return optuna_study


def _sampler(plan: Plan, number: int, fixed: FixedParams | None) -> BaseSampler:
    with warnings.catch_warnings():
        # `group` keeps conditional parameters in the joint model; without it they drop out of it without a word.
        warnings.simplefilter("ignore", ExperimentalWarning)
        sampler = CachedTPESampler(multivariate=True, group=True, constant_liar=True, seed=sampler_seed(plan.seed, number))
        if fixed is None:
            return sampler
        return PartialFixedSampler(parameters(Space.from_dict(json.loads(plan.space)), fixed.choices), sampler)


class FinishedTrialsCache(SharedCache):
    """Optuna's cache of a storage. Who asks for finished trials alone, as pruners do, waits for no others to be read."""

    def get_all_trials(
        self, study_id: int, deepcopy: bool = True, states: Container[TrialState] | None = None
    ) -> list[FrozenTrial]:
        """Give the trials in these states, all where none are named."""
        known = self.study_info(study_id)
        new = known.last_finished_trial_id < 0
        if new or states is None or any(state in states for state in TrialState if not state.is_finished()):
            return super().get_all_trials(study_id, deepcopy, states)
        with self.lock:
            self._catch_up(study_id, known)
            trials = sorted((trial for trial in known.trials.values() if trial.state in states), key=lambda trial: trial.number)
        return copy.deepcopy(trials) if deepcopy else trials

    def _catch_up(self, study_id: int, known: StudyInfo) -> None:
        """Read the trials that have finished since the cache was filled, and of the others that they are there."""
        trial, after, open_ids = models.TrialModel, known.last_finished_trial_id, known.unfinished_trial_ids
        fresh = sql.or_(trial.trial_id > after, trial.trial_id.in_(open_ids))
        query = sql.select(trial.trial_id, trial.state).where(trial.study_id == study_id, fresh)
        rows = backend_of(self).transact(lambda session: session.execute(query).all(), reads=True)
        ended = {number for number, state in rows if state.is_finished()}
        if ended:
            last = max(number for number, _ in rows)
            self.read_trials(study_id, ended, last)
        known.unfinished_trial_ids = {number for number, _ in rows} - ended
        known.last_finished_trial_id = max(ended | {after})
