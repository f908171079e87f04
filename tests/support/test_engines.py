"""The engines that other tests run on work, and SLURM sends the signals that our job scripts count on."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import create_engine, text

from search.launcher.cluster_config import ClusterConfig
from search.launcher.jobscripts import job_script
from tests.support.engines import Postgres, Slurm
from tests.support.processes import wait_until
from tests.support.systems import RECORDER, signals


def count(url: str) -> int:
    engine = create_engine(url)
    try:
        with engine.connect() as connection:
            return int(connection.execute(text("select count(*) from pits")).scalar_one())
    finally:
        engine.dispose()


@pytest.mark.slow
def test_postgresql_answers_and_keeps_what_was_committed_through_a_crash(postgres: Postgres, postgres_url: str) -> None:
    address = postgres_url.replace("+psycopg", "")
    connection = psycopg.connect(address)
    connection.execute("create table pits as select generate_series(1, 1000)")
    connection.commit()
    connection.execute("insert into pits values (0)")  # never committed
    postgres.kill()
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(address, connect_timeout=2)
    connection.close()
    postgres.start()
    assert count(postgres_url) == 1000
    assert postgres.execute("show fsync") == [("on",)]
    assert postgres.execute("show max_connections") == [("100",)]
    postgres.stop()
    postgres.start()
    assert count(postgres_url) == 1000


def test_postgresql_asks_some_roles_for_a_password(postgres: Postgres, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    postgres.add_role("physicist", "s3:cr@t")
    address = postgres.url("closed", "physicist").replace("+psycopg", "")
    monkeypatch.delenv("PGPASSWORD", raising=False)
    monkeypatch.setenv("PGPASSFILE", str(tmp_path / "pgpass"))
    for wrong in (None, "other"):
        if wrong:
            monkeypatch.setenv("PGPASSWORD", wrong)
        with pytest.raises(psycopg.OperationalError, match="password"):
            psycopg.connect(address)
    monkeypatch.setenv("PGPASSWORD", "s3:cr@t")
    psycopg.connect(address).close()
    monkeypatch.delenv("PGPASSWORD")
    (tmp_path / "pgpass").write_text(r"127.0.0.1:*:closed:physicist:s3\:cr@t")
    (tmp_path / "pgpass").chmod(0o600)
    psycopg.connect(address).close()


def test_slurm_runs_a_job(slurm: Slurm, tmp_path: Path) -> None:
    number = slurm.sbatch("--output", str(tmp_path / "out"), "--wrap", "hostname -s")
    wait_until(lambda: number not in slurm.jobs(), "the end of a job")
    assert (tmp_path / "out").read_text().strip() == slurm.node
    assert os.environ["SLURM_CONF"] == str(slurm.conf)


def submit(slurm: Slurm, folder: Path, save_s: float, jobs: int = 1) -> str:
    """Submit our array script around a program that writes down the signals it gets; wait until every task runs."""
    (folder / "recorder.py").write_text(RECORDER)
    command = [sys.executable, str(folder / "recorder.py"), str(folder / "signals"), str(save_s)]
    (folder / "script").write_text(job_script(ClusterConfig("slurm", memory="100MB", grace=30), command, jobs))
    number = slurm.sbatch("--output", str(folder / "out-%a"), str(folder / "script"))
    wait_until(lambda: all("start" in signals(folder / f"signals{task + 1}") for task in range(jobs)), "all tasks running")
    return number


def ended(slurm: Slurm, number: str) -> bool:
    return not any(job.startswith(number) for job in slurm.jobs())


@pytest.mark.slow
def test_a_cancelled_array_is_told_by_sigterm_at_once_and_may_save(slurm: Slurm, tmp_path: Path) -> None:
    number = submit(slurm, tmp_path, 3.0, jobs=2)
    at = time.time()
    slurm.scancel(number)
    wait_until(lambda: ended(slurm, number), "the end of a cancelled array")
    for task in (1, 2):
        seen = signals(tmp_path / f"signals{task}")
        assert set(seen) == {"start", "SIGCONT", "SIGTERM", "saved"}
        assert seen["SIGTERM"] < at + 2
        assert seen["saved"] > seen["SIGTERM"] + 2.9


@pytest.mark.slow
def test_a_signal_reaches_the_worker_only_as_one_for_the_batch_script(slurm: Slurm, tmp_path: Path) -> None:
    number = submit(slurm, tmp_path, 0.5)
    slurm.scancel("--signal=TERM", number)
    time.sleep(2)
    # Without --batch or --full it is for the steps of srun, of which there are none.
    assert set(signals(tmp_path / "signals1")) == {"start"}
    slurm.scancel("--batch", "--signal=TERM", number)
    wait_until(lambda: ended(slurm, number), "the end of a job that was sent SIGTERM")
    assert set(signals(tmp_path / "signals1")) == {"start", "SIGTERM", "saved"}


def test_a_requeued_job_is_told_by_sigterm_and_waits_to_start_again(slurm: Slurm, tmp_path: Path) -> None:
    number = submit(slurm, tmp_path, 0.5)
    slurm.scontrol("requeue", f"{number}_1")
    wait_until(lambda: "saved" in signals(tmp_path / "signals1"), "a worker that has saved")
    wait_until(lambda: bool(slurm.jobs("PENDING")), "a job that waits to start again")
    assert "Restarts=1" in slurm.scontrol("show", "job", f"{number}_1")
    slurm.scancel(number)
    wait_until(lambda: ended(slurm, number), "the end of a cancelled job")


@pytest.mark.slow
def test_a_cancelled_job_is_killed_half_a_minute_after_sigterm(slurm: Slurm, tmp_path: Path) -> None:
    number = submit(slurm, tmp_path, 600)
    at = time.time()
    slurm.scancel(number)
    wait_until(lambda: ended(slurm, number), "the end of a killed job")
    assert 29 < time.time() - at < 45
    assert "saved" not in signals(tmp_path / "signals1")


@pytest.mark.slow
def test_a_job_is_told_before_its_time_is_up(slurm: Slurm, tmp_path: Path) -> None:
    (tmp_path / "recorder.py").write_text(RECORDER)
    command = [sys.executable, str(tmp_path / "recorder.py"), str(tmp_path / "signals"), "1"]
    (tmp_path / "script").write_text(
        job_script(ClusterConfig("slurm", memory="100MB", walltime="00:02:00", grace=30), command, 1)
    )
    number = slurm.sbatch("--output", str(tmp_path / "out"), str(tmp_path / "script"))
    wait_until(lambda: "start" in signals(tmp_path / "signals1"), "a task running")
    wait_until(lambda: ended(slurm, number), "the end of a job whose time is up", seconds=150)
    seen = signals(tmp_path / "signals1")
    # SLURM looks once in a while, and promises the signal no more than a minute early.
    assert 25 < seen["SIGTERM"] - seen["start"] < 92
    assert "saved" in seen
