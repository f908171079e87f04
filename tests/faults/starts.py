"""Faults of a start: a database that is away, locked or full, containers that share a folder, Ctrl-C while workers start."""

from __future__ import annotations

import os
import random
import shutil
import signal
import sqlite3
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, closing, contextmanager
from pathlib import Path

import psycopg

from search.trials.records import STOPPED, TrialOrigin
from tests.faults.deaths import ended_well, finish
from tests.faults.lab import Lab, said
from tests.support.engines import Postgres
from tests.support.processes import left_in_memory

# Seconds that a database is away when commands begin; connections that are free; workers that want one.
AWAY_S, FREE, WORKERS = 8.0, 5, 8
# What starts a process in a container of its own, where it is the first: process 1. Needs root.
CONTAINER = ("unshare", "--pid", "--fork", "--kill-child", "--mount-proc")
# What sends a process's stderr to the file that follows.
STDERR_TO = ("sh", "-c", 'exec "$@" 2>"$0"')
# Seconds within which Ctrl-C is pressed, and within which nothing of a launch may be left.
LAST_S, TIDY_S = 6.0, 5.0


@contextmanager
def stopped(postgres: Postgres) -> Iterator[None]:
    """Stop PostgreSQL for a while."""
    postgres.stop()
    try:
        yield
    finally:
        postgres.start()


@contextmanager
def locked(file: str) -> Iterator[None]:
    """Lock the file of an SQLite database for a while: nobody can read it, either."""
    with closing(sqlite3.connect(file, isolation_level=None)) as connection:
        connection.execute("BEGIN EXCLUSIVE")
        yield
        connection.execute("COMMIT")


def begin_while_locked(lab: Lab) -> str:
    """Begin commands while the file is locked."""
    lab.prepare()
    return _begin_while(lab, locked(lab.storage.removeprefix("sqlite:///")))


def begin_while_stopped(lab: Lab, postgres: Postgres) -> str:
    """Begin commands while PostgreSQL is stopped, the first of them for a study that is not there yet."""
    with stopped(postgres):
        launcher = lab.launch(0)
        time.sleep(AWAY_S)
        assert launcher.poll() is None, said(launcher)
    ended_well(launcher)
    return _begin_while(lab, stopped(postgres))


def _begin_while(lab: Lab, away: AbstractContextManager[None]) -> str:
    """Begin commands while the database is away; they must wait, and do what they are for when it is there again."""
    named = ("--study", "lab", "--storage", lab.storage)
    with away:
        begun = [lab.start(["status", *named]), lab.worker(), lab.launch(2)]
        time.sleep(AWAY_S)
        ended = [said(process) for process in begun if process.poll() is not None]
        assert not ended, f"not waited for: {ended}"
    out = [ended_well(process) for process in begun]
    return f"status, worker and launch waited for {AWAY_S:.0f} s, {sum('is away' in text for text in out)} of them said so"


def take_the_connections(lab: Lab, postgres: Postgres) -> str:
    """Leave a launch of eight workers but few connections."""
    address = f"host=127.0.0.1 port={postgres.port} user=postgres dbname=postgres"
    (most,), (used,) = (
        postgres.execute("show max_connections")[0],
        postgres.execute("select count(*) - 1 from pg_stat_activity where backend_type = 'client backend'")[0],
    )
    with ExitStack() as taken:
        for _ in range(int(str(most)) - int(str(used)) - FREE):
            taken.enter_context(psycopg.connect(address))
        launcher = lab.launch(WORKERS)
        ended_well(launcher)
    workers = {TrialOrigin.demand(trial).worker for trial in lab.read()}
    return f"{FREE} connections were free for {WORKERS} workers, {len(workers)} of them worked"


def share_between_containers(lab: Lab) -> str:
    """Let two containers, each of which sees itself as process 1, share database, cache and folder of runs."""
    lab.environment["PITSEARCH_CACHE"] = str(lab.folder / "cache")
    lab.prepare()
    named = ("--study", "lab", "--storage", lab.storage)
    both = [lab.launch(1, prefix=CONTAINER), lab.worker(prefix=CONTAINER)]
    with lab.watched():
        assert set(lab.wait_for_rungs(2).values()) == {1}
        ended_well(lab.start(["status", *named], CONTAINER))
        for process in both:
            ended_well(process)
    again = [trial.number for trial in lab.read() if STOPPED.read(trial) is not None]
    assert not again, f"trials {again} were taken from a worker that lived"
    words = ["confirm", *named, "--top", "1", "--repeats", "1", "--reliability", "0", "--workers", "2"]
    tables = [ended_well(process) for process in [lab.start(words, CONTAINER) for _ in range(2)]]
    assert tables[0] == tables[1], tables
    return "no trial was taken from the other, and both confirmed to the same numbers"


def interrupt_the_start(lab: Lab, times: int) -> str:
    """Press Ctrl-C in the first seconds of a launch, counted from when its own code begins: before, Python answers."""
    generator, errors, temporary = random.Random(0), lab.folder / "stderr", lab.folder / "tmp"
    temporary.mkdir()
    moments = [0.0, *sorted(generator.uniform(0, LAST_S) for _ in range(times - 2)), LAST_S]
    lab.environment["TMPDIR"] = str(temporary)
    for moment in moments:
        launcher = lab.launch(2, prefix=(*STDERR_TO, str(errors)))
        while not catches(launcher.pid, signal.SIGTERM):
            time.sleep(0.001)
        time.sleep(moment)
        os.killpg(launcher.pid, signal.SIGINT)
        out, said_wrong = said(launcher), errors.read_text(encoding="utf-8").splitlines()
        where = f"after {moment:.2f} s: exit code {launcher.returncode}, {out!r}, {said_wrong}"
        assert launcher.returncode == 130, where
        assert len(said_wrong) <= 1 and "Traceback" not in out, where
        left = left_by(launcher.pid, temporary)
        assert not left, f"{where}: {left}"
        begun = sorted(path.name for path in lab.folder.glob(".studies.db*"))
        assert not begun, f"{where}: {begun}"
        shutil.rmtree(lab.runs, ignore_errors=True)
        Path(lab.storage.removeprefix("sqlite:///")).unlink(missing_ok=True)
    del lab.environment["TMPDIR"]
    finish(lab)
    return f"{times} moments from {moments[0]:.2f} to {moments[-1]:.2f} s, each ended with 130 and left nothing"


def catches(process: int, number: int) -> bool:
    """Tell whether a process has a handler for a signal; Python itself has none for SIGTERM."""
    lines = Path(f"/proc/{process}/status").read_text(encoding="utf-8").splitlines()
    (mask,) = [line.split()[1] for line in lines if line.startswith("SigCgt:")]
    return bool(int(mask, 16) >> (number - 1) & 1)


def left_by(process: int, temporary: Path) -> list[str]:
    """Give the names of what a process still has in shared memory, and in its temporary folder, when it had time to tidy up."""
    end = time.monotonic() + TIDY_S
    while (left := left_in_memory(process) + [path.name for path in temporary.iterdir()]) and time.monotonic() < end:
        time.sleep(0.1)
    return left
