"""Everything of Optuna that is not public and that pitsearch rests on, in one place, under names of ours.

Optuna may change these parts in any release: pyproject.toml allows one minor version only, and
tests/search/storage/test_optuna_internals.py says which part has changed. For a new minor version: read Optuna's source of the
parts that this module names, correct this module and that test's table, run the tests of storage, workers and pruning, then
widen the range in pyproject.toml. No other module names a private part of Optuna. Knows nothing of studies.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from threading import Lock
from typing import Any

import optuna
from optuna.distributions import BaseDistribution, check_distribution_compatibility, distribution_to_json
from optuna.samplers import CmaEsSampler, TPESampler
from optuna.samplers._tpe.sampler import _split_trials, default_gamma, default_gamma_multiobjective
from optuna.storages import BaseStorage, RDBStorage
from optuna.storages._cached_storage import _CachedStorage as CachedStorage
from optuna.storages._cached_storage import _StudyInfo as StudyInfo
from optuna.storages._rdb import models
from optuna.study._frozen import FrozenStudy
from optuna.trial import FrozenTrial, TrialState
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from search.errors import StudyError

__all__ = [
    "PRIVATE_READS",
    "PRIVATE_WRITES",
    "CachedStorage",
    "CachedTPESampler",
    "EncodedCmaEsSampler",
    "FrozenStudy",
    "InnerStorage",
    "PrunedStudy",
    "SharedCache",
    "StudyInfo",
    "check_trial",
    "inner_storage",
    "models",
    "note_open",
    "storage_of",
    "study_id_of",
    "trial_id_of",
]

# What Optuna's cache asks of the storage within, beside public methods: in transactions that only read, or that may write.
PRIVATE_READS, PRIVATE_WRITES = ("_get_trials", "_get_best_trial_id"), ("_create_new_trial",)

# What inserts rows or replaces them, by the kind of the database.
UPSERTS: dict[str, Any] = {"postgresql": postgresql.insert, "sqlite": sqlite.insert}
# Where a session notes the trials that its transaction found open.
OPEN = "open trials"


class InnerStorage(RDBStorage):
    """Optuna's storage in a database, with the parts of its transactions: each takes a session, and commits nothing."""

    def insert_trial(self, study_id: int, template: FrozenTrial, session: Session) -> int:
        """Add a trial as the template has it, under the study's next number, and give its id."""
        row: Any = self._get_prepared_new_trial(study_id, template, session)
        return int(row.trial_id)

    def write_attribute(self, session: Session, kind: Any, trial_id: int, key: str, value: Any) -> None:
        """Write an attribute of a trial. `kind`: the user's attributes or Optuna's own, a class of `models`."""
        self.write_attributes(session, kind, {(trial_id, key): value})

    def write_attributes(self, session: Session, kind: Any, values: Mapping[tuple[int, str], Any]) -> None:
        """Write attributes by trial and key, in one statement where the database can; Optuna takes two for each."""
        if self.engine.name not in UPSERTS:
            for (trial_id, key), value in values.items():
                self._set_trial_attr_without_commit(session, kind, trial_id, key, value)
            return
        for trial_id in {trial_id for trial_id, _ in values}:
            self._require_open(session, trial_id)
        rows = [
            {"trial_id": trial_id, "key": key, "value_json": json.dumps(value)} for (trial_id, key), value in values.items()
        ]
        self._upsert(session, kind, rows, ("trial_id", "key"))

    def _upsert(self, session: Session, kind: Any, rows: Sequence[Mapping[str, Any]], key: Sequence[str]) -> None:
        """Insert rows of a class of `models`, or replace those that have the same key."""
        added = UPSERTS[self.engine.name](kind).values(rows)
        replaced = {name: added.excluded[name] for name in rows[0] if name not in key}
        session.execute(added.on_conflict_do_update(index_elements=key, set_=replaced))

    def _require_open(self, session: Session, trial_id: int) -> None:
        """Refuse a trial that is gone or has ended, as Optuna does before every write, but look once a transaction."""
        if trial_id not in session.info.get(OPEN, ()):
            trial: Any = models.TrialModel.find_or_raise_by_id(trial_id, session)
            self.check_trial_is_updatable(trial_id, trial.state)
            note_open(session, trial_id)

    def write_report(self, session: Session, trial_id: int, step: int, value: float) -> None:
        """Write a value that a trial reports, in one statement where the database can; Optuna takes three."""
        if self.engine.name not in UPSERTS:
            self._set_trial_intermediate_value_without_commit(session, trial_id, step, value)
            return
        self._require_open(session, trial_id)
        kind = models.TrialIntermediateValueModel
        stored, finiteness = kind.intermediate_value_to_stored_repr(value)
        row = {"trial_id": trial_id, "step": step, "intermediate_value": stored, "intermediate_value_type": finiteness}
        self._upsert(session, kind, [row], ("trial_id", "step"))

    def write_param(
        self,
        session: Session,
        trial_id: int,
        name: str,
        value: float,
        distribution: BaseDistribution,
        previous: BaseDistribution | None,
    ) -> None:
        """Write a parameter of a trial. `previous`: its distribution in other trials, None where that is not known."""
        if previous is None:
            self._set_trial_param_without_commit(session, trial_id, name, value, distribution, previous)
            return
        self._require_open(session, trial_id)
        check_distribution_compatibility(previous, distribution)
        kept = distribution_to_json(distribution)
        session.add(models.TrialParamModel(trial_id=trial_id, param_name=name, param_value=value, distribution_json=kept))

    def write_value(self, session: Session, trial: Any, objective: int, value: float) -> None:
        """Write the value of one objective of a trial, which is a row of `models.TrialModel`."""
        self._set_trial_value_without_commit(session, trial, objective, value)

    def keep_param(
        self, trial_id: int, name: str, value: float, distribution: BaseDistribution, previous: BaseDistribution | None
    ) -> None:
        """Keep a parameter of a trial, in a transaction of its own; a subclass may do otherwise."""
        super()._set_trial_param(trial_id, name, value, distribution, previous)

    def _set_trial_param(
        self,
        trial_id: int,
        param_name: str,
        param_value_internal: float,
        distribution: BaseDistribution,
        previous_distribution: BaseDistribution | None,
    ) -> None:
        self.keep_param(trial_id, param_name, param_value_internal, distribution, previous_distribution)


