"""Trials that a rung does not promote are paused, taken up again to the same numbers, and never lost or counted twice."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import optuna
import pytest
from optuna.trial import FrozenTrial, TrialState

from foils import Dataset
from search.analysis.status import summarise
from search.pruning.promotion import FINALISTS, PROMOTION
from search.report.tables import trial_line
from search.storage.leases import claim, release
from search.storage.optuna_internals import trial_id_of
from search.storage.rung_table import read_standings
from search.studies.copy import copy_study
from search.studies.standings import chooser, restore_standings
from search.studies.study import Study
from search.trials.baseline import is_baseline
from search.trials.records import PAUSED, CheckpointRecord, RungResult, TrialOrigin, is_interrupted, is_paused
from search.trials.stored_curves import read_curves
from search.workers.sampler import open_study
from tests.support.slow_cases import slow_after_first
from tests.support.studies import start

LADDER = "1x1,1x3,5x6"
TRIALS = 9


def search(tiny: Dataset, folder: Path, trials: int = TRIALS, **settings: Any) -> Study:
    return start(tiny, folder, trials=trials, pruner=PROMOTION, ladder=LADDER, **settings)


def states(study: Study) -> tuple[list[FrozenTrial], list[FrozenTrial]]:
    """The paused and the complete trials."""
    trials = study.optuna.get_trials(deepcopy=False)
    return [trial for trial in trials if is_paused(trial)], [one for one in trials if one.state == TrialState.COMPLETE]


def stood(study: Study) -> list[tuple[object, ...]]:
    """How every trial stood on every rung, by its number."""
    number_of = {trial_id_of(trial): trial.number for trial in study.optuna.trials}
    standings = study.backend.transact(lambda session: read_standings(session, study.id))
    return sorted((number_of[one.trial_id], one.height, round(one.score, 2), one.demanded, one.paused) for one in standings)


@pytest.fixture(scope="module")
def searched(tiny: Dataset, tmp_path_factory: pytest.TempPathFactory) -> Study:
    return search(tiny, tmp_path_factory.mktemp("searched"))


def test_a_search_ends_with_finalists_the_network_in_use_among_them_and_the_rest_paused(searched: Study) -> None:
    paused, complete = states(searched)
    assert len(paused) + len(complete) == TRIALS
    assert len(complete) >= FINALISTS
    assert any(map(is_baseline, complete))
    assert paused
    for trial in paused:
        reached = RungResult.demand(trial)
        assert PAUSED.read(trial) == reached.rung != "5x6"
        assert trial.intermediate_values
        assert sum(curve.epochs[-1] for curve in read_curves(trial)) == reached.epochs_run
        assert not is_interrupted(trial)
    status = summarise(searched)
    assert (status.paused, status.complete, status.waiting, status.running) == (len(paused), len(complete), 0, 0)
    assert "  paused  " in trial_line(paused[0])
    assert "paused" in set(searched.to_frame()["state"])


def test_a_trial_that_was_paused_has_the_numbers_of_one_that_climbed_at_once(
    searched: Study, tiny: Dataset, tmp_path: Path
) -> None:
    alone = start(tiny, tmp_path, trials=2, pruner="none", ladder=LADDER)
    for number in (0, 1):  # whose choices are known before
        one, other = searched.trial(number), alone.trial(number)
        assert one.state == other.state == TrialState.COMPLETE
        assert (one.value, one.intermediate_values) == (other.value, other.intermediate_values)
        assert replace(RungResult.demand(one), seconds=0) == replace(RungResult.demand(other), seconds=0)
        assert read_curves(one) == read_curves(other)


@pytest.mark.slow
def test_a_larger_budget_takes_paused_trials_up_again(tiny: Dataset, tmp_path: Path) -> None:
    study = search(tiny, tmp_path, 7)
    before = {trial.number: RungResult.demand(trial) for trial in states(study)[0]}
    search(tiny, tmp_path, 30)
    paused, complete = states(study)
    after = {number: RungResult.demand(study.trial(number)) for number in before}
    climbed = [number for number in before if after[number].rung != before[number].rung]
    assert climbed
    assert all(after[number].epochs_run > before[number].epochs_run for number in climbed)
    assert len(paused) + len(complete) == 30


def test_the_same_budget_again_trains_nothing(searched: Study, tiny: Dataset) -> None:
    before = [(trial.number, trial.state, trial.user_attrs) for trial in searched.optuna.trials]
    folder = Path(searched.storage.removeprefix("sqlite:///")).parent
    search(tiny, folder)
    assert [(trial.number, trial.state, trial.user_attrs) for trial in searched.optuna.trials] == before


@pytest.mark.slow
def test_a_promoted_trial_that_is_interrupted_goes_on_first_and_is_promoted_once(tiny: Dataset, tmp_path: Path) -> None:
    study = search(tiny, tmp_path)
    plan, backend = study.plan, study.backend
    search_again = chooser(plan, study.id)
    paused, _ = states(study)
    study.optuna.set_user_attr("pitsearch:launch", {**study.optuna.user_attrs["pitsearch:launch"], "trials": 100})
    best = trial_id_of(paused[0])
    lease = claim(backend, study.id, TrialOrigin("", "host:1"), None, lambda *_: best)
    assert lease is not None
    assert lease.trial_id == best
    release(backend, lease, "its worker was asked to end")
    trial = study.trial(lease.number)
    assert is_interrupted(trial)
    assert not is_paused(trial)
    again = claim(backend, study.id, TrialOrigin("", "host:1"), None, search_again)
    assert again is not None
    assert again.trial_id == best


def test_a_copied_study_promotes_as_the_original_would(searched: Study, tmp_path: Path) -> None:
    copied, _ = copy_study(None, searched.storage, f"sqlite:///{tmp_path}/copy.db")
    assert copied.backend.transact(lambda session: read_standings(session, copied.id)) == []
    for _ in range(2):  # the second time there is nothing to restore
        restore_standings(copied.backend, copied.id, copied.plan, copied.optuna.get_trials(deepcopy=False))
    rows = [stood(study) for study in (searched, copied)]
    assert rows[0] == rows[1]


@pytest.mark.slow
def test_a_deleted_study_leaves_no_standing(tiny: Dataset, tmp_path: Path) -> None:
    study = search(tiny, tmp_path, 3)
    backend, number = study.backend, study.id
    assert backend.transact(lambda session: read_standings(session, number))
    optuna.delete_study(study_name=study.name, storage=backend)
    new = search(tiny, tmp_path, 1)
    assert new.id == number  # SQLite gives it again
    assert [one.height for one in new.backend.transact(lambda session: read_standings(session, number))] == [0, 1, 2]


@pytest.mark.parametrize("state", slow_after_first([TrialState.FAIL, TrialState.PRUNED, TrialState.COMPLETE]))
def test_a_paused_trial_that_is_ended_from_outside_is_never_promoted(tiny: Dataset, tmp_path: Path, state: TrialState) -> None:
    study = search(tiny, tmp_path)
    ended = states(study)[0][0]
    value = [0.5] if state == TrialState.COMPLETE else None
    study.backend.set_trial_state_values(trial_id_of(ended), state, value)
    search(tiny, tmp_path, 14)
    after = study.trial(ended.number)
    assert (after.state, RungResult.demand(after)) == (state, RungResult.demand(ended))


def test_a_sampler_is_told_the_last_rung_of_a_paused_trial_and_reads_it_once(searched: Study) -> None:
    paused, complete = states(searched)
    storage = open_study(searched, searched.plan, 0)._storage
    asked = TrialState.COMPLETE, TrialState.PRUNED, TrialState.RUNNING
    storage.get_all_trials(searched.id, deepcopy=False, states=asked)
    first, again = (storage.get_all_trials(searched.id, deepcopy=False, states=asked) for _ in range(2))
    assert [trial.number for trial in first] == sorted(trial.number for trial in (*paused, *complete))
    shown = {trial.number: trial for trial in first}
    for trial in paused:
        assert shown[trial.number].state == TrialState.PRUNED
        assert shown[trial.number].intermediate_values == trial.intermediate_values
        assert shown[trial.number].params == trial.params
    assert all(one is other for one, other in zip(first, again, strict=True))


def test_the_checkpoints_of_paused_trials_stay_and_those_of_complete_ones_go(searched: Study) -> None:
    runs = Path(searched.storage.removeprefix("sqlite:///")).parent / "runs" / searched.name
    paused, complete = states(searched)
    for trial in paused:
        saved = CheckpointRecord.read(trial)
        assert saved is not None
        assert {file.name for file in saved.folds.values()} == {file.name for file in (runs / str(trial.number)).iterdir()}
    assert not any((runs / str(trial.number)).exists() for trial in complete)


@pytest.mark.slow
def test_with_two_workers_the_budget_is_kept(tiny: Dataset, tmp_path: Path) -> None:
    study = search(tiny, tmp_path, workers=2)
    paused, complete = states(study)
    assert len(study.optuna.trials) == len(paused) + len(complete) == TRIALS
    assert len(complete) >= FINALISTS
