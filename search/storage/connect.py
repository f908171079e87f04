"""Open the database of studies: it is created whole or not at all, and no error quotes its address.

Connecting is repeated like all else while a database is away, is locked or has no connection free (`search/storage/retry.py`).
Knows nothing of what a study holds.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import lru_cache
from pathlib import Path
from typing import Any

import optuna
import sqlalchemy as sql
from optuna.storages import get_storage
from sqlalchemy import Engine
from sqlalchemy.engine import URL
from sqlalchemy.exc import NoSuchModuleError, SQLAlchemyError
from sqlalchemy.orm import Session

from foils.atomic_write import open_new, sync_folder, temporary_name
from search import defaults
from search.errors import StorageAway, StudyError
from search.storage.lease_table import METADATA
from search.storage.optuna_internals import CachedStorage, inner_storage
from search.storage.progress_table import PROGRESS
from search.storage.rdb import RetryingRDBStorage
from search.storage.retry import is_transient, reason_of, repeat
from search.storage.urls import is_file, parse_url, place_of, read_password

# Seconds that SQLite waits for another writer and that a server may take to answer; seconds that connecting may take.
BUSY_SECONDS, CONNECT_SECONDS = 60, 10
# The lock that two processes which open one database wait for: a number for PostgreSQL, part of a name for MySQL.
LOCK = 0x9175EA
# SQLite may corrupt a database in WAL mode from 3.7.0 on until this version (the WAL-reset bug).
WAL_IS_SAFE = (3, 51, 3)

optuna.logging.set_verbosity(optuna.logging.WARNING)


def open_storage(url: str, *, create: bool = False) -> CachedStorage:
    """Open a storage; unless `create`, an SQLite file must exist.

    Raises StudyError, never quoting the address, which may be wrong in ways that show a password; StorageAway where connecting
    was tried for as long as any call is.
    """
    parsed = parse_url(url)
    file = Path(parsed.database or "")
    if is_file(parsed):
        if parsed.database in (None, "", ":memory:"):
            raise StudyError(
                f"an SQLite storage must be a file that workers share, but got none; write e.g. {defaults.STORAGE}."
            )
        if not create and not file.is_file():
            raise StudyError(
                f"{parsed.database}: a storage must exist, but this file does not; run `pitsearch launch DATA` first, or give "
                "--storage."
            )
        # A file is meant from here: connections are kept by address, and whoever changes folder must not get another's.
        parsed = parsed.set(database=str(file.absolute()))
    try:
        if is_file(parsed) and not file.exists():
            _make_file(parsed)
        return _connect(parsed.render_as_string(hide_password=False))
    except (NoSuchModuleError, ModuleNotFoundError, ImportError):
        raise StudyError(
            f"the storage's driver must be installed, but {parsed.drivername!r} is not; install it, or use {defaults.STORAGE}."
        ) from None
    except (SQLAlchemyError, RuntimeError, OSError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else reason_of(error)
        if is_file(parsed):
            remedy = "check folder and rights"
        elif "no password supplied" in reason:
            remedy = "give it in PITSEARCH_DB_PASSWORD, or in a file of your own that PITSEARCH_DB_PASSWORD_FILE names"
        else:
            remedy = "check that it runs, the address and the password"
        kind = StorageAway if is_transient(error) else StudyError
        raise kind(f"{place_of(parsed)}: the storage must be a writable database, but: {reason}; {remedy}.") from None


def forget_storages() -> None:
    """Connect anew at the next opening of a storage, with nothing of it read yet."""
    _connect.cache_clear()


def backend_of(storage: CachedStorage) -> RetryingRDBStorage:
    """Give the storage behind Optuna's cache."""
    backend = inner_storage(storage)
    assert isinstance(backend, RetryingRDBStorage)  # open_storage opens no other
    return backend


@lru_cache(maxsize=8)
def _connect(address: str) -> CachedStorage:
    opened = repeat(lambda: _open_whole(parse_url(address)))
    # With Optuna's cache around it from the start: left to load_study, each trial would read the whole study anew.
    cached = get_storage(opened)
    assert isinstance(cached, CachedStorage)  # of a database it is
    return cached


