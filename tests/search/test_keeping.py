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

from search import keeping
from search.keeping import Keeper, Orders, Stopped, by_file, by_parent, by_signal, by_time
from search.leases import LAUNCH, Fenced, Lease, claim
from search.records import Start
from search.retrying import StudyStorage
from search.storage import backend_of, open_storage


@pytest.fixture
def storage(tmp_path: Path) -> StudyStorage:
    made = backend_of(open_storage(f"sqlite:///{tmp_path}/studies.db", create=True))
    made.create_whole_study("study", [StudyDirection.MAXIMIZE], {LAUNCH: {"trials": 4, "failed": 0}}, {})
    return made


@pytest.fixture
def lease(storage: StudyStorage) -> Lease:
    found = claim(storage, 1, Start("launch", "host:1"))
    assert found is not None
    return found


def test_the_first_reason_is_the_one_that_counts_and_is_looked_for_now_and_then(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []

    def late() -> str | None:
        asked.append(1)
        return "late" if len(asked) > 1 else None

    orders = Orders([late, lambda: "later" if len(asked) > 2 else None])
    assert orders.reason() is None
    assert orders.reason() is None
    assert len(asked) == 1
    monkeypatch.setattr(keeping, "LOOK_S", 0.0)
    assert orders.reason() == "late"
    assert orders.reason() == "late"
    with pytest.raises(Stopped, match="late"):
        orders.check()


def test_an_epoch_may_end_unless_it_takes_long(monkeypatch: pytest.MonkeyPatch) -> None:
    orders = Orders([lambda: "stopped by hand"])
    orders.interrupt()
    monkeypatch.setattr(keeping, "PATIENT_S", 0.0)
    with pytest.raises(Stopped):
        orders.interrupt()


def test_a_lease_is_renewed_while_it_is_kept_also_after_a_database_was_away(
    storage: StudyStorage, lease: Lease, monkeypatch: pytest.MonkeyPatch
) -> None:
    renewed: list[bool] = []

    def renew(storage: StudyStorage, lease: Lease) -> bool:
        renewed.append(True)
        if len(renewed) == 2:
            raise OperationalError("update", {}, Exception("gone for longer than anyone waits"))
        return True

    monkeypatch.setattr(keeping, "RENEW_S", 0.01)
    monkeypatch.setattr(keeping, "renew", renew)
    with Keeper(storage, lease, Orders()) as keeper:
        while len(renewed) < 4:
            time.sleep(0.01)
        keeper.check()
        keeper.interrupt()
    time.sleep(0.05)
    ended = len(renewed)
    time.sleep(0.05)
    assert len(renewed) == ended


def test_a_keeper_that_lost_its_trial_stops_the_work_at_the_next_step(
    storage: StudyStorage, lease: Lease, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keeping, "RENEW_S", 0.01)
    other = Lease(lease.trial_id, lease.number, "another's")
    with Keeper(storage, other, Orders()) as keeper:
        end = time.monotonic() + 10
        with pytest.raises(Fenced):
            while time.monotonic() < end:
                keeper.interrupt()
        with pytest.raises(Fenced):
            keeper.check()


def test_orders_come_by_file_by_time_and_by_the_death_of_a_parent(tmp_path: Path) -> None:
    order = by_file(tmp_path / "stop")
    assert order() is None
    (tmp_path / "stop").touch()
    assert order() == "stopped by hand"
    assert by_time(None)() is None
    assert by_time(60)() is None
    assert by_time(-1)() == "time is up"
    assert by_parent(os.getppid())() is None
    gone = subprocess.Popen(["true"])
    gone.wait()
    assert by_parent(gone.pid)() == "its launcher died"


def test_orders_come_by_signal_and_a_second_ctrl_c_interrupts() -> None:
    said: list[str] = []
    before = signal.getsignal(signal.SIGTERM)
    with by_signal(lambda: said.append("stopping")) as order:
        assert order() is None
        os.kill(os.getpid(), signal.SIGTERM)
        assert order() == "its worker was asked to end"
        os.kill(os.getpid(), signal.SIGTERM)
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGINT)
    assert said == ["stopping"]
    assert signal.getsignal(signal.SIGTERM) == before
