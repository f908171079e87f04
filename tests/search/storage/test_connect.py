"""A storage is a database that can be used, made whole, or it is refused without its address."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path

import optuna
import psycopg
import pytest
from sqlalchemy.exc import OperationalError

from search.errors import StorageAway, StudyError
from search.storage import connect, retry
from search.storage.connect import open_storage
from tests.support.engines import Postgres


@pytest.mark.parametrize(
    ("address", "message"),
    [
        ("nonsense", "a storage must be a database address"),
        ("sqlite://", "an SQLite storage must be a file that workers share, but got none"),
        ("sqlite:///:memory:", "an SQLite storage must be a file that workers share, but got none"),
        ("sqlite:///{folder}/none.db", "a storage must exist, but this file does not; run `pitsearch launch DATA` first"),
        ("nodb://user@host/name", "the storage's driver must be installed, but 'nodb' is not"),
    ],
)
def test_a_storage_that_cannot_be_used_is_refused_without_its_password(tmp_path: Path, address: str, message: str) -> None:
    with pytest.raises(StudyError, match=message) as caught:
        open_storage(address.format(folder=tmp_path))
    assert "secret" not in str(caught.value)
    assert not list(tmp_path.iterdir())


def test_a_folder_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StudyError, match=r"studies.db: the storage must be a writable database, but: unable to open"):
        open_storage(f"sqlite:///{tmp_path}/file/studies.db", create=True)


def test_a_new_database_is_never_seen_half_made(tmp_path: Path) -> None:
    storage = f"sqlite:///{tmp_path}/studies.db"
    opened: list[int] = []

    def watch() -> None:
        # Opens the file as soon as it is there, as `pitsearch status` might.
        while not opened:
            with suppress(StudyError):
                opened.append(len(optuna.get_all_study_names(open_storage(storage))))

    watcher = threading.Thread(target=watch)
    watcher.start()
    code = "import sys; from search.storage.connect import open_storage; open_storage(sys.argv[1], create=True)"
    starters = [subprocess.Popen([sys.executable, "-c", code, storage]) for _ in range(3)]
    assert [starter.wait(timeout=60) for starter in starters] == [0, 0, 0]
    watcher.join(timeout=60)
    assert opened == [0]
    assert [path.name for path in tmp_path.iterdir()] == ["studies.db"]


def test_a_database_that_is_locked_is_waited_for_and_reading_needs_no_lock(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    storage = f"sqlite:///{tmp_path}/studies.db"
    optuna.create_study(study_name="study", storage=open_storage(storage, create=True))
    monkeypatch.setattr(connect, "BUSY_SECONDS", 0)  # what SQLite itself waits
    other = sqlite3.connect(tmp_path / "studies.db", isolation_level=None, check_same_thread=False)
    other.execute("BEGIN IMMEDIATE")
    connect.forget_storages()
    assert optuna.get_all_study_names(open_storage(storage)) == ["study"]  # while another writes
    other.execute("COMMIT")
    other.execute("BEGIN EXCLUSIVE")
    connect.forget_storages()
    threading.Timer(0.5, lambda: other.execute("COMMIT")).start()
    started = time.monotonic()
    assert optuna.get_all_study_names(open_storage(storage)) == ["study"]
    assert time.monotonic() - started > 0.4
    other.close()


def test_a_lock_that_stays_is_said_on_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    storage = f"sqlite:///{tmp_path}/studies.db"
    open_storage(storage, create=True)
    monkeypatch.setattr(connect, "BUSY_SECONDS", 0)
    monkeypatch.setattr(retry, "PATIENCE_S", 0.0)
    connect.forget_storages()
    other = sqlite3.connect(tmp_path / "studies.db", isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    with pytest.raises(StorageAway, match=r"studies.db: the storage must be a writable database, but: database is locked; "):
        open_storage(storage)
    other.close()


@pytest.mark.slow
def test_a_server_that_is_away_is_waited_for_by_whoever_connects(postgres: Postgres, postgres_url: str) -> None:
    open_storage(postgres_url, create=True)
    for folder in ("first", "later"):  # where the tables are there, and where they are to be made
        address = postgres_url if folder == "first" else postgres.url(f"d{time.time_ns()}")
        connect.forget_storages()
        postgres.kill()
        timer = threading.Timer(1.0, postgres.start)
        timer.start()
        assert optuna.get_all_study_names(open_storage(address, create=True)) == []
        timer.join()


def test_a_server_without_a_free_connection_is_waited_for(postgres: Postgres, monkeypatch: pytest.MonkeyPatch) -> None:
    postgres.add_role("few", "secret")
    address = postgres.url(f"d{time.time_ns()}", "few")
    postgres.execute("alter role few connection limit 3")
    monkeypatch.setenv("PITSEARCH_DB_PASSWORD", "secret")
    where = f"host=127.0.0.1 port={postgres.port} user=few password=secret dbname={address.rpartition('/')[2]}"
    held = [psycopg.connect(where) for _ in range(3)]

    def let_go() -> None:
        for one in held:
            one.close()

    timer = threading.Timer(1.0, let_go)
    timer.start()
    started = time.monotonic()
    assert optuna.get_all_study_names(open_storage(address, create=True)) == []
    assert time.monotonic() - started > 0.8
    timer.join()


def test_a_host_that_there_is_not_is_refused_at_once() -> None:
    error = OperationalError("connect", {}, Exception("failed to resolve host 'nohost': [Errno -2] Name or service not known"))
    assert not retry.is_transient(error)
