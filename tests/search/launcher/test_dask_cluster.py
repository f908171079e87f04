"""Jobs that Dask starts on any system, and what a task is told before its job ends."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import dask
import distributed
import pytest

from search.errors import StudyError
from search.launcher import dask_cluster
from search.launcher.cluster_config import SYSTEMS, ClusterConfig
from search.launcher.dask_plugin import is_task_ending
from tests.support.cluster_configs import full_cluster
from tests.support.engines import Slurm
from tests.support.golden import assert_golden
from tests.support.processes import alive, wait_until
from tests.support.systems import ROOT, install, loop

# It declares types of some of its functions only.
DASK: Any = distributed
PROLOGUE = (f"export PYTHONPATH={ROOT}",)


@contextmanager
def open_cluster(cluster: ClusterConfig | str, jobs: int, folder: Path, *noted: Any) -> Iterator[Any]:
    with dask_cluster.open_cluster(cluster, jobs, folder, *noted) as client:
        yield client


@pytest.fixture
def system(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Put a batch system of a few lines in the place of every other; give the folder where it keeps jobs."""
    monkeypatch.setenv("PATH", f"{install(tmp_path / 'system')}:{os.environ['PATH']}")
    monkeypatch.setattr(dask_cluster, "LOOK_S", 0.5)
    monkeypatch.setattr(dask_cluster, "AGAIN_S", 1.0)
    return tmp_path / "system"


def submitted(folder: Path) -> list[str]:
    return [file.read_text() for file in sorted(folder.glob("*.job"))]


def pids(folder: Path, what: str) -> set[int]:
    """Give the processes of the tasks of which this was told."""
    return {int(file.name.rpartition(".")[2]) for file in folder.glob(f"*.{what}.*")}


def test_a_job_that_is_submitted_while_a_cluster_closes_is_waited_for() -> None:
    submitted: list[int] = []

    class Slow(dask_cluster.Persistent):
        """Adapts without a cluster: one job is submitted in a while."""

        def __init__(self) -> None:
            self._adapting, self.state = True, "inactive"

        async def submit(self) -> None:
            await asyncio.sleep(0.2)
            submitted.append(1)
            self._adapting = False

    async def close() -> None:
        adaptive = Slow()
        submitting = asyncio.ensure_future(adaptive.submit())
        await adaptive.end()
        assert submitted == [1]
        await submitting
        await adaptive.adapt()  # would ask the cluster, which is none
        await adaptive.scale_up(3)
        assert submitted == [1]

    asyncio.run(close())


@pytest.mark.parametrize("name", SYSTEMS)
def test_as_many_jobs_run_as_there_are_tasks(name: str, system: Path, tmp_path: Path) -> None:
    with open_cluster(ClusterConfig(name, prologue=PROLOGUE), 3, tmp_path / "jobs") as client:
        futures = [client.submit(loop, str(tmp_path), number, pure=False) for number in range(2)]
        wait_until(lambda: len(pids(tmp_path, "start")) == 2, "two tasks in two jobs")
        assert len(submitted(system)) == 2
        assert client.scheduler.address.startswith("tls://127.0.0.1:")
        (tmp_path / "done").touch()
        assert client.gather(futures) == ["done", "done"]
    wait_until(lambda: not any(map(alive, pids(tmp_path, "start"))), "the end of all jobs")


@pytest.mark.parametrize("name", SYSTEMS)
def test_jobs_of_dask_are_as_a_person_has_read_them(name: str, system: Path, tmp_path: Path) -> None:
    with open_cluster(full_cluster(name), 2, tmp_path / "jobs"):
        (text,) = submitted(system)
    for old, new in ((sys.executable, "PYTHON"), (str(tmp_path), "FOLDER")):
        text = text.replace(old, new)
    text = re.sub(r"(tls://127\.0\.0\.1):\d+", r"\1:PORT", text)
    assert_golden(f"dask_{name}", re.sub(r"(--tls-[a-z-]+) (FOLDER/jobs)/\S+", r"\1 \2/PEM", text))


