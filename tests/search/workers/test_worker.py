"""A worker: what becomes of a trial in its hands, and which trial it takes next."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import optuna
import pytest
import sqlalchemy as sql
from optuna.storages import RDBStorage
from optuna.trial import TrialState

from foils import Dataset
from search.errors import StudyError
from search.storage.checkpoints import CheckpointStore, open_runs
from search.storage.lease_table import LEASES
from search.studies.study import Study, open_or_create
from search.trials.records import ERROR, STOPPED, RungResult
from search.workers import stop_signal, worker
from search.workers.context import WorkerContext
from search.workers.sampler import open_study
from search.workers.stop_signal import StopSignal
from search.workers.worker import work
from tests.support.studies import job_of, one_more, with_options


@pytest.fixture
def job(finished: Study, tiny: Dataset, tmp_path: Path) -> WorkerContext:
    return job_of(finished, tiny, tmp_path)


def test_a_pruned_trial_is_told_as_pruned_and_keeps_its_rung(job: WorkerContext, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(optuna.Trial, "should_prune", lambda self: True)
    number = one_more(replace(job, plan=with_options(job.plan, audit=0.0)))
    trial = job.study.trial(3)
    assert (number, trial.state, RungResult.demand(trial).rung) == (3, TrialState.PRUNED, "1x1")
    assert RungResult.demand(trial).verdicts == ("unfinished",)


def test_a_broken_trial_fails_with_its_reason_and_harms_no_other(job: WorkerContext, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> float:
        raise RuntimeError("no such kernel\nsecond line")

    monkeypatch.setattr(worker, "climb", broken)
    one_more(job)
    trial = job.study.trial(3)
    assert (trial.state, ERROR.read(trial)) == (TrialState.FAIL, "RuntimeError: no such kernel")
    monkeypatch.undo()
    assert one_more(job) == 4
    assert job.study.trial(4).state == TrialState.COMPLETE


def test_a_request_to_stop_ends_a_trial_at_its_next_epoch_and_it_waits(
    job: WorkerContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stop_signal, "LOOK_S", 0.0)
    asked = iter([None, None])
    one_more(job, StopSignal([lambda: next(asked, "stopped by hand")]))
    trial = job.study.trial(3)
    assert (trial.state, STOPPED.read(trial)) == (TrialState.WAITING, "stopped by hand")
    assert ERROR.read(trial) is None


def test_no_trial_is_started_after_a_request_to_stop(job: WorkerContext) -> None:
    assert list(work(job, StopSignal([lambda: "stopped by hand"]))) == []
    assert len(job.study.optuna.trials) == 3


def test_the_sampler_is_seeded_by_the_number(job: WorkerContext) -> None:
    samplers: list[Any] = [open_study(job.study, job.plan, number).sampler for number in (2, 2, 1)]
    assert isinstance(samplers[2], optuna.samplers.PartialFixedSampler)
    draws = [sampler._rng.rng.random() for sampler in samplers[:2]]
    assert draws[0] == draws[1]


def test_a_trial_that_is_ended_from_outside_is_left_and_the_next_one_taken(
    job: WorkerContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stop_signal, "LOOK_S", 0.0)
    epochs: list[int] = []

    def source() -> None:
        epochs.append(1)
        if len(epochs) == 3:
            optuna.load_study(study_name="tiny", storage=RDBStorage(job.study.storage)).tell(3, state=TrialState.FAIL)

    one_more(job, StopSignal([source]))
    assert (job.study.trial(3).state, ERROR.read(job.study.trial(3))) == (TrialState.FAIL, None)
    assert not (job.runs / "3").exists()
    assert one_more(job) == 4
    assert job.study.trial(4).state == TrialState.COMPLETE


def count_leases(study: Study) -> int:
    count = sql.select(sql.func.count()).select_from(LEASES)
    return int(study.backend.transact(lambda session: session.execute(count).scalar_one(), reads=True))


@pytest.mark.parametrize("recreated", [False, True])
def test_a_study_that_is_deleted_ends_its_workers_with_one_line(
    job: WorkerContext, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, recreated: bool
) -> None:
    monkeypatch.setattr(stop_signal, "LOOK_S", 0.0)
    job = replace(job, runs=open_runs(tmp_path / "runs", "tiny", job.study.uid))
    CheckpointStore(job.runs / "1", "another").keep(0, 0, 3, b"of a trial that was interrupted")
    epochs: list[int] = []

    def source() -> None:
        epochs.append(1)
        if len(epochs) == 3:
            optuna.delete_study(study_name="tiny", storage=RDBStorage(job.study.storage))
            if recreated:
                open_or_create("tiny", job.study.storage, job.plan)

    with pytest.raises(StudyError) as caught:
        list(work(job, StopSignal([source])))
    assert str(caught.value) == (
        "a study must stay while it is worked on, but 'tiny' was deleted; launch it again to start anew."
    )
    assert count_leases(job.study) == 0
    assert [path.name for path in job.runs.iterdir()] == ["study"]
    if recreated:
        assert Study("tiny", job.study.storage).optuna.get_trials() == []
