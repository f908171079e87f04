"""Open the database that studies are kept in: made whole or not at all, its address never quoted in an error.

Knows nothing of what a study holds.
"""

from __future__ import annotations

import os
from contextlib import suppress
from functools import lru_cache
from pathlib import Path

import optuna
from optuna.storages import BaseStorage, RDBStorage, get_storage
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, SQLAlchemyError

from search import defaults
from search.errors import StudyError

# The seconds that SQLite waits for another writer.
BUSY_SECONDS = 60

optuna.logging.set_verbosity(optuna.logging.WARNING)


@lru_cache(maxsize=8)
def _connect(url: str) -> BaseStorage:
    arguments = {"connect_args": {"timeout": BUSY_SECONDS}} if url.startswith("sqlite") else {"pool_pre_ping": True}
    # With Optuna's cache around it from the start: left to load_study, each trial would read the whole study anew.
    return get_storage(RDBStorage(url, engine_kwargs=arguments))


def _make_database(url: URL) -> None:
    """Make an SQLite database under a temporary name, tables and all, and link it: whoever sees the file sees it whole.

    Optuna makes tables in place, where a second process that opens the half-made file breaks the first.
    """
    path = Path(url.database or "")
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        made = RDBStorage(url.set(database=str(temporary)).render_as_string())
        made.remove_session()
        made.engine.dispose()
        with suppress(FileExistsError):  # another process was first, and its file is as good
            path.hardlink_to(temporary)
    finally:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)


def open_storage(url: str, *, create: bool = False) -> BaseStorage:
    """Open a storage; unless `create`, an SQLite file must be there already.

    Raises StudyError, never quoting the address, which may hold a password.
    """
    try:
        parsed = make_url(url)
    except ArgumentError:
        raise StudyError("a storage must be a database address, but got none; write e.g. sqlite:///studies.db.") from None
    sqlite, file = parsed.get_backend_name() == "sqlite", Path(parsed.database or "")
    if sqlite and parsed.database in (None, "", ":memory:"):
        raise StudyError(f"an SQLite storage must be a file that workers share, but got none; write e.g. {defaults.STORAGE}.")
    if sqlite and not create and not file.is_file():
        raise StudyError(
            f"{parsed.database}: a storage must be there, but this file is not; run `pitsearch launch DATA` first, or give "
            "--storage."
        )
    try:
        if sqlite and not file.exists():
            _make_database(parsed)
        # A file is meant from here: connections are kept by address, and whoever changes folder must not get another's.
        return _connect(parsed.set(database=str(file.absolute())).render_as_string() if sqlite else url)
    except (NoSuchModuleError, ModuleNotFoundError, ImportError):
        raise StudyError(
            f"the storage's driver must be installed, but {parsed.drivername!r} is not; install it, or use {defaults.STORAGE}."
        ) from None
    except (SQLAlchemyError, RuntimeError, OSError) as error:
        reason = str(getattr(error, "orig", None) or getattr(error, "strerror", None) or type(error).__name__).splitlines()[0]
        place = parsed.database if sqlite else parsed.get_backend_name()
        raise StudyError(f"{place}: the storage must be a writable database, but: {reason}; check folder and rights.") from None
