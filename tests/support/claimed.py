"""Studies without trials in a storage, and trials of theirs that a worker holds."""

from __future__ import annotations

from typing import Any

from optuna.study import StudyDirection

from search.storage.leases import Lease, claim
from search.storage.places import LAUNCH
from search.storage.rdb import RetryingRDBStorage
from search.trials.records import TrialOrigin

START = TrialOrigin("launch", "host:1")


def create(storage: RetryingRDBStorage, name: str, **attributes: Any) -> int:
    """Create a study whose launch asked for four trials, and give its number. `attributes`: further ones of the study."""
    launched = {"trials": 4, "failed": 0}
    storage.create_whole_study(name, [StudyDirection.MAXIMIZE], {LAUNCH: launched, **attributes}, {})
    return storage.get_study_id_from_name(name)


def claimed(storage: RetryingRDBStorage, study_id: int = 1, **options: Any) -> Lease:
    """Claim the next trial of a study. Fails the test where there is none. `options`: of `claim`."""
    lease = claim(storage, study_id, START, **options)
    assert lease is not None
    return lease
