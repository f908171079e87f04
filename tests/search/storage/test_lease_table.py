"""A lease goes with its study, and with its trial: databases give numbers of what was deleted to what comes later."""

from __future__ import annotations

import optuna
import pytest
import sqlalchemy as sql
from optuna.storages import RDBStorage
from optuna.trial import TrialState

from search.errors import StudyGone
from search.storage import leases
from search.storage.connect import backend_of, open_storage
from search.storage.lease_table import LEASES
from search.storage.leases import (
    TAKEN_UP,
    LeaseLost,
    claim,
    enqueue_trials,
    has_workers,
    release,
    renew,
    requeue_stale_trials,
    require_lease,
)
from search.storage.places import UID
from search.storage.rdb import RetryingRDBStorage
from search.trials.records import TrialOrigin
from tests.support.claimed import START, claimed, create


@pytest.fixture
def storage(storage_url: str) -> RetryingRDBStorage:
    """A storage whose only study, `old`, has lost a worker on its only trial, which runs again."""
    backend = backend_of(open_storage(storage_url, create=True))
    create(backend, "old", **{UID: "old"})
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(leases, "is_gone", lambda process: True)
        for _ in range(TAKEN_UP):
            claimed(backend)
            requeue_stale_trials(backend, 1)
    return backend


def delete(storage_url: str, name: str = "old") -> None:
    """Delete a study as the dashboard and Optuna's own command do: they know nothing of leases."""
    optuna.delete_study(study_name=name, storage=RDBStorage(storage_url))


def lower_numbers(storage: RetryingRDBStorage) -> None:
    """Let the next study and trial have the numbers of the first ones again, as on SQLite."""
    if storage.engine.name != "sqlite":
        statements = [sql.text(f"alter sequence {kind}_id_seq restart with 1") for kind in ("studies_study", "trials_trial")]
        storage.transact(lambda session: [session.execute(statement) for statement in statements])


@pytest.mark.parametrize("enqueued", [False, True], ids=["new", "enqueued"])
def test_a_study_inherits_nothing_of_a_deleted_one(storage: RetryingRDBStorage, storage_url: str, enqueued: bool) -> None:
    late = claimed(storage)
    assert late.taken_up == TAKEN_UP
    delete(storage_url)
    lower_numbers(storage)
    assert create(storage, "new", **{UID: "new"}) == 1
    if enqueued:
        enqueue_trials(storage, 1, {"first": {**TrialOrigin("", "", "first").attribute()}})
    new = claimed(storage)
    assert (new.trial_id, new.number, new.taken_up) == (late.trial_id, 0, 0)
    assert not renew(storage, late)
    with pytest.raises(LeaseLost), storage.transaction(require_lease(late)):
        storage.set_trial_state_values(late.trial_id, TrialState.COMPLETE, [1.0])
    assert renew(storage, new)


@pytest.mark.parametrize("enqueued", [False, True], ids=["new", "enqueued from outside"])
def test_a_trial_inherits_nothing_of_another_studys(
    storage: RetryingRDBStorage, storage_url: str, enqueued: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    second = create(storage, "second", **{UID: "second"})
    late = claimed(storage)
    delete(storage_url)
    lower_numbers(storage)
    if enqueued:  # as the dashboard does it
        optuna.load_study(study_name="second", storage=RDBStorage(storage_url)).enqueue_trial({})
        with pytest.raises(LeaseLost), storage.transaction(require_lease(late)):
            storage.set_trial_state_values(late.trial_id, TrialState.COMPLETE, [1.0])
        assert not renew(storage, late)
    new = claimed(storage, second)
    assert (new.trial_id, new.taken_up) == (late.trial_id, 0)
    assert requeue_stale_trials(storage, second) == []
    monkeypatch.setattr(leases, "is_gone", lambda process: True)
    assert [stale.number for stale in requeue_stale_trials(storage, second)] == [0]
    assert claimed(storage, second).taken_up == 1


def test_a_row_of_an_older_pitsearch_keeps_no_trial_running(
    storage: RetryingRDBStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    lease = claimed(storage)
    storage.transact(lambda session: session.execute(sql.update(LEASES).values(study_id=99)))
    monkeypatch.setattr(leases, "is_gone", lambda process: True)
    assert [stale.number for stale in requeue_stale_trials(storage, 1)] == [lease.number]


def test_a_worker_of_a_deleted_study_gets_no_trial_of_the_next(storage: RetryingRDBStorage, storage_url: str) -> None:
    delete(storage_url)
    with pytest.raises(StudyGone):
        claim(storage, 1, START, "old")
    lower_numbers(storage)
    assert create(storage, "new", **{UID: "new"}) == 1
    with pytest.raises(StudyGone):
        claim(storage, 1, START, "old")
    assert claim(storage, 1, START, "new") is not None


@pytest.mark.parametrize("state", [TrialState.FAIL, TrialState.COMPLETE])
def test_a_trial_that_is_ended_from_outside_is_its_workers_no_more(
    storage: RetryingRDBStorage, storage_url: str, state: TrialState
) -> None:
    lease, study = claimed(storage), optuna.load_study(study_name="old", storage=RDBStorage(storage_url))
    study.tell(0, 0.5 if state == TrialState.COMPLETE else None, state=state)
    assert not renew(storage, lease)
    with pytest.raises(LeaseLost):
        release(storage, lease, "stopped by hand")
    with pytest.raises(LeaseLost), storage.transaction(require_lease(lease)):
        storage.set_trial_user_attr(lease.trial_id, "a", 1)
    assert requeue_stale_trials(storage, 1) == []
    assert not has_workers(storage, 1)
    assert study.trials[0].state == state
    assert claimed(storage).number == 1


def test_a_trial_without_a_lease_is_nobodys(storage: RetryingRDBStorage, storage_url: str) -> None:
    optuna.load_study(study_name="old", storage=open_storage(storage_url)).ask()
    assert not has_workers(storage, 1)
    claimed(storage)
    assert has_workers(storage, 1)
