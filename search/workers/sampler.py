"""Open a study as a trial asks it for its choices: of the sampler, but for what is known of the trial before.

The sampler is Optuna's TPE and the storage Optuna's cache, made to read less: each would read every trial that runs again and
again, which with 64 workers takes longer than all the rest. Knows nothing of training; imports no torch.
"""

from __future__ import annotations

import copy
import warnings
from collections.abc import Callable, Container
from typing import Any

import optuna
import sqlalchemy as sql
from optuna.distributions import BaseDistribution
from optuna.exceptions import ExperimentalWarning
from optuna.samplers import BaseSampler, GPSampler, PartialFixedSampler, QMCSampler, RandomSampler, TPESampler
from optuna.storages._cached_storage import _CachedStorage, _StudyInfo
from optuna.storages._rdb import models
from optuna.trial import FrozenTrial, TrialState

from search.pruning.pruners import make_pruner
from search.storage.connect import backend_of, open_storage
from search.studies.plan import Plan, trial_seed
from search.studies.study import Study
from search.trials.records import FixedParams
from spaces.suggest import parameters


def open_study(study: Study, plan: Plan, number: int) -> optuna.Study:
    """Open a study with the pruner of its plan and the sampler of the trial of this number."""
    storage, pruner = FinishedTrialsCache(open_storage(study.storage)), make_pruner(plan.options.pruner, plan.ladder)
    opened = optuna.load_study(study_name=study.name, storage=storage, pruner=pruner)
    params = FixedParams.read(storage.get_trial(storage.get_trial_id_from_study_id_trial_number(opened._study_id, number)))
    opened.sampler = make_sampler(plan, number, params)
    if plan.options.sampler != "tpe":  # Optuna's cache must have read a trial before it takes parameters; TPE reads them all
        opened.get_trials(deepcopy=False)
    return opened


def make_sampler(plan: Plan, number: int, fixed: FixedParams | None = None) -> BaseSampler:
    """Make the sampler of a trial, whose seed follows from the study's and the trial's number."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ExperimentalWarning)
        sampler = MAKERS[plan.options.sampler](plan.options.seed, number)
        return sampler if fixed is None else PartialFixedSampler(parameters(plan.space, fixed.choices), sampler)


def _tpe(seed: int, number: int) -> BaseSampler:
    # `group` keeps conditional parameters in the joint model; without it they drop out of it without a word.
    return CachedTPESampler(multivariate=True, group=True, constant_liar=True, seed=trial_seed(seed + 1, number))


def _gp(seed: int, number: int) -> BaseSampler:
    return GPSampler(seed=trial_seed(seed + 1, number))


def _cmaes(seed: int, number: int) -> BaseSampler:
    from search.workers.cmaes_sampler import JsonCmaEsSampler  # the library is needed for it alone

    return JsonCmaEsSampler(seed=trial_seed(seed + 1, number), warn_independent_sampling=False)


def _random(seed: int, number: int) -> BaseSampler:
    return RandomSampler(seed=trial_seed(seed + 1, number))


def _qmc(seed: int, number: int) -> BaseSampler:
    # One sequence for all trials, so one seed; what the sequence does not hold is drawn by the trial's own.
    chance = RandomSampler(seed=trial_seed(seed + 1, number))
    quiet = {"warn_asynchronous_seeding": False, "warn_independent_sampling": False}
    return QMCSampler(qmc_type="sobol", scramble=True, seed=seed, independent_sampler=chance, **quiet)


# By the names of `search.studies.samplers.SAMPLERS`: from a study's seed and a trial's number.
MAKERS: dict[str, Callable[[int, int], BaseSampler]] = {
    "tpe": _tpe,
    "gp": _gp,
    "cmaes": _cmaes,
    "random": _random,
    "qmc": _qmc,
}


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