def test_what_a_system_refuses_is_said_at_once_and_later_submitted_again(system: Path, tmp_path: Path) -> None:
    (system / "refuse").touch()
    with (
        pytest.raises(StudyError, match="sge must take a job, but: qsub: error: too many jobs; correct"),
        open_cluster(ClusterConfig("sge"), 2, tmp_path / "jobs"),
    ):
        pass
    (system / "refuse").unlink()
    noted: list[str] = []
    with open_cluster(ClusterConfig("sge", prologue=PROLOGUE), 2, tmp_path / "jobs", noted.append) as client:
        (system / "refuse").touch()
        futures = [client.submit(loop, str(tmp_path), number, pure=False) for number in range(2)]
        wait_until(lambda: bool(noted), "a note of the second job")
        assert noted == ["a job was refused, and is submitted again in a while: qsub: error: too many jobs"]
        (system / "refuse").unlink()
        wait_until(lambda: len(pids(tmp_path, "start")) == 2, "two tasks in two jobs")
        (tmp_path / "done").touch()
        assert client.gather(futures) == ["done", "done"]
    assert len(noted) == 1


@pytest.mark.slow
@pytest.mark.parametrize("sent", [signal.SIGTERM, signal.SIGUSR2])
def test_a_task_is_told_saves_and_is_run_again_elsewhere(sent: signal.Signals, system: Path, tmp_path: Path) -> None:
    with open_cluster(ClusterConfig("slurm", prologue=PROLOGUE, grace=5), 2, tmp_path / "jobs") as client:
        future = client.submit(loop, str(tmp_path), 0, pure=False)
        client.wait_for_workers(1)
        wait_until(lambda: bool(pids(tmp_path, "start")), "a task running")
        (first,) = pids(tmp_path, "start")
        os.kill(first, sent)
        wait_until(lambda: bool(pids(tmp_path, "told")), "a task told")
        # Another does no harm, as Dask's own cancelling sends one.
        os.kill(first, signal.SIGTERM)
        wait_until(lambda: not alive(first), "the end of a worker")
        assert pids(tmp_path, "saved") == {first}
        wait_until(lambda: len(pids(tmp_path, "start")) == 2, "a task run again")
        (tmp_path / "done").touch()
        assert future.result() == "done"


def test_a_task_that_nobody_waits_for_is_told(tmp_path: Path) -> None:
    assert not is_task_ending()
    with (
        DASK.LocalCluster(
            n_workers=1, threads_per_worker=1, processes=False, dashboard_address="127.0.0.1:0", protocol="tcp"
        ) as there,
        open_cluster(there.scheduler_address, 1, tmp_path) as client,
    ):
        future = client.submit(loop, str(tmp_path), 0, 0.0, pure=False)
        wait_until(lambda: bool(pids(tmp_path, "start")), "a task running")
        future.cancel()
        wait_until(lambda: bool(pids(tmp_path, "saved")), "a task told")


@pytest.mark.parametrize("interface", [None, "lo"], ids=["on loopback", "beyond"])
def test_all_is_encrypted_and_strangers_are_refused(system: Path, tmp_path: Path, interface: str | None) -> None:
    # The interface is loopback's, but an interface is not looked at: all of them are beyond.
    with open_cluster(ClusterConfig("slurm", prologue=PROLOGUE, interface=interface), 2, tmp_path / "jobs") as client:
        address = client.scheduler.address
        assert address.startswith("tls://")
        (text,) = submitted(system)
        assert " tls://" in text
        keys = [Path(key) for key in re.findall(r"--tls-\S+ (\S+)", text)]
        assert {key.parent for key in keys} == {tmp_path / "jobs"}
        assert {key.stat().st_mode & 0o777 for key in keys} == {0o600}
        (tmp_path / "done").touch()
        assert client.submit(loop, str(tmp_path), 0, pure=False).result() == "done"
        for stranger in (address.replace("tls", "tcp"), address):
            security = DASK.Security.temporary() if stranger.startswith("tls") else None
            with pytest.raises(OSError), DASK.Client(stranger, security=security, timeout=3, set_as_default=False):
                pass
    assert not any(key.exists() for key in keys)


