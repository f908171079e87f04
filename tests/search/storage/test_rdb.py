"""The storage outlives a database that is away, repeats what may have been done, and writes together what belongs so."""

from __future__ import annotations

import math
import sqlite3
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import optuna
import pytest
import sqlalchemy as sql
from optuna.exceptions import StorageInternalError, UpdateFinishedTrialError
from optuna.storages import RDBStorage
from optuna.study import StudyDirection
from optuna.trial import TrialState
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from search.storage import retry as retrying
from search.storage.connect import backend_of, open_storage
from search.storage.json_values import plain
from search.storage.optuna_internals import models, trial_id_of
from search.storage.rdb import READS, WRITES, RetryingRDBStorage
from search.storage.retry import is_transient
from tests.support.engines import Postgres


@pytest.fixture
def storage(storage_url: str) -> RetryingRDBStorage:
    """A storage with a study, number 1."""
    made = backend_of(open_storage(storage_url, create=True))
    made.create_whole_study("study", [StudyDirection.MAXIMIZE], {"plan": {"a": np.int64(1)}}, {"study:metric_names": ["m"]})
    return made


def study_of(storage_url: str) -> optuna.Study:
    return optuna.load_study(study_name="study", storage=open_storage(storage_url))


def test_a_study_is_created_once_with_all_its_attributes(storage: RetryingRDBStorage, storage_url: str) -> None:
    storage.create_whole_study("study", [StudyDirection.MINIMIZE], {"plan": {"a": 2}}, {})
    study = study_of(storage_url)
    assert (study.directions, study.user_attrs, study.metric_names) == ([StudyDirection.MAXIMIZE], {"plan": {"a": 1}}, ["m"])


def test_a_report_of_any_size_is_kept_and_the_last_one_on_a_step_counts(storage: RetryingRDBStorage, storage_url: str) -> None:
    study = study_of(storage_url)
    trial = study.ask()
    for step, value in enumerate((math.inf, -math.inf, math.nan, 0.5, 1.0)):
        storage.set_trial_intermediate_value(trial_id_of(trial), step % 4, value)
    assert str(study.trials[0].intermediate_values) == "{0: 1.0, 1: -inf, 2: nan, 3: 0.5}"
    study.tell(trial, 0.5)
    with pytest.raises(UpdateFinishedTrialError, match="has ended, and can be changed no more"):
        storage.set_trial_intermediate_value(trial_id_of(trial), 0, 0.1)


