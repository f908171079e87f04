"""What is read less chooses what it chose before, and pruners see what has finished, whoever finished it."""

from __future__ import annotations

import warnings
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import optuna
import pytest
from optuna.exceptions import ExperimentalWarning
from optuna.samplers import TPESampler
from optuna.storages._cached_storage import _CachedStorage
from optuna.trial import TrialState

from benchmarks.support.filling import fill
from benchmarks.support.idle import IdleWorker, begin, plan_of
from search.seeds import trial_seed
from search.storage.leases import Lease, claim, require_lease
from search.studies.plan import Plan
from search.studies.study import Study
from search.trials.records import TrialOrigin
from search.workers.sampler import open_study
from spaces.suggest import suggest
from tests.support.studies import with_options

FINISHED = (TrialState.COMPLETE,)


@pytest.fixture(scope="module")
def plan(tmp_path_factory: pytest.TempPathFactory) -> Plan:
    return plan_of(tmp_path_factory.mktemp("data") / "foils")


def started(plan: Plan, folder: Path) -> Study:
    return begin("asked", f"sqlite:///{folder}/studies.db", plan, 1000, folder / "runs")


def claimed(study: Study) -> Lease:
    lease = claim(study.backend, study.id, TrialOrigin("tests", "host:1"))
    assert lease is not None
    return lease


class Enough(Exception):
    pass


def chosen(study: Study, plan: Plan, lease: Lease, *, optunas: bool) -> dict[str, Any]:
    """Choose for a trial as trials do, or with Optuna's own sampler; nothing is kept of it."""
    opened = open_study(study, plan, lease.number)
    if optunas:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ExperimentalWarning)
            seed = trial_seed(plan.options.seed + 1, lease.number)
            opened.sampler = TPESampler(multivariate=True, group=True, constant_liar=True, seed=seed)
    trial = optuna.Trial(opened, lease.trial_id)
    with suppress(Enough), study.backend.transaction():
        suggest(trial, plan.space)
        raise Enough
    return trial.params


@pytest.mark.slow
@pytest.mark.parametrize("objectives", [("acceptance",), ("acceptance", "cost")], ids=",".join)
def test_a_trial_is_given_what_optunas_own_sampler_would_choose(
    objectives: tuple[str, ...], plan: Plan, tmp_path: Path
) -> None:
    plan = with_options(plan, objectives=objectives, pruner="trailing")
    study, random = started(plan, tmp_path), np.random.default_rng(0)
    for number in range(30):
        lease = claimed(study)
        assert chosen(study, plan, lease, optunas=False) == chosen(study, plan, lease, optunas=True)
        opened = open_study(study, plan, number)
        trial = optuna.Trial(opened, lease.trial_id)
        with study.backend.transaction(require_lease(lease)):
            suggest(trial, plan.space)
        if number % 9 == 4:
            continue  # goes on running
        value = float(random.random())
        with study.backend.transaction(require_lease(lease)):
            if len(objectives) == 1:
                trial.report(value, 3)
                pruned = number % 3 == 1
                opened.tell(trial, None if pruned else value, state=TrialState.PRUNED if pruned else None)
            else:
                trial.set_constraint("climbs", 0.5 - value)
                opened.tell(trial, (value, 1 - value**2))


def test_a_trial_sees_what_finished_in_whatever_order_and_reads_it_once(plan: Plan, tmp_path: Path) -> None:
    study = started(plan, tmp_path)
    assert IdleWorker(study).run() == 0
    leases = [claimed(study) for _ in range(4)]
    seen = open_study(study, plan, 1)._storage
    for place in (2, 0, 3, 1):
        opened = open_study(study, plan, leases[place].number)
        with study.backend.transaction(require_lease(leases[place])):
            opened.tell(optuna.Trial(opened, leases[place].trial_id), 0.5)
        anew = _CachedStorage(study.backend)
        for states in (FINISHED, (TrialState.RUNNING,), None, FINISHED):
            assert seen.get_all_trials(study.id, states=states) == anew.get_all_trials(study.id, states=states)
    first, again = (seen.get_all_trials(study.id, deepcopy=False, states=FINISHED) for _ in range(2))
    assert len(first) == 5
    assert all(one is other for one, other in zip(first, again, strict=True))


@pytest.mark.parametrize("pruner", ["promotion", "trailing"])
def test_trials_that_run_are_read_once_for_all_choices_and_for_no_pruner_and_others_once_for_all(
    pruner: str, plan: Plan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = with_options(plan, pruner=pruner)
    study = started(plan, tmp_path)
    fill(study, 30, seed=0)
    fill(study, 5, seed=1, running=True)
    lease, read, kept = claimed(study), list[int](), study.backend._get_trials

    def noted(*asked: Any, **named: Any) -> list[Any]:
        found = kept(*asked, **named)
        read.append(len(found))
        return found

    monkeypatch.setattr(study.backend, "_get_trials", noted)
    chosen(study, plan, lease, optunas=False)
    assert 36 <= sum(read) <= 42  # with those that paused ones are read beside
    read.clear()
    chosen(study, plan, lease, optunas=False)
    assert read == [6]
    opened = open_study(study, plan, lease.number)
    assert opened.get_trials(deepcopy=False, states=FINISHED)
    assert read == [6]
    fill(study, 2, seed=2)
    read.clear()
    opened.get_trials(deepcopy=False, states=FINISHED)
    assert sum(read) <= 2
