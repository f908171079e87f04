"""Real engines that studies run on, private to one test run: a PostgreSQL server and a SLURM cluster, both on loopback.

Each has a folder of its own under the system's temporary folder, free ports, and no part of the machine's own services. A
missing engine fails the test that asks for it: what is not tested here is tested nowhere. Knows nothing of studies.
"""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from tests.support.processes import PATIENCE_S, alive, children, end_by, free_ports, need, run, wait_until

SLURM_CONF = """\
ClusterName=tests
SlurmctldHost={host}(127.0.0.1)
SlurmUser={user}
SlurmdUser={user}
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.log
SlurmctldPort={port}
SlurmdPort={node_port}
ProctrackType=proctrack/linuxproc
CommunicationParameters=NoInAddrAny,NoCtldInAddrAny
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
# Jobs start at once: clusters look every few seconds.
SchedulerParameters=batch_sched_delay=0,sched_min_interval=0
# Two slots, whatever the machine has.
SlurmdParameters=config_overrides
ReturnToService=2
MpiDefault=none
# What clusters have by default: 30 s between SIGTERM and SIGKILL.
KillWait=30
NodeName={host} NodeAddr=127.0.0.1 CPUs=2 RealMemory=16000 State=UNKNOWN
PartitionName=main Nodes=ALL Default=YES MaxTime=INFINITE State=UP
"""


class Postgres:
    """A private PostgreSQL server. Anyone on loopback may enter, but for the roles that `add_role` makes.

    It runs as the user postgres where we are root, for it refuses to run as root; with PostgreSQL's own defaults, so that what
    is committed is on the disk.
    """

    def __init__(self, folder: Path) -> None:
        self._folder, self._data, (self.port,) = folder, folder / "data", free_ports(1)
        self._bin = Path(run([need("pg_config", "postgresql-15"), "--bindir"]))
        self._as = {"user": "postgres", "group": "postgres", "extra_groups": []} if os.geteuid() == 0 else {}
        self._server: subprocess.Popen[bytes] | None = None
        options = ["--auth=trust", "--username=postgres", "--encoding=UTF8", "--locale=C.UTF-8", "--pgdata", str(self._data)]
        if self._as:
            shutil.chown(folder, "postgres")
        run([need("initdb", "postgresql-15", self._bin), *options], cwd=folder, **self._as)
        rules = self._data / "pg_hba.conf"
        rules.write_text(
            f"host all +secretive 127.0.0.1/32 scram-sha-256\n{rules.read_text(encoding='utf-8')}", encoding="utf-8"
        )
        self.start()
        self.execute("create role secretive")

    def start(self) -> None:
        """Start the server, also after a crash; come back when it answers."""
        command = [str(self._bin / "postgres"), "-D", str(self._data), "-p", str(self.port), "-h", "127.0.0.1"]
        with (self._folder / "log").open("a") as log:
            # A child of ours, so that we reap it: a zombie still holds the lock on the data.
            self._server = subprocess.Popen(  # type: ignore[call-overload]
                [*command, "-k", str(self._folder)], stdout=log, stderr=log, cwd=self._folder, **self._as
            )
        wait_until(self._answers, f"a PostgreSQL that answers (see {self._folder}/log)")

    def stop(self) -> None:
        """Stop the server in good order; connections are closed."""
        if self._server is not None:
            self._server.send_signal(signal.SIGINT)
            self._server.wait(PATIENCE_S)
            self._server = None

    def kill(self) -> None:
        """Kill every process of the server at once, as a crash of its machine would; what was committed must survive."""
        if self._server is None:
            return
        # It must not see its children die: it would start them anew.
        self._server.send_signal(signal.SIGSTOP)
        ids = children(self._server.pid)
        for pid in (*ids, self._server.pid):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self._server.wait()
        self._server = None
        wait_until(lambda: not any(map(alive, ids)), "the end of a killed PostgreSQL")

    def _answers(self) -> bool:
        with suppress(psycopg.OperationalError):
            self.execute("select 1")
            return True
        return False

    def url(self, name: str, role: str = "postgres") -> str:
        """Create a database, owned by the role, and give its address."""
        self.execute(sql.SQL("create database {} owner {}").format(sql.Identifier(name), sql.Identifier(role)))
        return f"postgresql+psycopg://{role}@127.0.0.1:{self.port}/{name}"

    def add_role(self, name: str, password: str) -> None:
        """Create a role that enters by its password alone (scram-sha-256)."""
        self.execute(
            sql.SQL("create role {} login password {} in role secretive").format(sql.Identifier(name), sql.Literal(password))
        )

    def execute(self, statement: str | sql.Composed) -> list[tuple[object, ...]]:
        """Run a statement as the server's owner; give the rows, if there are any."""
        address = f"host=127.0.0.1 port={self.port} user=postgres dbname=postgres"
        with psycopg.connect(address, autocommit=True) as connection:
            cursor = connection.execute(statement if isinstance(statement, sql.Composed) else sql.SQL(statement))
            return cursor.fetchall() if cursor.description else []