def test_two_processes_that_create_the_same_study_at_once_give_one(
    storage: RetryingRDBStorage, storage_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked: list[str] = []

    def look(name: str, session: Session) -> object:
        """Find no study at the first look, as before another process adds it."""
        looked.append(name)
        return None if len(looked) == 1 else find(name, session)

    find = models.StudyModel.find_by_name
    monkeypatch.setattr(models.StudyModel, "find_by_name", look)
    storage.create_whole_study("study", [StudyDirection.MINIMIZE], {"plan": {"a": 2}}, {})
    assert looked == ["study", "study"]
    assert study_of(storage_url).user_attrs == {"plan": {"a": 1}}


def test_what_is_written_together_is_seen_together_or_not_at_all(storage: RetryingRDBStorage, storage_url: str) -> None:
    study = study_of(storage_url)
    trial = study.ask()
    with pytest.raises(RuntimeError, match="in between"), storage.transaction():
        trial.suggest_float("x", 0, 1)
        trial.report(0.5, 1)
        raise RuntimeError("in between")
    assert not study.trials[0].params
    assert not study.trials[0].intermediate_values

    def refused(session: Session) -> None:
        raise PermissionError

    with pytest.raises(PermissionError), storage.transaction(refused):
        trial.set_user_attr("a", 1)
    assert study.trials[0].user_attrs == {}
    again = optuna.Trial(study, trial._trial_id)
    with storage.transaction():
        x = again.suggest_float("x", 0, 1)
        again.report(0.5, 1)
        again.set_user_attr("a", 1)
        assert study.trials[0].params == {}
        study.tell(again, 0.25)
        assert study.trials[0].state == TrialState.RUNNING
    (found,) = study.trials
    assert (found.params, found.intermediate_values, found.user_attrs) == ({"x": x}, {1: 0.5}, {"a": 1})
    assert (found.state, found.value) == (TrialState.COMPLETE, 0.25)
    assert found.datetime_complete is not None
    with pytest.raises(UpdateFinishedTrialError), storage.transaction():
        storage.set_trial_user_attr(trial._trial_id, "a", 2)


def test_numpys_numbers_are_numbers(storage: RetryingRDBStorage, storage_url: str) -> None:
    study = study_of(storage_url)
    trial = study.ask()
    trial.set_user_attr("a", {"i": np.int64(1), "f": np.float32(0.5), "b": np.bool_(True), "v": np.arange(2)})
    study.set_user_attr("a", np.float32(0.5))
    trial.report(np.float32(0.25), np.int64(3))  # type: ignore[arg-type]
    with storage.transaction():
        study.tell(trial, np.float32(0.5))  # type: ignore[arg-type]
    (found,) = study.trials
    assert found.user_attrs == {"a": {"i": 1, "f": 0.5, "b": True, "v": [0, 1]}}
    assert (found.intermediate_values, found.value, study.user_attrs["a"]) == ({3: 0.25}, 0.5, 0.5)
    with pytest.raises(TypeError, match="an attribute must be plain or numpy's, but got set"):
        plain({1})


@pytest.fixture
def lost(storage: RetryingRDBStorage) -> Iterator[list[str]]:
    """Lose the answer to every commit named in it: it is done, and an error is all that comes back."""
    losing: list[str] = []
    commit = storage.engine.dialect.do_commit

    def do_commit(connection: object) -> None:
        commit(connection)  # type: ignore[arg-type]
        if losing:
            losing.pop()
            raise OperationalError("commit", {}, Exception("server closed the connection"))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(storage.engine.dialect, "do_commit", do_commit)
        patch.setattr(retrying, "FIRST_S", 0.0)
        yield losing


def test_what_was_done_but_not_answered_is_not_done_twice(
    storage: RetryingRDBStorage, storage_url: str, lost: list[str]
) -> None:
    study = study_of(storage_url)
    trial = study.ask()
    with storage.transaction():
        x = trial.suggest_float("x", 0, 1)
        trial.report(0.5, 1)
        lost.append("parameter and report")
    assert not lost
    lost.append("attribute")
    storage.set_trial_user_attr(trial._trial_id, "a", 1)
    with storage.transaction():
        study.tell(trial, 0.25)
        lost.append("end")
    assert not lost
    lost.append("study")
    storage.create_whole_study("other", [StudyDirection.MAXIMIZE], {}, {})
    assert not lost
    (found,) = study.trials
    assert (found.params, found.intermediate_values, found.user_attrs, found.value) == ({"x": x}, {1: 0.5}, {"a": 1}, 0.25)
    assert sorted(optuna.get_all_study_names(open_storage(storage_url))) == ["other", "study"]


def test_every_call_of_optunas_storage_is_tried_again() -> None:
    # Whatever Optuna's own class answers to a study, a newer Optuna's too, must be in one of the tables, or be ours.
    ours = {name for name in vars(RetryingRDBStorage) if not name.startswith("__")}
    asked = {name for name in vars(optuna.storages.BaseStorage) if not name.startswith("_")}
    derived = {"create_new_trial", "get_all_trials", "get_best_trial", "get_n_trials", "remove_session"}
    derived |= {"get_trial_number_from_id", "get_trial_params", "check_trial_is_updatable"}
    assert asked - derived <= ours
    assert all(hasattr(RDBStorage, name) for name in (*READS, *WRITES))


def test_a_lock_is_waited_for_and_a_read_takes_none(tmp_path: Path) -> None:
    storage = backend_of(open_storage(f"sqlite:///{tmp_path}/studies.db", create=True))
    other = sqlite3.connect(tmp_path / "studies.db", isolation_level=None, check_same_thread=False)
    other.execute("BEGIN IMMEDIATE")
    assert storage.get_all_studies() == []  # while another writes
    threading.Timer(0.3, lambda: other.execute("COMMIT")).start()
    started = time.monotonic()
    storage.create_new_study([StudyDirection.MAXIMIZE], "study")
    assert time.monotonic() - started > 0.2
    other.close()


@pytest.mark.slow
def test_a_server_that_is_away_is_waited_for(postgres: Postgres, postgres_url: str, capfd: pytest.CaptureFixture[str]) -> None:
    storage = backend_of(open_storage(postgres_url, create=True))
    study = optuna.create_study(study_name="study", storage=open_storage(postgres_url))
    trial = study.ask()
    postgres.kill()
    timer = threading.Timer(2.0, postgres.start)
    timer.start()
    trial.set_user_attr("a", 1)
    timer.join()
    assert storage.get_trial(trial._trial_id).user_attrs == {"a": 1}
    said = capfd.readouterr().err
    assert said.count("the storage is away (") == 1
    assert "SELECT" not in said


def test_patience_ends(storage: RetryingRDBStorage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retrying, "PATIENCE_S", 0.0)
    tried: list[int] = []

    def work() -> None:
        tried.append(1)
        raise OperationalError("select", {}, Exception("the database system is starting up"))

    with pytest.raises(OperationalError):
        storage.attempt(work)
    assert 1 <= len(tried) <= 2


def test_pauses_grow_up_to_the_longest_and_the_wait_is_said_once(
    storage: RetryingRDBStorage, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pauses: list[float] = []
    monkeypatch.setattr("tenacity.nap.time.sleep", pauses.append)
    monkeypatch.setattr(retrying, "TOLD_S", -1.0)
    errors = [OperationalError("select", {}, Exception("the database system is starting up")) for _ in range(9)]

    def work() -> str:
        if errors:
            raise errors.pop()
        return "done"

    assert storage.attempt(work) == "done"
    middles = [0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 5.0, 5.0, 5.0]
    assert all(middle / 2 <= pause < 1.5 * middle for pause, middle in zip(pauses, middles, strict=True))
    said = "the storage is away (the database system is starting up); it is asked again for 10 minutes; Ctrl-C ends that\n"
    assert capsys.readouterr().err == said


@pytest.mark.parametrize(
    ("reason", "passes"),
    [
        ("database is locked", True),
        ("database or disk is full", True),
        ("connection to server at 127.0.0.1 failed: Connection refused", True),
        ("the database system is shutting down", True),
        ("too many clients already", True),
        ("attempt to write a readonly database", False),
        ("no such table: trials", False),
        ("database disk image is malformed", False),
        ('password authentication failed for user "me"', False),
    ],
)
def test_only_what_may_pass_is_waited_for(reason: str, passes: bool) -> None:
    error = OperationalError("select", {}, Exception(reason))
    assert is_transient(error) == passes
    wrapped = StorageInternalError("An exception is raised during the commit.")
    wrapped.__cause__ = error
    assert is_transient(wrapped) == passes
    assert not is_transient(sql.exc.IntegrityError("insert", {}, Exception("unique")))


@pytest.mark.parametrize("commits", [True, False], ids=["writes", "gives up"])
def test_a_study_is_deleted_while_a_trial_is_written_to(postgres_url: str, commits: bool) -> None:
    storage = backend_of(open_storage(postgres_url, create=True))
    storage.create_whole_study("study", [StudyDirection.MAXIMIZE], {}, {})
    number = trial_id_of(study_of(postgres_url).ask())
    deletion = threading.Thread(target=storage.delete_study, args=(1,))
    waiting = sql.text("select count(*) from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()")
    with Session(storage.engine) as writer:
        writer.add(models.TrialUserAttributeModel(trial_id=number, key="late", value_json="1"))
        writer.flush()
        deletion.start()
        while not storage.transact(lambda session: session.execute(waiting).scalar(), reads=True):
            assert deletion.is_alive()
        writer.commit() if commits else writer.rollback()
    deletion.join()
    assert storage.get_all_studies() == []
    with pytest.raises(KeyError):
        storage.delete_study(1)
