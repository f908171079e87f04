"""Create and open studies: what each was made for is stored in it, and anything else is refused.

Knows nothing of training or of how trials are run.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import optuna
from optuna.study import StudyDirection
from optuna.trial import FrozenTrial

from foils import DataError, Dataset, load
from pitsearch.errors import CORRECT, did_you_mean
from search import defaults
from search.errors import StudyError
from search.storage.connect import backend_of, forget_storages, open_storage
from search.storage.leases import UID, StudyGone
from search.storage.optuna_internals import study_id_of
from search.storage.raw_rows import study_names
from search.storage.rdb import RetryingRDBStorage
from search.studies.damage import Damage, find_damage
from search.studies.options import SearchOptions
from search.studies.plan import PLAN, Plan, check_same, read_plan, store_plan
from search.studies.trial_rows import trial_rows
from search.trials.objectives import OBJECTIVES
from search.trials.ranking import find_trial

if TYPE_CHECKING:
    import pandas

# Optuna's own key for how the dashboard labels values.
METRIC_NAMES = "study:metric_names"
# What a study may be called: no character that a shell or a path takes for something else.
NAME = re.compile(r"[^\W_][\w .,:=+@%-]*")


# What this process has read, by storage and number: the UID of each study.
_uids: dict[tuple[str, int], str | None] = {}


@dataclass(frozen=True)
class Study:
    """A study by name, in a storage. Cheap to pass between processes."""

    name: str
    storage: str = defaults.STORAGE

    @property
    def optuna(self) -> optuna.Study:
        """Open the Optuna study itself."""
        opened = optuna.load_study(study_name=self.name, storage=open_storage(self.storage))
        uid = opened.user_attrs.get(UID)
        if _uids.setdefault((self.storage, study_id_of(opened)), uid) != uid:
            # The database has given the number of a deleted study to this one: what this process has read is of that one.
            _uids.clear()
            forget_storages()
            return self.optuna
        return opened

    @property
    def backend(self) -> RetryingRDBStorage:
        """The database that it lives in."""
        return backend_of(open_storage(self.storage))

    @property
    def id(self) -> int:
        """Its number in the database."""
        return self.backend.get_study_id_from_name(self.name)

    @property
    def uid(self) -> str:
        """What tells it from studies of the same name in other databases."""
        uid = self.optuna.user_attrs.get(UID)
        if not isinstance(uid, str):
            raise StudyError(
                f"study {self.name!r} must be one that pitsearch made, but its attribute {UID!r} is not; choose another."
            )
        return uid

    @property
    def damage(self) -> Damage:
        """Say what of its rows cannot be read as what pitsearch wrote."""
        return find_damage(self.name, self.backend, self.id)

    def trial(self, number: int) -> FrozenTrial:
        """Read one trial. Raises StudyError where the study has none of this number."""
        trial = find_trial(self.optuna.get_trials(deepcopy=False), number)
        if trial is None:
            raise StudyError(f"a trial must be in its study, but {self.name!r} has no trial {number}; choose another number.")
        return trial

    def to_frame(self) -> pandas.DataFrame:
        """Give the trials as a table, a row each: how it ended, acceptance with its interval, cost, its choices by axis."""
        import pandas  # takes a second to import

        rows = trial_rows(self.optuna.get_trials(deepcopy=False))
        return pandas.DataFrame(rows).set_index("trial") if rows else pandas.DataFrame()

    @property
    def plan(self) -> Plan:
        """Read what the study was made for. Raises StudyError where pitsearch did not make it."""
        return read_plan(self.optuna)


def open_or_create(name: str, storage: str, plan: Plan) -> Study:
    """Open the study of this name, or create it. Raises StudyError, saying which, where it was made for something else."""
    opened, goals = open_storage(storage, create=True), [OBJECTIVES[goal] for goal in plan.options.objectives]
    directions = [StudyDirection.MAXIMIZE if goal.maximise else StudyDirection.MINIMIZE for goal in goals]
    user, system = {PLAN: store_plan(plan), UID: secrets.token_hex(8)}, {METRIC_NAMES: [goal.told_words for goal in goals]}
    backend_of(opened).create_whole_study(name, directions, user, system)
    opened_study = optuna.load_study(study_name=name, storage=opened)
    Study(name, storage).damage.refuse()
    made_for = read_plan(opened_study)
    check_same(name, made_for, plan)
    if opened_study.directions != directions:  # Optuna itself would go on with them
        ways = ", ".join(direction.name.lower() for direction in opened_study.directions)
        raise StudyError(
            f"study {name!r} must be searched the way it was made, but its directions are {ways}; choose another --study."
        )
    current = store_plan(replace(made_for, folder=plan.folder, options=plan.options))
    if opened_study.user_attrs[PLAN] != current:  # the data may have moved, or the stored format be older
        opened_study.set_user_attr(PLAN, current)
    return Study(name, storage)


@contextmanager
def deletion_refused(study: Study) -> Iterator[None]:
    """Raise StudyError where the study is deleted while the block works on it."""
    try:
        yield
    except (StudyGone, KeyError) as error:  # KeyError: Optuna's word for a row that is not there
        if isinstance(error, KeyError) and study.name in optuna.get_all_study_names(open_storage(study.storage)):
            raise
        raise StudyError(
            f"a study must stay while it is worked on, but {study.name!r} was deleted; launch it again to start anew."
        ) from None


def check_new_name(name: str) -> None:
    """Raise StudyError for a name that a new study must not have: commands, job scripts and a folder's name hold it."""
    if not NAME.fullmatch(name):
        raise StudyError(
            "a study's name must be of letters, digits, blanks and .,:=+@%_-, a letter or digit first, but got "
            f"{name!r}; give another --study."
        )


