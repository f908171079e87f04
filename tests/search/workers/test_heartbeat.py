"""Keeping a trial: its lease is renewed whatever happens, and orders to stop are heard in time."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from pathlib import Path

import pytest
from optuna.study import StudyDirection
from sqlalchemy.exc import OperationalError

from search.storage.connect import backend_of, open_storage
from search.storage.leases import Lease, LeaseLost, claim
from search.storage.places import LAUNCH
from search.storage.rdb import RetryingRDBStorage
from search.trials.progress import TrialProgress
from search.trials.records import TrialOrigin
from search.workers import heartbeat, stop_signal
from search.workers.heartbeat import LeaseHeartbeat
from search.workers.stop_signal import StopRequested, StopSignal, stop_after, stop_on_file, stop_on_parent_exit, stop_on_signal


@pytest.fixture
def storage(tmp_path: Path) -> RetryingRDBStorage:
    made = backend_of(open_storage(f"sqlite:///{tmp_path}/studies.db", create=True))
    made.create_whole_study("study", [StudyDirection.MAXIMIZE], {LAUNCH: {"trials": 4, "failed": 0}}, {})
    return made


@pytest.fixture
def lease(storage: RetryingRDBStorage) -> Lease:
    found = claim(storage, 1, TrialOrigin("launch", "host:1"))
    assert found is not None
    return found


def test_the_first_reason_is_the_one_that_counts_and_is_looked_for_now_and_then(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []

    def late() -> str | None:
        asked.append(1)
        return "late" if len(asked) > 1 else None

    orders = StopSignal([late, lambda: "later" if len(asked) > 2 else None])
    assert orders.reason() is None
    assert orders.reason() is None
    assert len(asked) == 1
    monkeypatch.setattr(stop_signal, "LOOK_S", 0.0)
    assert orders.reason() == "late"
    assert orders.reason() == "late"
    with pytest.raises(StopRequested, match="late"):
        orders.check()


def test_an_epoch_may_end_unless_it_takes_long(monkeypatch: pytest.MonkeyPatch) -> None:
    orders = StopSignal([lambda: "stopped by hand"])
    orders.interrupt()
    monkeypatch.setattr(stop_signal, "PATIENT_S", 0.0)
    with pytest.raises(StopRequested):
        orders.interrupt()


def test_a_lease_is_renewed_while_it_is_kept_also_after_a_database_was_away(
    storage: RetryingRDBStorage, lease: Lease, monkeypatch: pytest.MonkeyPatch
) -> None:
    renewed: list[bool] = []

    def renew(storage: RetryingRDBStorage, lease: Lease, progress: str | None) -> bool:
        renewed.append(True)
        if len(renewed) == 2:
            raise OperationalError("update", {}, Exception("gone for longer than anyone waits"))
        return True

    monkeypatch.setattr(heartbeat, "RENEW_S", 0.01)
    monkeypatch.setattr(heartbeat, "renew", renew)
    with LeaseHeartbeat(storage, lease, StopSignal()) as keeper:
        while len(renewed) < 4:
            time.sleep(0.01)
        keeper.check()
        keeper.interrupt()
    time.sleep(0.05)
    ended = len(renewed)
    time.sleep(0.05)
    assert len(renewed) == ended


def test_progress_is_written_soon_but_not_after_every_epoch(
    storage: RetryingRDBStorage, lease: Lease, monkeypatch: pytest.MonkeyPatch
) -> None:
    written: list[str | None] = []
    monkeypatch.setattr(heartbeat, "PROGRESS_S", 0.02)
    monkeypatch.setattr(heartbeat, "REST", 0)

    def renew(storage: RetryingRDBStorage, lease: Lease, progress: str | None) -> bool:
        written.append(progress)
        return True

    monkeypatch.setattr(heartbeat, "renew", renew)
    keeper = LeaseHeartbeat(storage, lease, StopSignal())
    for epoch in range(1, 1000):
        keeper.report(TrialProgress("1x999", 0, epoch, epoch, 1.0, ()))
    with keeper:
        end = time.monotonic() + 60
        while not written and time.monotonic() < end:
            time.sleep(0.005)
        time.sleep(0.1)  # nothing is written where nothing is new
    assert [TrialProgress.read(text or "") for text in written] == [TrialProgress("1x999", 0, 999, 999, 1.0, ())]


def test_a_keeper_that_lost_its_trial_stops_the_work_at_the_next_step(
    storage: RetryingRDBStorage, lease: Lease, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(heartbeat, "RENEW_S", 0.01)
    other = Lease(lease.trial_id, lease.number, "another's")
    with LeaseHeartbeat(storage, other, StopSignal()) as keeper:
        end = time.monotonic() + 60
        with pytest.raises(LeaseLost):
            while time.monotonic() < end:
                keeper.interrupt()
        with pytest.raises(LeaseLost):
            keeper.check()


def test_orders_come_by_file_by_time_and_by_the_death_of_a_parent(tmp_path: Path) -> None:
    order = stop_on_file(tmp_path / "stop")
    assert order() is None
    (tmp_path / "stop").touch()
    assert order() == "stopped by hand"
    assert stop_after(None)() is None
    assert stop_after(60)() is None
    assert stop_after(-1)() == "time is up"
    assert stop_on_parent_exit(os.getppid())() is None
    gone = subprocess.Popen(["true"])
    gone.wait()
    assert stop_on_parent_exit(gone.pid)() == "its launcher died"


def test_orders_come_by_signal_and_a_second_ctrl_c_interrupts() -> None:
    said: list[str] = []
    before = signal.getsignal(signal.SIGTERM)
    with stop_on_signal(lambda: said.append("stopping")) as order:
        assert order() is None
        os.kill(os.getpid(), signal.SIGTERM)
        assert order() == "its worker was asked to end"
        os.kill(os.getpid(), signal.SIGTERM)
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGINT)
    assert said == ["stopping"]
    assert signal.getsignal(signal.SIGTERM) == before
