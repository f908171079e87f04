"""Leases: the budget exactly, nobody's trial twice, nobody's trial for ever, and no word of a worker that lost its trial."""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path

import optuna
import pytest
from optuna.study import StudyDirection
from optuna.trial import TrialState

from search.storage import leases
from search.storage.clock import is_gone, this_process
from search.storage.connect import backend_of, open_storage
from search.storage.leases import (
    TAKEN_UP,
    Lease,
    LeaseLost,
    StaleTrial,
    claim,
    enqueue_trials,
    release,
    renew,
    requeue_stale_trials,
    require_lease,
)
from search.storage.places import LAUNCH
from search.storage.rdb import RetryingRDBStorage
from search.trials.records import ERROR, STOPPED, TrialOrigin
from tests.support.claimed import START, claimed, create


@pytest.fixture
def storage(storage_url: str) -> RetryingRDBStorage:
    """A storage with a study, number 1, whose budget is four trials."""
    made = backend_of(open_storage(storage_url, create=True))
    create(made, "study")
    return made


def study_of(storage_url: str) -> optuna.Study:
    return optuna.load_study(study_name="study", storage=open_storage(storage_url))


def state_of(storage_url: str, number: int) -> str:
    return study_of(storage_url).trials[number].state.name


def test_the_budget_is_counted_where_trials_are_handed_out(storage: RetryingRDBStorage, storage_url: str) -> None:
    study = study_of(storage_url)
    held = [claimed(storage) for _ in range(4)]
    assert [lease.number for lease in held] == [0, 1, 2, 3]
    assert claim(storage, 1, START) is None
    with storage.transaction(require_lease(held[0])):
        study.tell(0, 1.0)
    with storage.transaction(require_lease(held[1])):
        study.tell(1, state=TrialState.PRUNED)
    assert claim(storage, 1, START) is None
    release(storage, held[2], "stopped by hand")
    assert claimed(storage).number == 2
    # A broken trial takes its place in the launch that it broke in, and gives it back to the next.
    study.tell(3, state=TrialState.FAIL)
    assert claim(storage, 1, START) is None
    study.set_user_attr(LAUNCH, {"trials": 4, "failed": 1})
    assert claimed(storage).number == 4
    assert claim(storage, 1, START) is None


def test_a_study_that_was_never_launched_hands_out_nothing(storage: RetryingRDBStorage) -> None:
    storage.create_whole_study("other", [StudyDirection.MAXIMIZE], {}, {})
    assert claim(storage, 2, START) is None


def test_many_claim_at_once_and_each_trial_goes_to_one(storage: RetryingRDBStorage) -> None:
    found: list[Lease | None] = []
    threads = [threading.Thread(target=lambda: found.append(claim(storage, 1, START))) for _ in range(9)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(lease.number for lease in found if lease) == [0, 1, 2, 3]
    assert found.count(None) == 5


def test_what_waits_goes_first_and_keeps_all_that_is_known_of_it(storage: RetryingRDBStorage, storage_url: str) -> None:
    known = {"first": {**TrialOrigin("", "", "first").attribute(), "asked": {"choices": {"a": 1}}}}
    for _ in range(2):
        enqueue_trials(storage, 1, known)
    study = study_of(storage_url)
    assert [trial.state for trial in study.trials] == [TrialState.WAITING]
    lease = claimed(storage)
    trial = optuna.Trial(study, lease.trial_id)
    with storage.transaction(require_lease(lease)):
        x = trial.suggest_float("x", 0, 1)
        trial.report(0.5, 1)
    release(storage, lease, "stopped by hand")
    assert claimed(storage).number == 0
    found = study.trials[0]
    assert (found.state, found.params, found.intermediate_values) == (TrialState.RUNNING, {"x": x}, {1: 0.5})
    assert (TrialOrigin.demand(found), STOPPED.read(found)) == (TrialOrigin("launch", "host:1", "first"), "stopped by hand")
    assert found.user_attrs["asked"] == {"choices": {"a": 1}}


def test_a_trial_goes_on_elsewhere_when_its_lease_has_run_out_and_its_old_worker_is_fenced_off(
    storage: RetryingRDBStorage, storage_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    study = study_of(storage_url)
    late = claimed(storage)
    assert requeue_stale_trials(storage, 1) == []
    monkeypatch.setattr(leases, "LEASE_S", -1.0)
    assert renew(storage, late)
    monkeypatch.undo()
    assert requeue_stale_trials(storage, 1) == [StaleTrial(0, waits=True)]
    assert state_of(storage_url, 0) == "WAITING"
    assert STOPPED.read(study.trials[0]) == "its worker was not heard of any more"
    with pytest.raises(LeaseLost):
        release(storage, late, "too late")
    new = claimed(storage)
    assert (new.number, new.taken_up) == (0, 1)
    assert not renew(storage, late)
    with pytest.raises(LeaseLost), storage.transaction(require_lease(late)):
        study.tell(0, 1.0)
    assert state_of(storage_url, 0) == "RUNNING"
    with storage.transaction(require_lease(new)):
        study.tell(0, 0.5)
    with pytest.raises(LeaseLost), storage.transaction(require_lease(late)):
        storage.set_trial_state_values(late.trial_id, TrialState.COMPLETE, [1.0])
    assert study.trials[0].value == 0.5


def test_an_old_lease_counts_again_when_nobody_took_the_trial(
    storage: RetryingRDBStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    lease = claimed(storage)
    monkeypatch.setattr(leases, "LEASE_S", -1.0)
    assert renew(storage, lease)
    monkeypatch.undo()
    assert renew(storage, lease)
    assert requeue_stale_trials(storage, 1) == []


def test_a_trial_that_kills_its_workers_is_failed_with_the_reason(
    storage: RetryingRDBStorage, storage_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(leases, "is_gone", lambda process: True)
    for times in range(TAKEN_UP):
        assert claimed(storage).taken_up == times
        assert requeue_stale_trials(storage, 1) == [StaleTrial(0, waits=True)]
    claimed(storage)
    assert requeue_stale_trials(storage, 1) == [StaleTrial(0, waits=False)]
    (trial,) = study_of(storage_url).trials
    assert trial.state == TrialState.FAIL
    assert ERROR.read(trial) == "its worker died, as did 3 before it: too little memory, perhaps, for this configuration"
    assert requeue_stale_trials(storage, 1) == []
    assert claimed(storage).number == 1


def test_a_worker_of_this_machine_that_is_no_more_is_not_waited_for(storage_url: str, storage: RetryingRDBStorage) -> None:
    code = (
        "import sys\nfrom search.storage.clock import this_process\nfrom search.storage.leases import claim\n"
        "from search.trials.records import TrialOrigin\n"
        "from search.storage.connect import backend_of, open_storage\n"
        "claim(backend_of(open_storage(sys.argv[1])), 1, TrialOrigin('launch', 'host:1'))\nprint(this_process())"
    )
    done = subprocess.run([sys.executable, "-c", code, storage_url], check=True, capture_output=True, text=True)
    assert is_gone(done.stdout.strip())
    machine, _, _ = done.stdout.strip().rpartition(":")
    assert not is_gone(f"another{machine}:1")
    assert not is_gone(this_process())
    assert requeue_stale_trials(storage, 1) == [StaleTrial(0, waits=True)]


def test_leases_are_no_part_of_importing_torch(tmp_path: Path) -> None:
    # A watcher of many studies, and a benchmark of many workers, need not wait for it.
    code = (
        "import sys, search.storage.leases, search.storage.connect, search.workers.heartbeat; assert 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=tmp_path)