def test_what_does_not_answer_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with dask.config.set({"distributed.comm.timeouts.connect": "1s"}):
        for address in ("tcp://127.0.0.1:9", "tls://127.0.0.1:9"):
            with (
                pytest.raises(StudyError, match=f"a Dask scheduler must answer at {address}, but: "),
                open_cluster(address, 1, tmp_path),
            ):
                pass
    monkeypatch.setenv("PATH", str(tmp_path))
    with (
        pytest.raises(StudyError, match="pbs must be reached by `qsub`, but there is none"),
        open_cluster(ClusterConfig("pbs"), 1, tmp_path),
    ):
        pass
    monkeypatch.setattr(dask_cluster, "version", lambda name: "2025.12.0")
    with (
        pytest.raises(StudyError, match=r"`distributed >= 2026.1.0` must hold, but got 2025.12.0"),
        open_cluster(ClusterConfig("pbs"), 1, tmp_path),
    ):
        pass


def test_a_folder_that_scripts_cannot_name_is_refused(system: Path, tmp_path: Path) -> None:
    with pytest.raises(StudyError, match="must have a plain path"), open_cluster(ClusterConfig("pbs"), 1, tmp_path / "my jobs"):
        pass


@pytest.mark.slow
def test_tasks_spread_over_slurm_and_survive_a_cancelled_job(slurm: Slurm, tmp_path: Path) -> None:
    cluster = ClusterConfig("slurm", memory="500MB", prologue=PROLOGUE, grace=12)
    with open_cluster(cluster, 2, tmp_path / "jobs") as client:
        futures = [client.submit(loop, str(tmp_path), number, 8.0, pure=False) for number in range(4)]
        wait_until(lambda: len(pids(tmp_path, "start")) == 2, "two tasks in two jobs")
        before, running = pids(tmp_path, "start"), slurm.jobs("RUNNING")
        assert len(running) == 2
        slurm.scancel(running[0])
        wait_until(lambda: bool(pids(tmp_path, "told")), "a task told")
        wait_until(lambda: bool(pids(tmp_path, "saved")), "a task that took 8 s to save")
        wait_until(lambda: pids(tmp_path, "start") > before, "another job in the place of the cancelled one")
        (tmp_path / "done").touch()
        assert client.gather(futures) == ["done"] * 4
    assert not slurm.jobs("PENDING", "RUNNING")
    wait_until(lambda: not slurm.jobs(), "an empty queue")
    assert not any(map(alive, pids(tmp_path, "start")))


@pytest.mark.slow
def test_leaving_early_cancels_jobs_and_lets_their_tasks_save(slurm: Slurm, tmp_path: Path) -> None:
    cluster = ClusterConfig("slurm", memory="500MB", prologue=PROLOGUE, interface="lo")
    with pytest.raises(KeyboardInterrupt), open_cluster(cluster, 3, tmp_path / "jobs") as client:
        kept = [client.submit(loop, str(tmp_path), number, 10.0, pure=False) for number in range(3)]
        # The third waits in the queue: there are two slots.
        wait_until(lambda: len(pids(tmp_path, "start")) == 2, "two tasks in two jobs")
        wait_until(lambda: len(slurm.jobs("PENDING")) == 1, "a third job in the queue")
        raise KeyboardInterrupt
    assert len(kept) == 3
    assert not slurm.jobs("PENDING", "RUNNING")
    wait_until(lambda: not slurm.jobs(), "an empty queue")
    assert len(pids(tmp_path, "saved")) == 2