def note_open(session: Session, trial_id: int) -> None:
    """Note that a trial was found in this transaction and has not ended, so that no write looks again."""
    session.info.setdefault(OPEN, set()).add(trial_id)


class SharedCache(CachedStorage):
    """Another reader of the trials that one of Optuna's caches holds."""

    def __init__(self, cached: CachedStorage) -> None:
        self.__dict__ = vars(cached)  # one cache, whoever reads

    @property
    def lock(self) -> Lock:
        """What is held while the cache is changed."""
        return self._lock

    def study_info(self, study_id: int) -> StudyInfo:
        """Give what the cache holds of a study; where it has not read the study, an empty one that is not kept."""
        return self._studies.get(study_id, StudyInfo())

    def knows(self, study_id: int) -> bool:
        """Tell whether the cache has read a study."""
        return study_id in self._studies

    def of_ours(self, study_id: int) -> dict[int, Any]:
        """Give a table of a study that lives as long as the cache, for what a reader of ours keeps by the id of a trial."""
        tables: dict[int, dict[int, Any]] = self.__dict__.setdefault("_of_ours", {})
        return tables.setdefault(study_id, {})

    def fetch_trials(self, study_id: int, trial_ids: set[int]) -> list[FrozenTrial]:
        """Read trials by id, past the cache."""
        trials = self._backend._get_trials(study_id, None, trial_ids, max(trial_ids))  # and those with higher ids
        return [trial for trial in trials if trial._trial_id in trial_ids]

    def read_trials(self, study_id: int, trial_ids: set[int], last: int) -> None:
        """Read trials by id, none of them above `last`, into the cache, whose lock the caller holds."""
        self._add_trials_to_cache(study_id, self._backend._get_trials(study_id, None, trial_ids, last))


