"""The clock that leases are counted by, and the names of processes on this machine."""

from __future__ import annotations

import os
import socket
import time
from functools import lru_cache
from pathlib import Path

import sqlalchemy as sql
from sqlalchemy.orm import Session


def read_clock(session: Session) -> tuple[str, float]:
    """Read the clock that leases are counted by: its name, and seconds.

    A server's own; for SQLite the time since this machine started, which all its processes share and no process can set.
    """
    kind = session.get_bind().dialect.name
    if kind == "sqlite":
        return _boot(), time.monotonic()
    seconds = {"postgresql": "extract(epoch from clock_timestamp())", "mysql": "unix_timestamp(now(6))"}[kind]
    return "server", float(session.execute(sql.text(f"select {seconds}")).scalar_one())


def this_process() -> str:
    """Name this process, for those on the same machine."""
    return f"{_machine()}:{os.getpid()}"


def is_gone(process: str) -> bool:
    """Tell whether a process of this machine is no more; for one of another machine this is not known."""
    machine, _, number = process.rpartition(":")
    if machine != _machine():
        return False
    try:
        os.kill(int(number), 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False
    return False


@lru_cache(maxsize=1)
def _machine() -> str:
    """Name what process numbers count in: this machine since it started, and within it this container."""
    try:
        numbers = str(Path("/proc/self/ns/pid").readlink())
    except OSError:
        numbers = ""
    return f"{socket.gethostname()}/{_boot()}/{numbers}"


@lru_cache(maxsize=1)
def _boot() -> str:
    """Name the time since this machine was started; where the system has no name for it, the machine."""
    file = Path("/proc/sys/kernel/random/boot_id")
    return file.read_text(encoding="ascii").strip() if file.is_file() else f"machine {socket.gethostname()}"
