"""Open a study as a trial asks it for its choices: of the sampler, but for what is known of the trial before.

The sampler is Optuna's TPE and the storage Optuna's cache, made to read less: each would read every trial that runs again and
again, which with 64 workers takes longer than all the rest. Knows nothing of training; imports no torch.
"""

from __future__ import annotations

import copy
import json
import warnings
from collections.abc import Container
from typing import Any

import optuna
import sqlalchemy as sql
from optuna.distributions import BaseDistribution
from optuna.exceptions import ExperimentalWarning
from optuna.samplers import BaseSampler, PartialFixedSampler, TPESampler
from optuna.storages._cached_storage import _CachedStorage, _StudyInfo
from optuna.storages._rdb import models
from optuna.trial import FrozenTrial, TrialState

from search.pruning.pruners import make_pruner
from search.seeds import sampler_seed
from search.storage.connect import backend_of, open_storage
from search.studies.plan import Plan
from search.studies.study import Study
from search.trials.ladder import Ladder
from search.trials.records import FixedParams
from spaces import Space
from spaces.suggest import parameters


def open_study(study: Study, plan: Plan, number: int) -> optuna.Study:
    """Open a study with the pruner of its plan and the sampler of the trial of this number."""
    opened, pruner = FinishedTrialsCache(open_storage(study.storage)), make_pruner(plan.pruner, Ladder.parse(plan.ladder))
    found = optuna.load_study(study_name=study.name, storage=opened, pruner=pruner)
    asked = FixedParams.read(opened.get_trial(opened.get_trial_id_from_study_id_trial_number(found._study_id, number)))
    found.sampler = _sampler(plan, number, asked)
    return found


def _sampler(plan: Plan, number: int, asked: FixedParams | None) -> BaseSampler:
    with warnings.catch_warnings():
        # `group` keeps conditional parameters in the joint model; without it they drop out of it without a word.
        warnings.simplefilter("ignore", ExperimentalWarning)
        sampler = CachedTPESampler(multivariate=True, group=True, constant_liar=True, seed=sampler_seed(plan.seed, number))
        if asked is None:
            return sampler
        return PartialFixedSampler(parameters(Space.from_dict(json.loads(plan.space)), asked.choices), sampler)


class CachedTPESampler(TPESampler):
    """Optuna's TPE for one trial. It looks at the study once; Optuna's own looks anew for each group of parameters."""

    def _sample(self, study: optuna.Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]) -> dict[str, Any]:
        still: Any = copy.copy(study)
        still._get_trials = lambda deepcopy, states, use_cache: study._get_trials(deepcopy, states, use_cache=True)
        return super()._sample(still, trial, search_space)


class FinishedTrialsCache(_CachedStorage):
    """Optuna's cache of a storage. Who asks for finished trials alone, as pruners do, waits for no others to be read."""

    def __init__(self, cached: _CachedStorage) -> None:
        self.__dict__ = vars(cached)  # one cache, whoever reads

    def get_all_trials(
        self, study_id: int, deepcopy: bool = True, states: Container[TrialState] | None = None
    ) -> list[FrozenTrial]:
        """Give the trials in these states, all where none are named."""
        known = self._studies.get(study_id, _StudyInfo())
        new = known.last_finished_trial_id < 0
        if new or states is None or any(state in states for state in TrialState if not state.is_finished()):
            return super().get_all_trials(study_id, deepcopy, states)
        with self._lock:
            self._catch_up(study_id, known)
            found = sorted((trial for trial in known.trials.values() if trial.state in states), key=lambda trial: trial.number)
        return copy.deepcopy(found) if deepcopy else found

    def _catch_up(self, study_id: int, known: _StudyInfo) -> None:
        """Read the trials that have finished since the cache was filled, and of the others that they are there."""
        trial, after, open_ids = models.TrialModel, known.last_finished_trial_id, known.unfinished_trial_ids
        fresh = sql.or_(trial.trial_id > after, trial.trial_id.in_(open_ids))
        asked = sql.select(trial.trial_id, trial.state).where(trial.study_id == study_id, fresh)
        rows = backend_of(self).transact(lambda session: session.execute(asked).all(), reads=True)
        ended = {number for number, state in rows if state.is_finished()}
        if ended:
            last = max(number for number, _ in rows)
            self._add_trials_to_cache(study_id, self._backend._get_trials(study_id, None, ended, last))
        known.unfinished_trial_ids = {number for number, _ in rows} - ended
        known.last_finished_trial_id = max(ended | {after})
