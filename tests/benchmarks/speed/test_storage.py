"""The benchmarks of sampler and storage: trials that train nothing do what trials do, and a trial that is lost is seen."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import optuna
import pytest
from optuna.trial import TrialState

from benchmarks.speed.load import GRPC, POSTGRES, SQLITE, WorkerPool, ran
from benchmarks.support.filling import fill
from benchmarks.support.idle import Chance, Clock, Done, IdleWorker, begin, plan_of, work_idly
from benchmarks.support.measure import Work, workers
from search.pruning.audit import good_trials
from search.studies.plan import Plan
from search.studies.study import Study
from search.trials.objectives import has_learned
from search.trials.records import CheckpointRecord, Recipe, RungResult
from spaces import Config
from spaces.suggest import suggest


@pytest.fixture(scope="module")
def plan(tmp_path_factory: pytest.TempPathFactory) -> Plan:
    return plan_of(tmp_path_factory.mktemp("data") / "foils")


def started(plan: Plan, folder: Path, trials: int = 1000) -> Study:
    return begin("idle", f"sqlite:///{folder}/studies.db", plan, trials, folder / "runs")


def test_the_workers_import_no_torch() -> None:
    command = "import sys, benchmarks.support.filling; sys.exit('torch' in sys.modules)"
    subprocess.run([sys.executable, "-c", command], check=True)


def test_an_idle_trial_leaves_what_a_real_one_leaves(plan: Plan, tmp_path: Path) -> None:
    study, clock, rungs = started(plan, tmp_path), Clock(), plan.ladder.rungs
    assert IdleWorker(study).run(clock.part) == 0
    (trial,) = study.optuna.trials
    assert trial.state == TrialState.COMPLETE
    assert list(trial.intermediate_values) == [rung.cost for rung in rungs]
    assert Config.from_dict(Recipe.demand(trial).config)
    assert RungResult.demand(trial).rung == str(rungs[-1])
    assert has_learned(RungResult.demand(trial))
    assert [kept.epoch for kept in CheckpointRecord.demand(trial).folds.values()] == [rungs[-2].epochs] * rungs[-2].folds
    assert set(clock.taken) == {"claim", "suggest", "rungs", "end"}


def test_a_worker_ends_with_the_budget_and_says_what_it_ran(plan: Plan, tmp_path: Path) -> None:
    done = work_idly(started(plan, tmp_path, trials=2), tmp_path / "meeting", "0", 1, 0.0)
    assert (done.numbers, done.errors, len(done.overheads), done.work.amount) == ((0, 1), (), 2, 2)


def test_lost_and_doubled_trials_are_counted(plan: Plan, tmp_path: Path) -> None:
    study = started(plan, tmp_path)
    worker = IdleWorker(study, lambda number: Chance(seed=number))
    assert [worker.run() for _ in range(3)] == [0, 1, 2]

    def lost(numbers: tuple[int, ...], trials: int) -> int:
        return ran([Done(Work(0.0, 1.0, 1), numbers, (), (), torch=False)], study.optuna, trials).lost

    assert lost((2, 1, 0), 3) == 0
    assert lost((0, 1), 3) == 1
    assert lost((0, 1, 2, 2), 3) == 1
    assert lost((0, 1, 2), 5) == 2


@pytest.mark.slow
@pytest.mark.parametrize("kind", [SQLITE, POSTGRES, GRPC])
def test_workers_share_a_study_and_lose_nothing(kind: str, plan: Plan, postgres_url: str, tmp_path: Path) -> None:
    address = f"sqlite:///{tmp_path}/studies.db" if kind == SQLITE else postgres_url
    with workers(2) as pool:
        found = WorkerPool(pool, tmp_path, plan, {kind: address}).run(kind, 2, 5)
    assert (found.lost, found.errors, len(found.overheads)) == (0, (), 5)
    assert found.rate > 0


def test_trials_that_never_ran_are_read_and_learned_from_like_others(plan: Plan, tmp_path: Path) -> None:
    study = started(plan, tmp_path)
    fill(study, 40, seed=0)
    fill(study, 2, seed=1, running=True)
    trials = study.optuna.trials
    assert [trial.number for trial in trials] == list(range(42))
    assert [trial.state for trial in trials[40:]] == [TrialState.RUNNING] * 2
    for trial in trials:
        assert (trial.last_step is None) == (not trial.intermediate_values)
        assert suggest(optuna.trial.FixedTrial(trial.params), plan.space)
    assert good_trials(trials)
    assert IdleWorker(study).run() == 42