def options_of(name: str, storage: str, given: Mapping[str, Any]) -> SearchOptions:
    """Give search options: those that are given, not None, and otherwise those of the study of this name, or the defaults."""
    stored = stored_plan(name, storage)
    named = {option: value for option, value in given.items() if value is not None}
    return replace(stored.options if stored else SearchOptions(), **named)


def data_and_study(data: Path, study: str | None, storage: str) -> tuple[Path, str | None]:
    """Give a folder of data and the name of a study, where in the folder's place a study may be named that is to go on."""
    if study is None and not data.exists():
        stored = stored_plan(str(data), storage)
        if stored is not None:
            return Path(stored.folder), str(data)
    return data, study


def stored_plan(name: str, storage: str) -> Plan | None:
    """Give the plan of the study of this name; None where there is none yet, or none that can be opened."""
    try:
        return Study(name, storage).plan
    except (StudyError, KeyError):  # Optuna's word for a study that is not there
        return None


def find_study(name: str | None, storage: str = defaults.STORAGE, *, whole: bool = True) -> Study:
    """Find a study by name, or the only one there is; `whole`: one of whose rows none is damaged.

    Raises StudyError with the names to choose from, or with what is damaged and what can still be read.
    """
    names = study_names(backend_of(open_storage(storage)))
    offered = ", ".join(names) or "none"
    if name is None and len(names) != 1:
        raise StudyError(f"a study must be named where there is not exactly one, but got none; give --study, of: {offered}.")
    if name is not None and name not in names:
        meant = did_you_mean(name, names)
        remedy = f"choose from: {offered}" if meant == CORRECT else meant
        raise StudyError(f"a study must be in the storage, but got {name!r}; {remedy}, or launch it.")
    study = Study(name or names[0], storage)
    if whole:
        study.damage.refuse()
    return study


def study_data(study: Study, folder: str | Path | None = None) -> Dataset:
    """Load the data that a study was made from, from where it was or from `folder`.

    Raises StudyError where the data has changed, DataError where it cannot be loaded.
    """
    plan = study.plan
    try:
        data = load(folder or plan.folder)
    except DataError as error:
        if folder is None and not Path(plan.folder).is_dir():
            raise StudyError(
                f"study {study.name!r} needs its data, but {plan.folder} is gone; say where it is now with --data."
            ) from None
        raise error
    check_same(study.name, plan, replace(plan, folder=str(data.folder), fingerprint=data.fingerprint))
    return data