class CachedTPESampler(TPESampler):
    """Optuna's TPE for one trial: it chooses the same, and looks at the study once, not anew for each group of parameters.

    Trials are parted into good and bad ones once for all groups. The groups are made from one trial of each set of parameters:
    more of the same change none.
    """

    # Of the trial of this number.
    _parted: tuple[int, tuple[list[FrozenTrial], list[FrozenTrial]]] = -1, ([], [])

    def infer_relative_search_space(self, study: optuna.Study, trial: FrozenTrial) -> dict[str, BaseDistribution]:
        """Give the parameters that are chosen together, group by group."""
        still: Any = copy.copy(study)
        still._get_trials = lambda deepcopy, states, use_cache: _one_of_each(study._get_trials(deepcopy, states, use_cache))
        return super().infer_relative_search_space(still, trial)

    def _sample(self, study: optuna.Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]) -> dict[str, Any]:
        if self._parted[0] != trial.number:
            states = (TrialState.COMPLETE, TrialState.PRUNED, TrialState.RUNNING)
            trials = [one for one in study._get_trials(False, states, use_cache=True) if one.number != trial.number]
            gamma = default_gamma if len(study.directions) == 1 else default_gamma_multiobjective
            finished = sum(one.state.is_finished() for one in trials)
            self._parted = trial.number, _split_trials(study, trials, gamma(finished))
        good, bad = (
            self._build_parzen_estimator(study, search_space, trials, handle_below=place == 0)
            for place, trials in enumerate(self._parted[1])
        )
        drawn = good.sample(self._rng.rng, self._n_ei_candidates)
        chosen = self._compare(drawn, self._compute_acquisition_func(drawn, good, bad))
        return {name: search_space[name].to_external_repr(value) for name, value in chosen.items()}


def _one_of_each(trials: Sequence[FrozenTrial]) -> list[FrozenTrial]:
    """Give the first trial of each set of parameters."""
    first: dict[frozenset[str], FrozenTrial] = {}
    for trial in trials:
        first.setdefault(frozenset(trial.distributions), trial)
    return list(first.values())


class PrunedStudy:
    """What Optuna's pruners read of a study beside its public methods: where successive halving keeps who competed."""

    def __init__(self, study: optuna.Study) -> None:
        self._storage = study._storage


def inner_storage(cached: CachedStorage) -> BaseStorage:
    """Give the storage within Optuna's cache."""
    return cached._backend


def storage_of(study: optuna.Study) -> BaseStorage:
    """Give the storage that an open study reads and writes."""
    return study._storage


def study_id_of(study: optuna.Study | FrozenStudy) -> int:
    """Give the id of a study in its storage."""
    return study._study_id


def trial_id_of(trial: optuna.Trial | FrozenTrial) -> int:
    """Give the id of a trial in its storage: no two trials of all studies share one."""
    return trial._trial_id


def check_trial(trial: FrozenTrial) -> None:
    """Raise what Optuna raises for a trial whose parts do not go together."""
    trial._validate()


class EncodedCmaEsSampler(CmaEsSampler):
    """Optuna's CMA-ES with another code for its state in the study than Optuna's pickle."""

    def encode(self, optimizer: Any) -> str:
        """Write the state of an optimiser as text."""
        raise NotImplementedError

    def decode(self, text: str) -> Any:
        """Read what `encode` wrote. Raises StudyError where it is damaged."""
        raise NotImplementedError

    def _init_optimizer(self, *arguments: Any, **options: Any) -> Any:
        self._optimizer = super()._init_optimizer(*arguments, **options)
        return self._optimizer

    def _restore_optimizer(self, completed_trials: list[FrozenTrial]) -> Any:
        """Read the state of the last generation whose state is whole; None where there is none."""
        for trial in reversed(completed_trials):
            parts = {key: value for key, value in trial.system_attrs.items() if key.startswith(self._attr_key_optimizer)}
            if parts and all(isinstance(part, str) for part in parts.values()):
                with suppress(StudyError, KeyError):  # damaged, or a part of it is missing
                    self._optimizer = self.decode(self._concat_optimizer_attrs(parts))
                    return self._optimizer
        return None

    def _split_optimizer_str(self, optimizer_str: str) -> dict[str, str]:
        """Split the text of the state, in place of the pickle that Optuna hands over."""
        return super()._split_optimizer_str(self.encode(self._optimizer))
