"""What is handed out, to whom, and whose word counts: among several trials, several studies, and answers that were lost."""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import partial
from typing import Any

import optuna
import pytest
import sqlalchemy as sql
from optuna.storages import RDBStorage
from optuna.trial import TrialState
from sqlalchemy.orm import Session

from search.storage import leases
from search.storage.connect import backend_of, open_storage
from search.storage.lease_table import LEASES
from search.storage.leases import (
    TAKEN_UP,
    Lease,
    LeaseLost,
    StaleTrial,
    claim,
    enqueue_trials,
    has_workers,
    release,
    renew,
    requeue_stale_trials,
    require_lease,
)
from search.storage.optuna_internals import models
from search.storage.pausing import stands
from search.storage.progress_table import PROGRESS, read_progress
from search.storage.rdb import RetryingRDBStorage
from search.storage.rung_table import RUNGS, Standing, Start, paused_heights, read_standings, write_standing
from search.trials.records import PAUSED, TrialOrigin, is_paused
from tests.support.claimed import START, claimed, create

KNOWN = {"first": {**TrialOrigin("", "", "first").attribute()}}


@pytest.fixture
def storage(storage_url: str) -> RetryingRDBStorage:
    """A storage with two studies, numbers 1 and 2, whose budgets are four trials each."""
    made = backend_of(open_storage(storage_url, create=True))
    for name in ("study", "other"):
        create(made, name)
    return made


def study_of(storage_url: str) -> optuna.Study:
    return optuna.load_study(study_name="study", storage=open_storage(storage_url))


def nothing(session: Session, places: int, launched: Any, arrived: Standing | None) -> Start:
    return Start.NOTHING


def pause(storage: RetryingRDBStorage, lease: Lease) -> None:
    assert not stands(storage, 1, lease, Standing(lease.trial_id, 0, 0.5, 1.0), "1x3", nothing)


def change_leases(storage: RetryingRDBStorage, **values: object) -> None:
    storage.transact(lambda session: session.execute(sql.update(LEASES).values(**values)))


