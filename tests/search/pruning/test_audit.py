"""Audits: a fair sample of trials is never pruned, keeps what the pruner would have done, and disturbs no other trial."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import optuna
import pytest
from optuna.trial import FrozenTrial, TrialState, create_trial

from foils import Dataset
from search.analysis.status import summarise
from search.launcher.launch import launch
from search.pruning.audit import Audit, is_audited, measure
from search.seeds import trial_seed
from search.statistics.intervals import wilson
from search.studies.options import Budget
from search.studies.study import Study
from search.trials.records import Recipe, RungResult
from search.workers.context import WorkerContext
from tests.support.studies import SMALL_SPACE, job_of, one_more, options_of, start, with_options
from tests.support.trials import reached, recipe, written

NUMBERS = range(4000)


@pytest.mark.parametrize("share", [0.05, 0.3])
@pytest.mark.parametrize("seed", [0, 1, 2**40])
def test_about_the_share_asked_for_is_audited_and_the_same_trials_again(seed: int, share: float) -> None:
    audited = [is_audited(seed, number, share) for number in NUMBERS]
    deviation = np.sqrt(share * (1 - share) / len(NUMBERS))
    assert abs(np.mean(audited) - share) < 4 * deviation
    assert audited == [is_audited(seed, number, share) for number in NUMBERS]
    assert audited != [is_audited(seed + 1, number, share) for number in NUMBERS]


def test_all_none_and_more_trials_are_audited_as_asked() -> None:
    assert all(is_audited(0, number, 1.0) for number in NUMBERS)
    assert not any(is_audited(0, number, 0.0) for number in NUMBERS)
    assert all(is_audited(0, number, 0.3) for number in NUMBERS if is_audited(0, number, 0.05))


def test_being_audited_says_nothing_of_a_trials_own_seed() -> None:
    seeds = np.array([trial_seed(0, number) for number in NUMBERS if is_audited(0, number, 0.3)])
    assert abs(np.mean(seeds) / 2**32 - 0.5) < 4 / np.sqrt(12 * len(seeds))


@pytest.fixture
def job(finished: Study, tiny: Dataset, tmp_path: Path) -> WorkerContext:
    """The next trial of a study with rivals that nobody beats on the first rung."""
    for _ in range(5):
        finished.optuna.add_trial(create_trial(value=1.0, system_attrs={"completed_rung_0": 2.0}))
    job = job_of(finished, tiny, tmp_path)
    return replace(job, plan=with_options(job.plan, pruner="halving", ladder="1x1,1x3,5x3,5x6"))


def ran(job: WorkerContext, audit: float) -> FrozenTrial:
    return job.study.trial(one_more(replace(job, plan=with_options(job.plan, audit=audit))))


def is_recorded_as_audited(trial: FrozenTrial) -> bool:
    return Recipe.demand(trial).audited


def would_prune(trial: FrozenTrial) -> str | None:
    return RungResult.demand(trial).would_prune


def rungs_competed_on(trial: FrozenTrial) -> set[str]:
    return {name for name in trial.system_attrs if name.startswith("completed_rung_")}


def test_an_audited_trial_climbs_on_where_it_would_be_pruned_and_competes_no_more(job: WorkerContext) -> None:
    pruned, audited = ran(job, 0.0), ran(job, 1.0)
    assert (pruned.state, audited.state) == (TrialState.PRUNED, TrialState.COMPLETE)
    assert list(audited.intermediate_values) == [1, 3, 15, 30]
    assert (is_recorded_as_audited(audited), would_prune(audited)) == (True, "1x1")
    assert (is_recorded_as_audited(pruned), would_prune(pruned)) == (False, None)
    assert rungs_competed_on(audited) == rungs_competed_on(pruned) == {"completed_rung_0"}


def test_the_pruner_is_asked_until_it_would_prune_and_never_again(job: WorkerContext, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []

    def should_prune(trial: optuna.Trial) -> bool:
        asked.append(trial._get_latest_trial().last_step or 0)
        return len(asked) == 2

    monkeypatch.setattr(optuna.Trial, "should_prune", should_prune)
    assert would_prune(ran(job, 1.0)) == "1x3"
    assert asked == [1, 3]


def test_an_audited_trial_that_the_pruner_lets_through_competes_like_any_other(
    job: WorkerContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(optuna.Trial, "should_prune", lambda self: False)
    trial = ran(job, 1.0)
    assert is_recorded_as_audited(trial)
    assert would_prune(trial) is None


@pytest.mark.parametrize("audit", [0.0, 1.0])
def test_a_study_audits_as_it_was_asked_to(
    tiny: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, audit: float
) -> None:
    monkeypatch.setattr(optuna.Trial, "should_prune", lambda self: self.number in (1, 2))
    study = start(tiny, tmp_path, trials=4, pruner="halving", ladder="1x1,5x1", audit=audit)
    trials, found = study.optuna.trials, summarise(study).audit
    done, pruned = TrialState.COMPLETE, TrialState.PRUNED
    if audit:
        assert [trial.state for trial in trials] == [done] * 4
        assert [would_prune(trial) for trial in trials] == [None, "1x1", "1x1", None]
        assert found is not None
        assert found.audited == 3  # the network in use is spared, and no part of the sample
    else:
        assert [trial.state for trial in trials] == [done, pruned, pruned, done]
        assert not any(is_recorded_as_audited(trial) or would_prune(trial) for trial in trials)
        assert found is None


def test_one_trial_in_twenty_is_audited_unless_told_otherwise(tiny: Dataset, tmp_path: Path) -> None:
    study = launch(tiny, SMALL_SPACE, options_of(ladder="5x1"), storage=f"sqlite:///{tmp_path}/studies.db", budget=Budget(1))
    assert study.plan.options.audit == 0.05


def trial_of(accepted: int, would_prune: str | None = None, *, audited: bool = True, fifth: str = "learned") -> FrozenTrial:
    """Make a complete trial that accepted so many of 100 signal pits and whose fifth fold ended so."""
    verdicts, counts = ("learned",) * 4 + (fifth,), (accepted - 40, 10, 10, 10, 10)
    backgrounds = (10**6,) * 5  # they fix thresholds without chance
    signals = (60, 10, 10, 10, 10)
    found = reached(verdicts=verdicts, accepted=counts, signals=signals, backgrounds=backgrounds, would_prune=would_prune)
    return create_trial(value=accepted / 100, user_attrs=written(recipe(audited=audited), found))


def test_only_good_trials_that_would_have_been_ended_are_wrong_kills() -> None:
    # One standard error under 90 of 100 is 0.031, so 87 is good and 86 is not.
    trials = [
        trial_of(90, audited=False),
        trial_of(88),
        trial_of(87, "1x9"),
        trial_of(87),
        trial_of(86, "1x3"),
        trial_of(40, "1x3"),
        trial_of(45),
    ]
    found = measure(trials)
    assert found == Audit(audited=6, good=3, killed={"1x9": 1})
    assert found.wrong_kills == wilson(1, 3)


def test_where_the_best_is_perfect_a_pit_less_is_as_good() -> None:
    assert measure([trial_of(100, audited=False), trial_of(99, "1x3"), trial_of(98, "1x3")]) == Audit(2, 1, {"1x3": 1})


def test_the_best_may_itself_be_one_that_pruning_would_have_ended() -> None:
    assert measure([trial_of(95, "1x3"), trial_of(80)]) == Audit(2, 1, {"1x3": 1})


def test_what_a_selection_drops_is_neither_good_nor_the_best() -> None:
    trials = [trial_of(99, "1x3", fifth="overtrained"), trial_of(90, fifth="collapsed"), trial_of(80, "1x9"), trial_of(79)]
    assert measure(trials) == Audit(4, 2, {"1x9": 1})


def test_trials_that_did_not_climb_it_all_are_not_counted() -> None:
    assert measure([]) == Audit(0, 0, {})
    ended = written(recipe(audited=True), reached(folds=1, verdicts=("unfinished",), would_prune="1x3"))
    states = (TrialState.RUNNING, TrialState.FAIL, TrialState.PRUNED)
    found = measure([create_trial(state=state, user_attrs=ended) for state in states])
    assert found == Audit(0, 0, {})
    assert found.wrong_kills is None