class Slurm:
    """A private SLURM cluster: one node with two slots, this machine. `conf`: its configuration, exported as SLURM_CONF."""

    def __init__(self, folder: Path) -> None:
        for program in ("slurmctld", "slurmd", "sbatch", "squeue", "scancel", "scontrol", "sinfo"):
            need(program, "slurm-wlm")
        self.folder, self.conf = folder, folder / "slurm.conf"
        (port, node_port), self.node = free_ports(2), run(["hostname", "-s"])
        self.user = pwd.getpwuid(os.geteuid()).pw_name
        names = {"folder": folder, "host": self.node, "user": self.user, "port": port, "node_port": node_port}
        self.conf.write_text(SLURM_CONF.format(**names), encoding="utf-8")
        for name in ("state", "spool"):
            (folder / name).mkdir()
        os.environ["SLURM_CONF"] = str(self.conf)

    def start(self) -> None:
        """Start the daemons; come back when the node is idle."""
        key = self.folder / "munge.key"
        key.touch(mode=0o600)
        key.write_bytes(os.urandom(128))
        files = {"socket": "munge.socket", "pid-file": "munged.pid", "log-file": "munged.log", "seed-file": "munge.seed"}
        options = [f"--{option}={self.folder / name}" for option, name in files.items()]
        # Only --force accepts a folder below one that all may write to, as the system's temporary folder.
        run([need("munged", "munge"), "--force", f"--key-file={key}", *options])
        # Daemons must not hold on to our pipes.
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        for command in (["slurmctld", "-i"], ["slurmd", "-N", self.node]):
            subprocess.run(command, check=True, **quiet)  # type: ignore[call-overload]
        wait_until(lambda: self._state() == "idle", f"an idle SLURM node (see {self.folder}/*.log)")

    def stop(self) -> None:
        """End all jobs, then the daemons, by their pid files."""
        for options in (["--full", "--signal=KILL"], []):
            subprocess.run(["scancel", *options, "--user", self.user], capture_output=True, check=False)
        for name in ("slurmd.pid", "slurmctld.pid", "munged.pid"):
            end_by(self.folder / name, signal.SIGTERM)
        os.environ.pop("SLURM_CONF", None)

    def sbatch(self, *arguments: str) -> str:
        """Submit a job, give its id."""
        return run(["sbatch", "--parsable", *arguments], cwd=self.folder)

    def jobs(self, *states: str) -> list[str]:
        """Give the ids of jobs in the queue, array tasks apart; in these states where any are given."""
        only = [f"--states={','.join(states)}"] if states else []
        return run(["squeue", "--noheader", "--array", "--format=%i", *only]).split()

    def scancel(self, *arguments: str) -> None:
        """Cancel or signal jobs."""
        run(["scancel", *arguments])

    def scontrol(self, *arguments: str) -> str:
        """Tell the controller something, or ask."""
        return run(["scontrol", *arguments])

    def _state(self) -> str:
        asked = subprocess.run(["sinfo", "--noheader", "--format=%T"], capture_output=True, text=True, check=False)
        return asked.stdout.strip()


def _folder(name: str) -> Path:
    """Make a folder that another user can reach; pytest's own are closed."""
    return Path(tempfile.mkdtemp(prefix=f"pitsearch-{name}-"))


@contextmanager
def run_postgres() -> Iterator[Postgres]:
    """Run a private PostgreSQL server with its own defaults: it takes 100 connections, and what is committed is on the disk."""
    folder = _folder("postgres")
    try:
        server = Postgres(folder)
        try:
            yield server
        finally:
            server.kill()  # in good order it would first bring hundreds of databases to the disk, to be removed
    finally:
        shutil.rmtree(folder)


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A PostgreSQL server for this run of the tests."""
    with run_postgres() as server:
        yield server


@pytest.fixture
def postgres_url(postgres: Postgres) -> str:
    """The address of a fresh database."""
    return postgres.url(f"d{time.time_ns()}")


@pytest.fixture(scope="session")
def slurm() -> Iterator[Slurm]:
    """A SLURM cluster for this run of the tests."""
    folder = _folder("slurm")
    cluster = Slurm(folder)
    try:
        cluster.start()
        yield cluster
    finally:
        cluster.stop()
        shutil.rmtree(folder)
