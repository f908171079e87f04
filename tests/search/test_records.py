"""Records: written whole, read back the same, absent where a trial ended before, and few."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import optuna
import pytest
from optuna.storages import BaseStorage
from optuna.trial import FrozenTrial

from foils import Dataset
from search.errors import StudyError
from search.ladder import Ladder
from search.objective import Job, run_trial
from search.records import ERROR, STOPPED, Reached, Recipe, Start
from search.storage import open_storage
from search.studies import Study
from tests.search.trials import reached, recipe

RECORDS = (Start("launch", "host:1"), recipe(audited=True), reached(verdicts=("learned", *("collapsed",) * 4)))


def stored(study: optuna.Study) -> FrozenTrial:
    """Read the study's last trial from the storage."""
    return study.get_trials()[-1]


@pytest.mark.parametrize("record", RECORDS, ids=lambda record: record.name)
def test_a_record_is_read_as_it_was_written(finished: Study, record: Start | Recipe | Reached) -> None:
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
    assert Reached.read(stored(study)) == reached(would_prune="1x3")
    assert list(stored(study).user_attrs) == ["reached"]


def test_a_remark_is_written_into_any_running_trial(finished: Study) -> None:
    study = finished.optuna
    trial = study.ask()
    STOPPED.write(study, stored(study), "its worker died")
    assert (STOPPED.read(stored(study)), ERROR.read(stored(study))) == ("its worker died", None)
    ERROR.write(study, trial, "RuntimeError: no such kernel")
    assert ERROR.read(stored(study)) == "RuntimeError: no such kernel"


def test_a_record_that_must_be_there_is_asked_for_by_name(finished: Study) -> None:
    study = finished.optuna
    study.ask()
    with pytest.raises(StudyError, match="trial 3 must be one that this version of pitsearch ran, but has no record 'reached'"):
        Reached.demand(stored(study))


def test_counts_are_pooled_over_the_folds() -> None:
    assert reached(folds=3, accepted=(3, 0, 4), signals=(5, 5, 4)).pooled == (7, 14)


@pytest.mark.parametrize("pruned", [False, True], ids=["climbs on", "would be pruned"])
@pytest.mark.parametrize("audit", [0.0, 1.0], ids=["as any", "audited"])
def test_a_trial_writes_one_record_a_rung_and_one_before(
    finished: Study, tiny: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, audit: float, pruned: bool
) -> None:
    counted = Counter[str]()

    def counting(storage: BaseStorage, name: str) -> None:
        write = getattr(storage, name)

        def call(*given: Any, **named: Any) -> Any:
            counted[name] += 1
            return write(*given, **named)

        monkeypatch.setattr(storage, name, call)

    for name in ("set_trial_user_attr", "set_trial_intermediate_value"):
        counting(open_storage(finished.storage), name)
    monkeypatch.setattr(optuna.Trial, "should_prune", lambda self: pruned)
    plan = replace(finished.plan, audit=audit)
    run_trial(Job(finished, plan, plan.searched(tiny), "launch", None, tmp_path / "stop"), 3)
    rungs = 1 if pruned and not audit else len(Ladder.parse(plan.ladder).rungs)
    assert counted == {"set_trial_user_attr": 1 + rungs, "set_trial_intermediate_value": rungs}
