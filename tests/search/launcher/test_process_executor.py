"""Processes of a launch: what becomes of it when its workers die or refuse."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Generator
from dataclasses import replace
from pathlib import Path

import pytest

from foils import Dataset
from search.errors import StorageAway, StudyError
from search.launcher import process_executor
from search.launcher.process_executor import ProcessExecutor, run_worker
from search.studies.study import Study
from search.workers import worker
from search.workers.context import WorkerContext
from search.workers.stop_signal import StopSignal
from spaces.errors import SpaceError
from spaces.plugin_files import use_plugin
from tests.support.studies import job_of


@pytest.fixture
def job(finished: Study, tiny: Dataset, tmp_path: Path) -> WorkerContext:
    return job_of(finished, tiny, tmp_path)


def run_through(workers: Generator[None, None, None]) -> None:
    for _ in workers:
        pass


def die(job: WorkerContext, stop: Path, left_s: float | None, parent: int) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def refuse(job: WorkerContext, stop: Path, left_s: float | None, parent: int) -> None:
    raise StudyError("a checkpoint must be writable, but: No space left on device; make it writable.")


@pytest.mark.slow
def test_workers_that_die_before_any_trial_ends_end_the_launch(
    job: WorkerContext, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(process_executor, "_run_child", die)
    monkeypatch.setattr(process_executor, "TAKEN_UP", 0)
    noted: list[str] = []
    with pytest.raises(StudyError, match="workers must stay alive, but 2 of 1 at a time were killed while no trial ended"):
        run_through(ProcessExecutor((job,)).run(tmp_path / "stop", None, noted.append))
    assert noted == ["a worker was killed, perhaps for want of memory; another goes on from its trial's last rung"]


@pytest.mark.slow
def test_what_one_worker_is_refused_ends_all_and_is_told(
    job: WorkerContext, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(process_executor, "_run_child", refuse)
    with pytest.raises(StudyError, match="No space left on device"):
        run_through(ProcessExecutor((job,)).run(tmp_path / "stop", None, print))
    assert (tmp_path / "stop").exists()


def test_a_database_that_fails_is_told_on_one_line(job: WorkerContext, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(job: WorkerContext, orders: StopSignal) -> None:
        from sqlalchemy.exc import OperationalError

        raise OperationalError("insert into trials", {"x": 1}, Exception("attempt to write a readonly database"))

    monkeypatch.setattr(worker, "work", broken)
    with pytest.raises(StudyError, match=r"the storage must stay writable, but: .*to write a readonly database") as caught:
        run_worker(job, StopSignal())
    assert "\n" not in str(caught.value)


def stay_outside(job: WorkerContext, stop: Path, left_s: float | None, parent: int) -> None:
    if job.launch == "outside":
        raise StorageAway("the storage must be a writable database, but: sorry, too many clients already; check.")
    time.sleep(0.5)


@pytest.mark.slow
@pytest.mark.parametrize("inside", [1, 0])
def test_a_launch_works_with_the_workers_that_got_in(
    job: WorkerContext, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, inside: int
) -> None:
    monkeypatch.setattr(process_executor, "_run_child", stay_outside)
    contexts = tuple(replace(job, launch="inside" if number < inside else "outside") for number in range(2))
    noted: list[str] = []
    workers = ProcessExecutor(contexts).run(tmp_path / "stop", None, noted.append)
    if inside:
        run_through(workers)
        assert not (tmp_path / "stop").exists()
    else:
        with pytest.raises(StorageAway, match="too many clients already"):
            run_through(workers)
    (note,) = noted
    assert note.startswith(
        "the storage must be a writable database, but: sorry, too many clients already; check. The launch goes"
    )


def test_a_worker_that_cannot_load_a_plugin_ends_the_launch(job: WorkerContext, tmp_path: Path) -> None:
    plugin = tmp_path / "own.py"
    plugin.write_text("import pitsearch as ps\nplugin = ps.Plugin()\n")
    use_plugin(plugin)
    plugin.unlink()
    with pytest.raises(SpaceError, match=r"^a plugin must be an existing file, but got .*own\.py; correct the path"):
        run_through(ProcessExecutor((job,)).run(tmp_path / "stop", None, print))
