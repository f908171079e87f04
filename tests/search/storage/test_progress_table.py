"""Progress lies beside the lease that it was written under, and goes with it."""

from __future__ import annotations

import pytest
import sqlalchemy as sql
from optuna.study import StudyDirection

from search.storage.connect import backend_of, open_storage
from search.storage.leases import Lease, claim, release, renew
from search.storage.places import LAUNCH
from search.storage.progress_table import PROGRESS, read_progress
from search.storage.rdb import RetryingRDBStorage
from search.trials.records import TrialOrigin


@pytest.fixture
def storage(storage_url: str) -> RetryingRDBStorage:
    opened = backend_of(open_storage(storage_url, create=True))
    opened.create_whole_study("study", [StudyDirection.MAXIMIZE], {LAUNCH: {"trials": 4, "failed": 0}}, {})
    return opened


def claimed(storage: RetryingRDBStorage) -> Lease:
    lease = claim(storage, 1, TrialOrigin("launch", "host:1"))
    assert lease is not None
    return lease


def progress_of(storage: RetryingRDBStorage) -> dict[int, str]:
    return storage.transact(lambda session: read_progress(session, 1), reads=True)


def test_progress_is_written_with_a_renewal_and_ends_with_the_lease(storage: RetryingRDBStorage) -> None:
    lease, other = claimed(storage), claimed(storage)
    assert renew(storage, lease)
    assert progress_of(storage) == {}
    assert renew(storage, lease, "a")
    assert renew(storage, lease, "b")
    assert renew(storage, other, "c")
    assert progress_of(storage) == {lease.trial_id: "b", other.trial_id: "c"}
    assert not renew(storage, Lease(lease.trial_id, lease.number, "another's"), "d")
    release(storage, lease, "stopped by hand")
    assert progress_of(storage) == {other.trial_id: "c"}
    again = claimed(storage)
    assert again.trial_id == lease.trial_id
    assert progress_of(storage) == {other.trial_id: "c"}, "what another worker wrote does not stand for this one"
    count = sql.select(sql.func.count()).select_from(PROGRESS)
    assert storage.transact(lambda session: session.execute(count).scalar(), reads=True) == 1
