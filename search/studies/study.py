"""Create and open studies: what each was made for is stored in it, and anything else is refused.

Knows nothing of training or of how trials are run.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import optuna
from optuna.exceptions import StorageInternalError
from optuna.study import StudyDirection
from optuna.trial import FrozenTrial
from sqlalchemy.exc import SQLAlchemyError

from foils import DataError, Dataset, load
from pitsearch.errors import CORRECT, PitsearchError, did_you_mean, reason
from search import defaults
from search.errors import StudyError, StudyGone
from search.storage.checkpoints import clear_runs
from search.storage.connect import backend_of, forget_storages, open_storage
from search.storage.lease_table import remove_lost_rows
from search.storage.optuna_internals import study_id_of
from search.storage.places import UID
from search.storage.raw_rows import study_names
from search.storage.rdb import RetryingRDBStorage
from search.studies.curve_rows import curve_columns
from search.studies.damage import Damage, find_damage
from search.studies.options import SearchOptions
from search.studies.plan import PLAN, Plan, check_same, read_plan, store_plan
from search.studies.study_html import study_html, unreadable_html
from search.studies.trial_rows import trial_rows
from search.trials.objectives import OBJECTIVES, second_of
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
    # Its UID, where a later study of the same name is not meant; None where any is.
    pin: str | None = field(default=None, repr=False, compare=False)

    def pinned(self) -> Study:
        """Mean the study that has the name now, and no later one: that one counts as deleted."""
        return replace(self, pin=self.uid)

    @property
    def optuna(self) -> optuna.Study:
        """Open the Optuna study itself. Raises StudyGone where there is none of the name, or another than is meant."""
        opened = optuna.load_study(study_name=self.name, storage=open_storage(self.storage))
        uid = opened.user_attrs.get(UID)
        if self.pin not in (None, uid):
            raise StudyGone(self.name)
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
        return self.backend.get_study_id_from_name(self.name) if self.pin is None else study_id_of(self.optuna)

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
        """Give the trials as a table, a row each: its state, acceptance, reliability, cost, and its choices by axis."""
        import pandas  # takes a second to import

        rows = trial_rows(self.optuna.get_trials(deepcopy=False))
        return pandas.DataFrame(rows).set_index("trial") if rows else pandas.DataFrame()

    def curves(self) -> pandas.DataFrame:
        """Give the training curves as a long table, a row for each epoch of each training.

        Columns: trial, fold, start (0, or 1 for a training that took the place of a collapsed one), epoch, losses, accuracies,
        acceptance, and the training's verdict on the trial's last rung. Trials that an older pitsearch ran have no rows. Raises
        StudyError where curves are damaged.
        """
        import pandas  # as above

        return pandas.DataFrame(curve_columns(self.optuna.get_trials(deepcopy=False)))

    @property
    def plan(self) -> Plan:
        """Read what the study was made for. Raises StudyError where pitsearch did not make it."""
        return read_plan(self.optuna)

    def _repr_html_(self) -> str:
        """Give what a notebook shows; of a study that cannot be read, why."""
        try:
            return study_html(self.name, self.storage, self.plan, [*self.damage.whole.values()])
        except KeyError:  # Optuna's word for a study that is not there
            return unreadable_html(self.name, self.storage, "there is no study of this name")
        except (PitsearchError, SQLAlchemyError, StorageInternalError) as error:
            return unreadable_html(self.name, self.storage, reason(error))


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
    return Study(name, storage, opened_study.user_attrs.get(UID))


@contextmanager
def deletion_refused(study: Study, runs: Path) -> Iterator[None]:
    """Raise StudyGone where a pinned study is deleted while the block works on it; its leases and checkpoints go, too.

    `runs`: the study's folder of checkpoints.
    """
    try:
        yield
    except (KeyError, SQLAlchemyError, StorageInternalError):  # as a row that is gone is told, and one whose study is
        if study.pin is None or not _is_deleted(study):
            raise
        study.backend.transact(remove_lost_rows)
        clear_runs(runs, study.pin)
        raise StudyGone(study.name) from None


def _is_deleted(study: Study) -> bool:
    """Tell whether a study is there no more; an error that this cannot be told for is not its deletion."""
    try:
        return study.optuna is None
    except KeyError:
        return True
    except (SQLAlchemyError, StorageInternalError):
        return False


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
    if stored is None and second_of(named.get("objectives", defaults.OBJECTIVES)):
        named.setdefault("pruner", defaults.FRONT_PRUNER)  # where there are two objectives, none decides alone who is promoted
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
        raise StudyError(f"a study must be named unless there is exactly one, but got none; give --study, one of: {offered}.")
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
                f"study {study.name!r} needs its data, but {plan.folder} is gone; give its folder with --data."
            ) from None
        raise error
    check_same(study.name, plan, replace(plan, folder=str(data.folder), fingerprint=data.fingerprint))
    return data
