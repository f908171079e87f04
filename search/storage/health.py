"""Check a storage: whether it is fit for studies, how fast it is, and which schema it has. Changes nothing in it."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

import optuna
import psutil
import sqlalchemy as sql
from sqlalchemy.engine import URL
from sqlalchemy.orm import Session

from pitsearch.errors import reason
from search.errors import StudyError
from search.storage.connect import backend_of, open_storage
from search.storage.lease_table import LEASES
from search.storage.optuna_internals import CachedStorage, models
from search.storage.rdb import RetryingRDBStorage
from search.storage.retry import patience
from search.storage.urls import is_file, parse_url, place_of

# File systems that many machines write to. SQLite's locks may fail on them, and a database is then corrupted.
NETWORK = frozenset(
    {"9p", "afs", "beegfs", "ceph", "cifs", "davfs", "fuse.beegfs", "fuse.ceph", "fuse.glusterfs", "fuse.sshfs", "glusterfs"}
    | {"gpfs", "lustre", "ncpfs", "nfs", "nfs4", "panfs", "pvfs2", "smb2", "smb3", "smbfs"}
)
# How long a database that does not answer is asked again, in seconds: its address may be wrong.
PATIENCE_S = 10.0
# Transactions that are timed.
TIMED = 25


@dataclass(frozen=True)
class StorageHealth:
    """The state of a storage."""

    # The file, or kind and host.
    place: str
    # Database and version.
    what: str
    # Where workers may run.
    workers: str
    # The version of Optuna's tables; None before they are made.
    schema: str | None
    # The names of the studies.
    studies: tuple[str, ...]
    # Milliseconds of a transaction that writes, median.
    write_ms: float
    # Milliseconds of a transaction that reads, median.
    read_ms: float


def check_storage(address: str) -> StorageHealth:
    """Check a storage. Raises StudyError, with the reason, where it is not fit."""
    url = parse_url(address)
    fault = unfit(url)
    if fault is not None:
        raise StudyError(fault)
    if is_file(url) and not Path(str(url.database)).exists():
        folder = Path(str(url.database)).absolute().parent
        if not folder.is_dir():
            raise StudyError(f"{folder}: an SQLite storage's folder must exist, but does not; make it, or correct the address.")
        try:
            with TemporaryDirectory(dir=folder, prefix=".pitsearch-check-") as scratch:
                opened = open_storage(f"sqlite:///{scratch}/check.db", create=True)
                return _checked(url, opened, exists=False)
        except OSError as error:
            raise StudyError(
                f"{folder}: the folder of an SQLite storage must be writable, but: {reason(error)}; choose another."
            ) from None
    with patience(PATIENCE_S):
        return _checked(url, open_storage(address), exists=True)


def unfit(url: URL) -> str | None:
    """Give the reason why a database is not fit for studies; None where it is."""
    if not is_file(url) or url.database in (None, "", ":memory:"):
        return None
    kind = _file_system(Path(str(url.database)).absolute())
    if kind not in NETWORK:
        return None
    return (
        f"{url.database}: an SQLite storage must be on a disk of this machine, but this is on {kind}, where its locks do not "
        "hold for sure, and a database may break; choose a local folder, or PostgreSQL for more than one machine."
    )


def _file_system(path: Path) -> str:
    """Name the kind of file system that a path is on."""
    existing = next(folder for folder in (path, *path.parents) if folder.exists()).resolve()
    mounted = [part for part in psutil.disk_partitions(all=True) if existing.is_relative_to(part.mountpoint)]
    return max(mounted, key=lambda part: len(part.mountpoint)).fstype if mounted else ""


def _checked(url: URL, opened: CachedStorage, *, exists: bool) -> StorageHealth:
    storage = backend_of(opened)
    version = storage.transact(lambda session: _version(session), reads=True)
    return StorageHealth(
        place=place_of(url),
        what=version,
        workers="on one machine" if is_file(url) else "on any machine that reaches it",
        schema=storage.get_current_version() if exists else None,
        studies=tuple(sorted(optuna.get_all_study_names(opened))) if exists else (),
        write_ms=_write_ms(storage),
        read_ms=_timed(lambda: storage.transact(_read, reads=True)),
    )


def _version(session: Session) -> str:
    if session.get_bind().dialect.name == "sqlite":
        (mode,) = session.execute(sql.text("PRAGMA journal_mode")).one()
        return f"SQLite {sqlite3.sqlite_version}, journal mode {mode}"
    return str(session.execute(sql.text("select version()")).scalar_one()).split(" (")[0].split(" on ")[0]


def _read(session: Session) -> None:
    session.query(models.StudyModel.study_id).first()


def _write_ms(storage: RetryingRDBStorage) -> float:
    """Time changes of a lease that no trial has."""
    scratch = LEASES.c.trial_id == -1

    def insert(session: Session) -> None:
        session.execute(sql.delete(LEASES).where(scratch))
        session.execute(sql.insert(LEASES).values(trial_id=-1, study_id=-1, process="", clock="", until=0.0, taken_up=0))

    def change(session: Session) -> None:
        session.execute(sql.update(LEASES).where(scratch).values(until=LEASES.c.until + 1))

    storage.transact(insert)
    try:
        return _timed(lambda: storage.transact(change))
    finally:
        storage.transact(lambda session: session.execute(sql.delete(LEASES).where(scratch)))


def _timed(work: Callable[[], object]) -> float:
    seconds = []
    for _ in range(TIMED):
        started = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - started)
    return 1e3 * median(seconds)