def test_a_claim_whose_answer_was_lost_gives_the_same_trial_again(
    storage: RetryingRDBStorage, storage_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    claimed(storage)
    transact: Callable[..., Any] = storage.transact
    monkeypatch.setattr(storage, "transact", lambda work: (transact(work), transact(work)))
    first, again = claim(storage, 1, START)  # type: ignore[misc]
    assert first == again
    assert (first.number, len(first.token)) == (1, 32)
    assert len(study_of(storage_url).trials) == 2


def test_a_new_trial_says_who_started_it(storage: RetryingRDBStorage, storage_url: str) -> None:
    claimed(storage)
    (trial,) = study_of(storage_url).trials
    assert (trial.state, TrialOrigin.demand(trial)) == (TrialState.RUNNING, START)


def test_what_waits_goes_before_what_would_be_chosen_but_not_beyond_the_budget(storage: RetryingRDBStorage) -> None:
    held = [claimed(storage) for _ in range(4)]
    enqueue_trials(storage, 1, KNOWN)
    assert claim(storage, 1, START) is None
    release(storage, held[3], "stopped by hand")
    assert claimed(storage, choose=nothing).number == 3
    assert claim(storage, 1, START, choose=nothing) is None


def test_a_choice_is_made_in_the_transaction_of_the_claim(storage: RetryingRDBStorage) -> None:
    asked: list[tuple[int, Any, Standing | None]] = []

    def choose(session: Session, places: int, launched: Any, arrived: Standing | None) -> Start:
        assert session.in_transaction()
        asked.append((places, launched, arrived))
        return Start.NEW

    claimed(storage)
    claimed(storage, choose=choose)
    assert asked == [(3, {"trials": 4, "failed": 0}, None)]


def test_a_trial_that_comes_to_a_rung_is_chosen_from_as_if_it_were_paused_there(storage: RetryingRDBStorage) -> None:
    lease, other, foreign = claimed(storage), claimed(storage), claimed(storage)
    pause(storage, other)
    storage.transact(lambda session: write_standing(session, 99, Standing(foreign.trial_id, 0, 0.5, 1.0, paused=True)))
    release(storage, foreign, "stopped by hand")  # it waits, and another study, which was deleted, had paused its number
    standing, asked = Standing(lease.trial_id, 0, 0.5, 1.0), []

    def choose(session: Session, places: int, launched: Any, arrived: Standing | None) -> int | Start:
        asked.append((places, arrived, [one.trial_id for one in read_standings(session, 1)]))
        return lease.trial_id if len(asked) == 1 else Start.NEW

    assert stands(storage, 1, lease, standing, "1x3", choose)
    assert stands(storage, 1, lease, standing, "1x3", choose), "asked again about the same rung"
    assert not stands(storage, 1, lease, standing._replace(height=1), "1x9", choose)
    assert [(places, arrived) for places, arrived, _ in asked] == [
        (2, standing._replace(paused=True)),
        (2, standing._replace(height=1, paused=True)),
    ]
    assert asked[0][2] == [other.trial_id]
    after = storage.transact(lambda session: read_standings(session, 1))
    assert sorted(after)[:2] == [standing, standing._replace(height=1, paused=True)]


def test_a_paused_trial_goes_on_when_it_is_chosen_and_only_then(storage: RetryingRDBStorage, storage_url: str) -> None:
    first, second, interrupted = claimed(storage), claimed(storage), claimed(storage)
    pause(storage, first)
    pause(storage, second)
    # One that was on a rung and was interrupted behind it is not paused.
    storage.transact(lambda session: write_standing(session, 1, Standing(interrupted.trial_id, 0, 0.5, 1.0)))
    release(storage, interrupted, "stopped by hand")
    assert claimed(storage).number == interrupted.number
    assert claimed(storage, choose=lambda *_: second.trial_id).number == second.number
    trials = study_of(storage_url).trials
    assert [trial.state for trial in trials[:2]] == [TrialState.WAITING, TrialState.RUNNING]
    assert [is_paused(trial) for trial in trials] == [True, False, False]
    assert (PAUSED.read(trials[0]), trials[1].user_attrs[PAUSED.name]) == ("1x3", "")
    assert storage.transact(lambda session: paused_heights(session, 1)) == {first.trial_id: 0}
    rows = storage.transact(lambda session: session.execute(sql.select(RUNGS.c.trial_id, RUNGS.c.paused)).all())
    assert {tuple(row) for row in rows} == {
        (first.trial_id, True),
        (second.trial_id, False),
        (interrupted.trial_id, False),
    }


def test_what_a_deleted_study_paused_holds_no_trial_back(storage: RetryingRDBStorage) -> None:
    lease = claimed(storage)
    release(storage, lease, "stopped by hand")
    storage.transact(lambda session: write_standing(session, 99, Standing(lease.trial_id, 0, 0.5, 1.0, paused=True)))
    assert claimed(storage).number == lease.number


def test_studies_of_one_database_know_nothing_of_each_other(
    storage: RetryingRDBStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    enqueue_trials(storage, 1, KNOWN)
    enqueue_trials(storage, 2, KNOWN)
    assert storage.transact(_waiting) == [(1, 0), (2, 0)]
    other = claimed(storage, 2)
    assert (other.number, other.trial_id) == (0, 2)
    assert not has_workers(storage, 1)
    monkeypatch.setattr(leases, "is_gone", lambda process: True)
    assert requeue_stale_trials(storage, 1) == []
    assert requeue_stale_trials(storage, 2) == [StaleTrial(0, waits=True)]


def _waiting(session: Session) -> list[tuple[int, int]]:
    trial = models.TrialModel
    rows = session.query(trial.study_id, trial.number).filter_by(state=TrialState.WAITING).order_by(trial.study_id)
    return [(int(study_id), int(number)) for study_id, number in rows]


def test_what_failed_is_enqueued_again(storage: RetryingRDBStorage, storage_url: str) -> None:
    enqueue_trials(storage, 1, KNOWN)
    claimed(storage)
    study_of(storage_url).tell(0, state=TrialState.FAIL)
    enqueue_trials(storage, 1, KNOWN)
    assert [trial.state for trial in study_of(storage_url).trials] == [TrialState.FAIL, TrialState.WAITING]


def test_only_one_enqueues_at_a_time(storage: RetryingRDBStorage, storage_url: str) -> None:
    thread = threading.Thread(target=enqueue_trials, args=(storage, 1, KNOWN))
    with storage.engine.begin() as another:
        another.execute(sql.text("update studies set study_name = study_name where study_id = 1"))
        thread.start()
        thread.join(0.5)
        assert thread.is_alive()
    thread.join()
    assert len(study_of(storage_url).trials) == 1


def test_looking_waits_for_nobody_who_writes(storage: RetryingRDBStorage) -> None:
    claimed(storage)
    with storage.engine.begin() as writer:
        writer.execute(sql.update(LEASES).values(taken_up=1))
        assert has_workers(storage, 1)
        assert requeue_stale_trials(storage, 1) == []


def test_the_lease_of_a_deleted_study_is_worth_nothing(storage: RetryingRDBStorage, storage_url: str) -> None:
    lease = claimed(storage)
    change_leases(storage, study_id=99)
    assert not renew(storage, lease)
    with pytest.raises(LeaseLost), storage.transaction(require_lease(lease)):
        study_of(storage_url).tell(0, 1.0)


def test_a_lease_ends_with_its_trial_whatever_else_runs(storage: RetryingRDBStorage, storage_url: str) -> None:
    ended, other = claimed(storage), claimed(storage)
    study_of(storage_url).tell(0, 0.5)
    assert not renew(storage, ended)
    assert renew(storage, other)


def test_a_lease_that_is_renewed_goes_by_the_clock_of_now(storage: RetryingRDBStorage) -> None:
    lease = claimed(storage)
    change_leases(storage, clock="of another start")
    assert renew(storage, lease)
    assert requeue_stale_trials(storage, 1) == []


def test_progress_is_written_with_the_lease(storage: RetryingRDBStorage) -> None:
    first, second = claimed(storage), claimed(storage)
    elsewhere = claimed(storage, 2)
    for lease, far in ((first, "far"), (second, "near"), (elsewhere, "there"), (second, "nearer")):
        assert renew(storage, lease, far)
    assert renew(storage, first)
    assert storage.transact(lambda session: read_progress(session, 1)) == {first.trial_id: "far", second.trial_id: "nearer"}
    assert storage.transact(lambda session: read_progress(session, 2)) == {elsewhere.trial_id: "there"}


def test_a_new_trial_has_no_rows_of_a_deleted_one_of_its_number(storage: RetryingRDBStorage) -> None:
    for standing in (Standing(1, 0, 0.5, 1.0), Standing(7, 0, 0.5, 1.0)):
        storage.transact(partial(write_standing, study_id=99, standing=standing))
    assert claimed(storage).trial_id == 1
    assert storage.transact(lambda session: session.execute(sql.select(RUNGS.c.trial_id)).scalars().all()) == [7]


def test_progress_goes_with_its_lease_when_the_next_trial_is_handed_out(storage: RetryingRDBStorage) -> None:
    lease, other = claimed(storage), claimed(storage, 2)
    for one in (lease, other):
        assert renew(storage, one, "far")
    release(storage, lease, "stopped by hand")
    claimed(storage)
    rows = storage.transact(lambda session: session.execute(sql.select(PROGRESS.c.trial_id)).scalars().all())
    assert rows == [other.trial_id]


def test_what_runs_without_a_lease_is_left(
    storage: RetryingRDBStorage, storage_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    release(storage, claimed(storage), "stopped by hand")
    optuna.load_study(study_name="study", storage=RDBStorage(storage_url)).ask()  # takes the trial that waits
    monkeypatch.setattr(leases, "is_gone", lambda process: True)
    assert requeue_stale_trials(storage, 1) == []


def test_each_trial_is_judged_alone_where_others_changed_since_they_were_read(
    storage: RetryingRDBStorage, storage_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    renewed, ended, lost = claimed(storage), claimed(storage), claimed(storage)
    monkeypatch.setattr(leases, "is_gone", lambda process: True)
    read = storage.transact(lambda session: leases._run_out(session, 1))
    assert len(read) == 3
    assert renew(storage, renewed)
    study_of(storage_url).tell(1, 0.5)
    monkeypatch.setattr(leases, "_run_out", lambda session, study_id: read)
    assert requeue_stale_trials(storage, 1) == [StaleTrial(2, waits=True)]
    assert [trial.state.name for trial in study_of(storage_url).trials] == ["RUNNING", "COMPLETE", "WAITING"]
    assert lost.number == 2
    assert ended.number == 1


def test_a_trial_that_is_failed_takes_no_other_with_it(
    storage: RetryingRDBStorage, storage_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    doomed, other = claimed(storage), claimed(storage)
    row = LEASES.c.trial_id == doomed.trial_id
    values = {"taken_up": TAKEN_UP, "process": "of another machine:1", "until": 0.0}
    storage.transact(lambda session: session.execute(sql.update(LEASES).where(row).values(**values)))
    assert requeue_stale_trials(storage, 1) == [StaleTrial(0, waits=False)]
    assert renew(storage, other)
    tokens = storage.transact(lambda session: session.execute(sql.select(LEASES.c.trial_id, LEASES.c.token)).all())
    assert {tuple(one) for one in tokens} == {(doomed.trial_id, None), (other.trial_id, other.token)}
