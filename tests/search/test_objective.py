"""One trial on the ladder: what it reports, records, and how it may end."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import optuna
import pytest
from optuna.trial import TrialState

from foils import Dataset
from search import objective
from search.ladder import Ladder
from search.objective import Job, climb, run_trial, trial_seed
from search.studies import Plan, Study
from spaces import Config
from tests.search.conftest import start


@pytest.fixture
def job(finished: Study, tiny: Dataset, tmp_path: Path) -> Job:
    plan = finished.plan
    return Job(finished, plan, plan.searched(tiny), "launch", None, tmp_path / "stop")


def test_a_complete_trial_records_every_fold(finished: Study) -> None:
    for trial in finished.optuna.trials:
        attributes = trial.user_attrs
        for name in ("acceptance", "rejection", "accepted", "signals", "auc", "accuracy", "verdicts", "reseeds"):
            assert len(attributes[name]) == 5, name
        assert list(trial.intermediate_values) == [1, 5, 30]
        assert trial.value == pytest.approx(np.mean(attributes["acceptance"]))
        assert attributes["epochs_run"] >= 30
        assert attributes["seconds"] > 0
        assert attributes["seed"] == trial_seed(0, trial.number)
        assert sum(attributes["signals"]) == 16
        assert Config.from_dict(attributes["config"]).network.width in (4, 8)


class Alone(optuna.trial.FixedTrial):
    """A trial of given parameters and number, in a study of its own."""

    def __init__(self, params: dict[str, object], number: int) -> None:
        super().__init__(params, number)
        self.study = optuna.create_study()


def test_the_same_seed_and_parameters_give_the_same_numbers(finished: Study, job: Job) -> None:
    params = finished.optuna.trials[1].params
    runs = [Alone(params, number) for number in (1, 1, 2)]
    for run in runs:
        climb(run, job.data, job.plan)  # type: ignore[arg-type]  # it quacks like a trial
    first, second, other = (run.user_attrs for run in runs)
    assert {**first, "seconds": 0} == {**second, "seconds": 0}
    assert first["seed"] != other["seed"]


def test_a_pruned_trial_is_told_as_pruned_and_keeps_its_rung(job: Job, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(optuna.Trial, "should_prune", lambda self: True)
    number = run_trial(job, 3)
    trial = job.study.optuna.trials[3]
    assert (number, trial.state, trial.user_attrs["rung"]) == (3, TrialState.PRUNED, "1x1")
    assert trial.user_attrs["verdicts"] == ["unfinished"]


def test_a_broken_trial_fails_with_its_reason_and_harms_no_other(job: Job, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> float:
        raise RuntimeError("no such kernel\nsecond line")

    monkeypatch.setattr(objective, "climb", broken)
    run_trial(job, 3)
    trial = job.study.optuna.trials[3]
    assert (trial.state, trial.user_attrs["error"]) == (TrialState.FAIL, "RuntimeError: no such kernel")
    monkeypatch.undo()
    assert run_trial(job, 4) == 4
    assert job.study.optuna.trials[4].state == TrialState.COMPLETE


def test_a_request_to_stop_ends_a_trial_at_its_next_epoch_and_marks_it(job: Job, monkeypatch: pytest.MonkeyPatch) -> None:
    checks = iter([None, None])

    def check(self: Job) -> None:
        if next(checks, "stop") == "stop":
            raise objective.Stopped("stopped by hand")

    monkeypatch.setattr(Job, "check", check)
    run_trial(job, 3)
    trial = job.study.optuna.trials[3]
    assert (trial.state, trial.user_attrs["stopped"]) == (TrialState.FAIL, "stopped by hand")
    assert "error" not in trial.user_attrs


def test_no_trial_is_started_after_a_request_to_stop_or_the_deadline(job: Job) -> None:
    assert run_trial(replace(job, deadline=time.time() - 1), 3) is None
    job.stop.touch()
    assert run_trial(job, 3) is None
    assert len(job.study.optuna.trials) == 3


def test_the_sampler_is_seeded_by_the_ticket(job: Job) -> None:
    samplers: list[Any] = [objective._open(job, ticket).sampler for ticket in (7, 7, 8)]
    draws = [sampler._rng.rng.random() for sampler in samplers]
    assert draws[0] == draws[1] != draws[2]


def test_other_trials_on_the_same_rung_say_whether_learning_is_possible(tiny: Dataset, tmp_path: Path) -> None:
    study = start(tiny, tmp_path, trials=1)
    trial = study.optuna.ask()
    values = study.optuna.trials[0].intermediate_values
    for rung in Ladder.parse(study.plan.ladder).rungs:
        assert objective._others_learned(trial, rung, 0.1) == (values[rung.cost] > 0.3)
        assert not objective._others_learned(trial, rung, 0.9)


def test_a_plan_survives_the_storage(finished: Study) -> None:
    assert isinstance(finished.plan, Plan)
