"""Open a study with the sampler of one trial, which chooses what is not fixed for that trial already.

The sampler is Optuna's TPE and the storage is Optuna's cache, both changed to read less: Optuna's own read every running trial
again and again, which takes most of a worker's overhead with 64 workers. Knows nothing of training; imports no torch.
"""

from __future__ import annotations

import copy
import warnings
from collections.abc import Callable, Container

import optuna
import sqlalchemy as sql
from optuna.exceptions import ExperimentalWarning
from optuna.samplers import BaseSampler, GPSampler, PartialFixedSampler, QMCSampler, RandomSampler
from optuna.trial import FrozenTrial, TrialState

from search.pruning.pruners import make_pruner
from search.seeds import sampler_seed
from search.storage.connect import backend_of, open_storage
from search.storage.optuna_internals import CachedTPESampler, SharedCache, StudyInfo, models, study_id_of, trial_id_of
from search.storage.rung_table import paused_heights
from search.studies.plan import Plan
from search.studies.study import Study
from search.trials.records import FixedParams, is_paused
from spaces.suggest import parameters


def open_study(study: Study, plan: Plan, number: int) -> optuna.Study:
    """Open a study with the pruner of its plan and the sampler of the trial of this number."""
    storage, pruner = FinishedTrialsCache(open_storage(study.storage)), make_pruner(plan.options.pruner, plan.ladder)
    opened = optuna.load_study(study_name=study.name, storage=storage, pruner=pruner)
    trial_id = storage.get_trial_id_from_study_id_trial_number(study_id_of(opened), number)
    opened.sampler = make_sampler(plan, number, FixedParams.read(storage.get_trial(trial_id)))
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
    # `group` keeps conditional parameters in the joint model; without it Optuna leaves them out silently.
    return CachedTPESampler(multivariate=True, group=True, constant_liar=True, seed=sampler_seed(seed, number))


def _gp(seed: int, number: int) -> BaseSampler:
    return GPSampler(seed=sampler_seed(seed, number))


def _cmaes(seed: int, number: int) -> BaseSampler:
    from search.workers.cmaes_sampler import JsonCmaEsSampler  # the library is needed for it alone

    return JsonCmaEsSampler(seed=sampler_seed(seed, number), warn_independent_sampling=False)


def _random(seed: int, number: int) -> BaseSampler:
    return RandomSampler(seed=sampler_seed(seed, number))


def _qmc(seed: int, number: int) -> BaseSampler:
    # One sequence for all trials, so one seed; what the sequence does not hold is drawn by the trial's own.
    chance = RandomSampler(seed=sampler_seed(seed, number))
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


class FinishedTrialsCache(SharedCache):
    """Optuna's cache of a storage. A request for trials in some states, as of a pruner, reads no others that are unfinished.

    A paused trial is shown as a pruned one: to a sampler both have come as far as their last rung. It is read again when it
    has been promoted in between, and at no other time.
    """

    def get_all_trials(
        self, study_id: int, deepcopy: bool = True, states: Container[TrialState] | None = None
    ) -> list[FrozenTrial]:
        """Give the trials in these states, all where none are named."""
        if not self.knows(study_id):
            super().get_all_trials(study_id, deepcopy=False)
        known = self.study_info(study_id)
        with self.lock:
            unfinished = self._catch_up(study_id, known)
            trials = [trial for trial in known.trials.values() if trial.state.is_finished()]
            paused = self._paused(study_id) if states is None or TrialState.PRUNED in states else {}
            wanted = {number for number, state in unfinished.items() if states is None or state in states} - {*paused}
            if wanted:
                self.read_trials(study_id, wanted, max(wanted))
                trials += [trial for trial in known.trials.values() if trial_id_of(trial) in wanted]
            trials += paused.values()
        chosen = sorted((one for one in trials if states is None or one.state in states), key=lambda one: one.number)
        return copy.deepcopy(chosen) if deepcopy else chosen

    def _catch_up(self, study_id: int, known: StudyInfo) -> dict[int, TrialState]:
        """Read the trials that have finished since the cache was filled; of the others give the states, by id."""
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
        return {number: state for number, state in rows if number not in ended}

    def _paused(self, study_id: int) -> dict[int, FrozenTrial]:
        """Give the paused trials by id, as they are shown to a sampler."""
        heights = backend_of(self).transact(lambda session: paused_heights(session, study_id), reads=True)
        kept: dict[int, tuple[int, FrozenTrial]] = self.of_ours(study_id)
        for gone in [trial_id for trial_id, (height, _) in kept.items() if heights.get(trial_id) != height]:
            del kept[gone]
        missing = {*heights} - {*kept}
        for trial in self.fetch_trials(study_id, missing) if missing else ():
            kept[trial_id_of(trial)] = heights[trial_id_of(trial)], _as_sampled(trial)
        return {trial_id: trial for trial_id, (_, trial) in kept.items()}


def _as_sampled(trial: FrozenTrial) -> FrozenTrial:
    """Give a paused trial as samplers see it: pruned on its last rung. One that was promoted meanwhile stays as it is."""
    if not is_paused(trial):
        return trial
    shown = copy.copy(trial)
    shown.state = TrialState.PRUNED
    return shown