def _open_whole(url: URL) -> RetryingRDBStorage:
    """Open a database, with Optuna's tables and ours. The lock is for making them alone: waiting for it takes a connection."""
    if is_file(url) or _has_tables(url):
        opened = _open(url)
        if is_file(url) and not opened.transact(_has_ours, reads=True):  # Optuna alone made it, or an older pitsearch
            _make_tables(opened.engine)
    else:
        with _alone(url):
            opened = _open(url)
            _make_tables(opened.engine)
    if is_file(url):
        _leave_wal(opened)
    return opened


def _has_tables(url: URL) -> bool:
    """Tell whether a server's database has all tables: ours are made last."""
    engine = sql.create_engine(url, poolclass=sql.NullPool, connect_args=_connect_args(url))
    try:
        with Session(engine) as session:
            return _has_ours(session)
    finally:
        engine.dispose()


def _has_ours(session: Session) -> bool:
    """Tell whether the table of ours that came last is there."""
    return sql.inspect(session.connection()).has_table(PROGRESS.name)


def _open(url: URL) -> RetryingRDBStorage:
    """Open a database whose tables are there, or make them."""
    # Optuna reads braces in an address as a template.
    address = url.render_as_string(hide_password=False).replace("{", "{{").replace("}", "}}")
    return RetryingRDBStorage(address, engine_kwargs=_options(url))


def _options(url: URL) -> dict[str, Any]:
    """Give an engine's options: a worker holds one connection, and for a moment a second, to renew its lease."""
    if is_file(url):
        return {"connect_args": {"timeout": BUSY_SECONDS}}
    return {"pool_pre_ping": True, "pool_size": 1, "max_overflow": 3, "connect_args": _connect_args(url)}


def _connect_args(url: URL) -> dict[str, Any]:
    """Give a driver's options beside the address: the password, and when to give up a server that does not answer."""
    password = read_password()
    secret = {} if password is None else {"password": password}
    if url.get_backend_name() == "postgresql" and url.get_driver_name().startswith("psycopg"):
        return {**secret, "connect_timeout": CONNECT_SECONDS, "keepalives_idle": 30, "tcp_user_timeout": 1000 * BUSY_SECONDS}
    return {**secret, "connect_timeout": CONNECT_SECONDS}


@contextmanager
def _alone(url: URL) -> Iterator[None]:
    """Make other processes that open a server's database wait, so that its tables are made once."""
    engine = sql.create_engine(url, poolclass=sql.NullPool, connect_args=_connect_args(url))
    lock = {"postgresql": f"select pg_advisory_lock({LOCK})", "mysql": f"select get_lock('pitsearch-{LOCK}', 600)"}
    try:
        with engine.connect() as connection:  # which lets the lock go when it is closed
            connection.execute(sql.text(lock[url.get_backend_name()]))
            yield
    finally:
        engine.dispose()


def _make_tables(engine: Engine) -> None:
    """Make our own tables where they are missing, in a transaction that no other starter's can cross."""
    with engine.begin() as connection:
        METADATA.create_all(connection)


def _make_file(url: URL) -> None:
    """Make an SQLite database under a temporary name, tables and all, and link it: whoever sees the file sees it whole.

    Optuna makes tables in place, where a second process that opens the unfinished file breaks the first.
    """
    path = Path(url.database or "")
    temporary = temporary_name(path.with_name(f".{path.name}"))
    with suppress(OSError):  # SQLite says what is wrong with the folder
        open_new(temporary, 0o644).close()  # a file that no other process has
    try:
        storage = _open(url.set(database=str(temporary)))
        _make_tables(storage.engine)
        storage.remove_session()
        storage.engine.dispose()
        with suppress(FileExistsError):  # another process was first, and its file is as good
            path.hardlink_to(temporary)
            sync_folder(path.parent)
    finally:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)


def _leave_wal(storage: RetryingRDBStorage) -> None:
    """Take an SQLite database out of WAL mode where this SQLite may corrupt it there. Raises StudyError where it cannot."""
    connection = storage.engine.raw_connection()
    try:
        cursor = connection.cursor()
        (mode,) = cursor.execute("PRAGMA journal_mode").fetchone()
        if mode == "wal" and sqlite3.sqlite_version_info < WAL_IS_SAFE:
            (mode,) = cursor.execute("PRAGMA journal_mode = DELETE").fetchone()
            if mode == "wal":
                raise StudyError(
                    f"an SQLite storage must not be in WAL mode with SQLite {sqlite3.sqlite_version}, which may corrupt it, "
                    "but it is, and others use it; end them, then run this again."
                )
    finally:
        connection.close()
