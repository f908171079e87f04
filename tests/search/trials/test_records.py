"""Records: written whole, read back the same, absent where a trial ended before, and few."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import optuna
import pytest
from optuna.trial import FrozenTrial
from sqlalchemy import event

from foils import Dataset
from search.errors import StudyError
from search.storage.leases import claim
from search.studies.study import Study
from search.trials.records import ERROR, STOPPED, Recipe, RungResult, TrialOrigin
from search.workers.stop_signal import StopSignal
from search.workers.worker import run_trial
from tests.support.studies import job_of, with_options
from tests.support.trials import reached, recipe

RECORDS = (TrialOrigin("launch", "host:1"), recipe(audited=True), reached(verdicts=("learned", *("collapsed",) * 4)))


def stored(study: optuna.Study) -> FrozenTrial:
    """Read the study's last trial from the storage."""
    return study.get_trials()[-1]


@pytest.mark.parametrize("record", RECORDS, ids=lambda record: record.name)
def test_a_record_is_read_as_it_was_written(finished: Study, record: TrialOrigin | Recipe | RungResult) -> None:
    study = finished.optuna
    trial = study.ask()
    assert type(record).read(stored(study)) is None
    record.write(trial)
    assert type(record).read(stored(study)) == type(record).read(trial) == record


def test_a_record_takes_the_place_of_the_one_before(finished: Study) -> None:
    study = finished.optuna
    trial = study.ask()
    for record in (reached(folds=1, rung="1x3"), reached(would_prune="1x3")):
        record.write(trial)
    assert RungResult.read(stored(study)) == reached(would_prune="1x3")
    assert list(stored(study).user_attrs) == ["reached"]


def test_a_remark_is_written_into_a_running_trial(finished: Study) -> None:
    study = finished.optuna
    trial = study.ask()
    STOPPED.write(trial, "its worker died")
    assert (STOPPED.read(stored(study)), ERROR.read(stored(study))) == ("its worker died", None)
    ERROR.write(trial, "RuntimeError: no such kernel")
    assert ERROR.read(stored(study)) == "RuntimeError: no such kernel"


def test_a_record_that_must_be_there_is_asked_for_by_name(finished: Study) -> None:
    study = finished.optuna
    study.ask()
    with pytest.raises(StudyError, match="trial 3 must be one that this version of pitsearch ran, but has no record 'reached'"):
        RungResult.demand(stored(study))


def test_counts_are_pooled_over_the_folds() -> None:
    assert reached(folds=3, accepted=(3, 0, 4), signals=(5, 5, 4)).pooled == (7, 14)


@pytest.mark.parametrize("pruned", [False, True], ids=["climbs on", "would be pruned"])
@pytest.mark.parametrize("audit", [0.0, 1.0], ids=["as any", "audited"])
def test_a_trial_is_one_transaction_a_rung_one_before_and_one_at_its_end(
    finished: Study, tiny: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, audit: float, pruned: bool
) -> None:
    job = job_of(finished, tiny, tmp_path)
    job = replace(job, plan=with_options(job.plan, audit=audit))
    lease = claim(finished.backend, finished.id, TrialOrigin("", "host:1"))
    assert lease is not None
    committed: list[str] = []
    event.listen(finished.backend.engine, "before_cursor_execute", lambda *given: committed.append(given[2]))
    monkeypatch.setattr(optuna.Trial, "should_prune", lambda self: pruned)
    run_trial(job, lease, StopSignal())
    rungs = 1 if pruned and not audit else len(job.plan.ladder.rungs)
    assert committed.count("BEGIN IMMEDIATE") == 1 + rungs + 1
