"""One trial on the ladder: what it reports, records, and how it may end."""

from __future__ import annotations

import time
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import optuna
import pytest
from optuna.trial import TrialState

from foils import Dataset
from models import crossvalidation
from models.task import make_task
from search import objective
from search.ladder import Ladder
from search.objective import Job, climb, run_trial, trial_seed
from search.records import ERROR, STOPPED, Reached, Recipe, Start
from search.studies import Plan, Study, open_or_create
from spaces import Config
from tests.search.conftest import start


@pytest.fixture
def job(finished: Study, tiny: Dataset, tmp_path: Path) -> Job:
    plan = finished.plan
    return Job(finished, plan, plan.searched(tiny), "launch", None, tmp_path / "stop")


def test_a_complete_trial_records_every_fold(finished: Study) -> None:
    for trial in finished.optuna.trials:
        recipe, reached = Recipe.demand(trial), Reached.demand(trial)
        for name in ("acceptance", "rejection", "accepted", "signals", "auc", "accuracy", "verdicts", "reseeds"):
            assert len(asdict(reached)[name]) == 5, name
        assert list(trial.intermediate_values) == [1, 5, 30]
        assert trial.value == pytest.approx(np.mean(reached.acceptance))
        assert (reached.rung, reached.would_prune) == ("5x6", None)
        assert reached.epochs_run >= 30
        assert reached.seconds > 0
        assert recipe.seed == trial_seed(0, trial.number)
        assert sum(reached.signals) == 16
        assert Config.from_dict(recipe.config).network.width in ((4, 8) if trial.number else (None,))


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
    first, second = Reached.read(runs[0]), Reached.read(runs[1])
    assert first and second
    assert replace(first, seconds=0) == replace(second, seconds=0)
    recipes = [Recipe.read(run) for run in runs]
    assert recipes[0] == recipes[1] != recipes[2]


def test_folds_that_could_not_be_fused_are_noted_with_the_trial(
    finished: Study, job: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    # As on a GPU, but computed here; the probe says no, so the numbers are those of folds trained apart.
    monkeypatch.setattr(objective, "make_task", lambda *given, device, **options: make_task(*given, **options))
    monkeypatch.setattr(crossvalidation, "why_apart", lambda trainings: "folds trained apart: a test says so")
    run, apart = Alone(finished.optuna.trials[1].params, 1), finished.optuna.trials[1]
    climb(run, job.data, job.plan, device="cuda")  # type: ignore[arg-type]  # it quacks like a trial
    noted, plain = Reached.read(run), Reached.demand(apart)
    assert noted is not None
    assert noted.note == "folds trained apart: a test says so"
    assert noted.auc == plain.auc
    assert plain.note is None


def test_a_pruned_trial_is_told_as_pruned_and_keeps_its_rung(job: Job, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(optuna.Trial, "should_prune", lambda self: True)
    number = run_trial(replace(job, plan=replace(job.plan, audit=0.0)), 3)
    trial = job.study.optuna.trials[3]
    assert (number, trial.state, Reached.demand(trial).rung) == (3, TrialState.PRUNED, "1x1")
    assert Reached.demand(trial).verdicts == ("unfinished",)


def test_a_broken_trial_fails_with_its_reason_and_harms_no_other(job: Job, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> float:
        raise RuntimeError("no such kernel\nsecond line")

    monkeypatch.setattr(objective, "climb", broken)
    run_trial(job, 3)
    trial = job.study.optuna.trials[3]
    assert (trial.state, ERROR.read(trial)) == (TrialState.FAIL, "RuntimeError: no such kernel")
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
    assert (trial.state, STOPPED.read(trial)) == (TrialState.FAIL, "stopped by hand")
    assert ERROR.read(trial) is None


def test_no_trial_is_started_after_a_request_to_stop_or_the_deadline(job: Job) -> None:
    assert run_trial(replace(job, deadline=time.time() - 1), 3) is None
    job.stop.touch()
    assert run_trial(job, 3) is None
    assert len(job.study.optuna.trials) == 3


def test_the_sampler_is_seeded_by_the_ticket(job: Job) -> None:
    samplers: list[Any] = [objective.open_study(job, ticket).sampler for ticket in (7, 7, 8)]
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


def test_a_trial_says_from_its_first_moment_who_runs_it(job: Job, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    job = replace(job, study=open_or_create("fresh", f"sqlite:///{tmp_path}/studies.db", job.plan))
    study = objective.open_study(job, 0)

    def killed(*_: object) -> None:
        raise KeyboardInterrupt  # as if the worker ended at its first write

    monkeypatch.setattr(optuna.storages.RDBStorage, "set_trial_user_attr", killed)
    objective.ask(study, job.study.storage, Start("launch", "host:1"))
    (trial,) = study.trials
    assert trial.state is TrialState.RUNNING
    assert Start.read(trial) == Start("launch", "host:1")
