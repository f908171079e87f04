"""Optuna's storage in a database: calls are repeated while the database is away, and writes can share one transaction.

Optuna gives up at the first connection that is lost. Here a call that fails for a reason that may pass is repeated
(`search/storage/retry.py`). Repeating is safe because every write may run twice: attributes and reports overwrite, parameters
that exist stay, and what creates or ends a trial names its caller (`search/storage/leases.py`). On SQLite a transaction that
will write takes the write lock when it begins, so that two never wait for each other. A new study has no leases, whatever study
had its number before. Knows nothing else of leases, or of what a study holds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from functools import partial, wraps
from threading import local
from typing import Any, TypeVar

from optuna.distributions import BaseDistribution
from optuna.exceptions import UpdateFinishedTrialError
from optuna.study import StudyDirection
from optuna.trial import TrialState
from sqlalchemy import Engine, event
from sqlalchemy.engine import Connection
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from pitsearch.errors import PitsearchError
from search.errors import StudyError, StudyGone
from search.storage.json_values import as_json, plain
from search.storage.lease_table import remove_lost_rows, remove_rows
from search.storage.optuna_internals import PRIVATE_READS, PRIVATE_WRITES, InnerStorage, models
from search.storage.retry import reason_of, repeat

Result = TypeVar("Result")
# A write in a session; a transaction holds a list of these.
Write = Callable[[Session], None]

# What Optuna's reading of rows that it did not write may end in.
FOREIGN = (ValueError, LookupError, TypeError, AttributeError, AssertionError)
# What Optuna asks of a storage: transactions that only read, and those that may write.
READS = (
    "get_study_id_from_name",
    "get_study_name_from_id",
    "get_study_directions",
    "get_study_user_attrs",
    "get_study_system_attrs",
    "get_trial_user_attrs",
    "get_trial_system_attrs",
    "get_all_studies",
    "get_trial_id_from_study_id_trial_number",
    "get_trial_param",
    "get_trial",
    *PRIVATE_READS,
)
WRITES = ("create_new_study", "set_study_system_attr", *PRIVATE_WRITES)


class RetryingRDBStorage(InnerStorage):
    """An Optuna storage whose calls wait for a database that is away, and whose writes can share one transaction."""

    _state: local

    def __init__(self, url: str, **options: Any) -> None:
        self._state = local()
        try:
            super().__init__(url, **options)
        except BaseException:
            if hasattr(self, "engine"):
                self.engine.dispose()  # where connections are few, those of an attempt that failed would be in the way
            raise
        if self.engine.name == "sqlite":
            _lock_when_begun(self.engine, self._state)
            self.remove_session()
            self.engine.dispose()  # the connections so far begin their transactions as they like

    def attempt(self, work: Callable[[], Result], *, reads: bool = False) -> Result:
        """Do some work with the database, and repeat it while its errors are transient; `reads`: the work writes nothing."""
        if getattr(self._state, "busy", False):
            return work()  # part of work that is repeated as a whole

        def once() -> Result:
            self._state.busy, self._state.reads = True, reads
            try:
                return work()
            except KeyError as error:
                if error.args == (models.NOT_FOUND_MSG,):
                    raise StudyGone from None
                raise
            finally:
                self._state.busy = False

        return repeat(once)

    def transact(self, work: Callable[[Session], Result], *, reads: bool = False) -> Result:
        """Do some work in one transaction; it may be repeated from the start."""

        def once() -> Result:
            with Session(self.engine) as session, session.begin():
                return work(session)

        return self.attempt(once, reads=reads)

    @contextmanager
    def transaction(self, guard: Write = lambda session: None) -> Iterator[None]:
        """Put what this thread writes about trials in one transaction, at the end, after a guard that may raise.

        Until then nothing of it can be read.
        """
        self._state.writes, self._state.attributes = [], {}
        try:
            yield
            writes, attributes = self._state.writes, self._state.attributes
        finally:
            self._state.writes = None

        def write(session: Session) -> None:
            guard(session)
            for kind, values in attributes.items():
                self.write_attributes(session, kind, values)
            for one in writes:
                one(session)

        self.transact(write)

    def _write(self, write: Write) -> None:
        """Write now, or with what is written together."""
        writes = getattr(self._state, "writes", None)
        if writes is not None:
            writes.append(write)
        else:
            self.transact(write)

    def set_study_user_attr(self, study_id: int, key: str, value: Any) -> None:
        """Keep an attribute of a study."""
        self.attempt(partial(super().set_study_user_attr, study_id, key, plain(value)))

    def set_trial_user_attr(self, trial_id: int, key: str, value: Any) -> None:
        """Keep an attribute of a trial."""
        self._set_attr(models.TrialUserAttributeModel, trial_id, key, value)

    def set_trial_system_attr(self, trial_id: int, key: str, value: Any) -> None:
        """Keep an attribute of a trial that is Optuna's own."""
        self._set_attr(models.TrialSystemAttributeModel, trial_id, key, value)

    def _set_attr(self, kind: Any, trial_id: int, key: str, value: Any) -> None:
        content = plain(value)
        if getattr(self._state, "writes", None) is None:
            self.transact(lambda session: self.write_attribute(session, kind, trial_id, key, content))
        else:  # those of a transaction are written together, before a trial may end in it
            self._state.attributes.setdefault(kind, {})[trial_id, key] = content

    def set_trial_intermediate_value(self, trial_id: int, step: int, intermediate_value: float) -> None:
        """Keep a value that a trial reports."""
        value = float(intermediate_value)
        self._write(lambda session: self.write_report(session, trial_id, step, value))

    def set_trial_param(
        self, trial_id: int, param_name: str, param_value_internal: float, distribution: BaseDistribution
    ) -> None:
        """Keep a parameter of a trial."""
        self.keep_param(trial_id, param_name, param_value_internal, distribution, None)

    def keep_param(
        self, trial_id: int, name: str, value: float, distribution: BaseDistribution, previous: BaseDistribution | None
    ) -> None:
        """Keep a parameter of a trial, with the distribution that other trials had it from."""
        number = float(value)

        def write(session: Session) -> None:
            written_names = session.info.get(trial_id)
            if written_names is None:
                rows = session.query(models.TrialParamModel.param_name).filter_by(trial_id=trial_id)
                written_names = session.info[trial_id] = {row_name for (row_name,) in rows}
            if name in written_names:
                return  # written before; only the answer was lost
            written_names.add(name)
            with session.no_autoflush:  # so that those that are written together are sent together
                self.write_param(session, trial_id, name, number, distribution, previous)

        self._write(write)

    def set_trial_state_values(self, trial_id: int, state: TrialState, values: Sequence[float] | None = None) -> bool:
        """End a trial, or start one that waits; the same end again changes nothing."""
        numbers = None if values is None else [float(value) for value in values]
        if getattr(self._state, "writes", None) is None:
            return self.attempt(partial(super().set_trial_state_values, trial_id, state, numbers))
        self._write(partial(self._end, trial_id, state, numbers))
        return True

    def _end(self, trial_id: int, state: TrialState, values: Sequence[float] | None, session: Session) -> None:
        trial: Any = models.TrialModel.find_or_raise_by_id(trial_id, session, for_update=True)
        if trial.state == state:
            return  # written before; only the answer was lost
        self.check_trial_is_updatable(trial_id, trial.state)
        for objective, value in enumerate(values or ()):
            self.write_value(session, trial, objective, value)
        trial.state, trial.datetime_complete = state, datetime.now()

    def check_trial_is_updatable(self, trial_id: int, trial_state: TrialState) -> None:
        """Raise UpdateFinishedTrialError for a trial that has ended; Optuna would read it for that, in another transaction."""
        if trial_state.is_finished():
            raise UpdateFinishedTrialError(f"the trial with the id {trial_id} has ended, and can be changed no more.")

    def create_whole_study(
        self, name: str, directions: Sequence[StudyDirection], user: Mapping[str, Any], system: Mapping[str, Any]
    ) -> None:
        """Create a study with all its attributes at once, unless there is one of this name: no process reads half of it."""

        def add(session: Session) -> None:
            self.add_study(session, name, directions, user, system)

        try:
            self.transact(add)
        except IntegrityError:  # another process added it after this one had looked: now it is there
            self.transact(add)

    def add_study(
        self,
        session: Session,
        name: str,
        directions: Sequence[StudyDirection],
        user: Mapping[str, Any],
        system: Mapping[str, Any],
    ) -> int | None:
        """Add a study with its attributes and give its number; None, and nothing is added, where one of this name is there."""
        if models.StudyModel.find_by_name(name, session) is not None:
            return None
        rows = [models.StudyDirectionModel(objective=number, direction=way) for number, way in enumerate(directions)]
        study: Any = models.StudyModel(study_name=name, directions=rows)
        session.add(study)
        session.flush()
        remove_rows(session, study_id=study.study_id)
        remove_lost_rows(session)
        for kind, values in ((models.StudyUserAttributeModel, user), (models.StudySystemAttributeModel, system)):
            for key, value in values.items():
                session.add(kind(study_id=study.study_id, key=key, value_json=as_json(value)))
        return int(study.study_id)

    def delete_study(self, study_id: int) -> None:
        """Delete a study, also while its trials are written to.

        Optuna's own deletes nothing then, without a word, where a trial was given a row after it had looked. Here whoever
        writes to the study or to a trial waits until it is gone.
        """
        trial = models.TrialModel

        def delete(session: Session) -> None:
            study = models.StudyModel.find_or_raise_by_id(study_id, session, for_update=True)
            session.query(trial.trial_id).filter_by(study_id=study_id).order_by(trial.trial_id).with_for_update().all()
            session.delete(study)
            remove_rows(session, study_id=study_id)

        self.transact(delete)


def _retried(name: str, *, reads: bool) -> Callable[..., Any]:
    inherited: Callable[..., Any] = getattr(InnerStorage, name)

    @wraps(inherited)
    def call(self: RetryingRDBStorage, *args: Any, **options: Any) -> Any:
        try:
            return self.attempt(partial(inherited, self, *args, **options), reads=reads)
        except FOREIGN as error:
            # Optuna says so where a study or a trial is missing, or refuses what it is given.
            if not reads or isinstance(error, KeyError | PitsearchError):
                raise
            raise StudyError(
                f"the rows of a study must be as Optuna wrote them, but: {reason_of(error)}; `pitsearch status` shows the rest "
                "of it, `pitsearch storage copy --salvage FROM TO` saves it."
            ) from None

    return call


for name in (*READS, *WRITES):
    setattr(RetryingRDBStorage, name, _retried(name, reads=name in READS))


def _lock_when_begun(engine: Engine, state: local) -> None:
    """Begin SQLite's transactions by hand: those that may write with the write lock, the others with none."""

    @event.listens_for(engine, "connect")
    def connect(connection: Any, record: object) -> None:
        connection.isolation_level = None  # sqlite3 begins none by itself

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN" if getattr(state, "reads", False) else "BEGIN IMMEDIATE")
