"""What runs and waits in a study, what pausing spares, and the time left, which follows from what trials cost."""

from __future__ import annotations

from dataclasses import replace

import pytest
from optuna.trial import FrozenTrial, TrialState

from search.analysis.running import Tables, paused_on_rungs, read_tables, running_trials, spared, time_left
from search.pruning.promotion import FINALISTS, MARGIN, PROMOTION, seconds_left
from search.storage.leases import claim, renew
from search.storage.optuna_internals import trial_id_of
from search.storage.rung_table import Standing
from search.studies.launch_record import LaunchRecord
from search.studies.study import Study
from search.trials.progress import TrialProgress
from search.trials.records import TrialOrigin
from tests.support.status import TRIALS, trial_of
from tests.support.studies import with_options
from tests.support.trials import PLAN

COSTS = [3, 45, 150]
PROMOTING = with_options(PLAN, pruner=PROMOTION)
LAUNCHED = LaunchRecord("mark", 10, 0, 0, 1, "server", 1000.0, None, "runs")
NOW = "server", 1060.0
FAR = TrialProgress("5x30", 1, 12, 100, 200.0, ())


def paused(number: int, rung: str) -> FrozenTrial:
    return trial_of(number, TrialState.WAITING, 1 if rung == "1x3" else 2, paused=rung)


def test_paused_trials_are_counted_by_rung_the_highest_first() -> None:
    trials = [*TRIALS, paused(6, "1x3"), paused(7, "5x9"), paused(8, "1x3"), trial_of(9, TrialState.WAITING, 1, paused="")]
    assert paused_on_rungs(trials, PLAN) == [("5x9", 1), ("1x3", 2)]


def test_what_pausing_and_pruning_spared_is_a_share_of_whole_cross_validations() -> None:
    assert spared([], PLAN) is None
    assert spared(TRIALS[:2], PLAN) == 0
    assert spared([TRIALS[0], paused(1, "1x3"), TRIALS[5]], PLAN) == pytest.approx((147 / 150) / 2)


def test_running_trials_are_given_with_what_their_workers_said() -> None:
    progress = {trial_id_of(TRIALS[5]): FAR}
    (one,) = running_trials(TRIALS, Tables(progress))
    assert (one.trial.number, one.worker, one.rung, one.progress) == (5, "host:1", "5x9", FAR)
    assert running_trials(TRIALS, Tables())[0].progress is None
    assert running_trials(TRIALS[:5], Tables(progress)) == []


def test_progress_is_read_of_a_study_in_storage_and_damaged_progress_is_none(finished: Study) -> None:
    opened = finished.optuna
    launch = "pitsearch:launch"
    opened.set_user_attr(launch, {**opened.user_attrs[launch], "trials": 9})
    leases = [claim(finished.backend, finished.id, TrialOrigin("launch", "host:1")) for _ in range(2)]
    for lease, text in zip(leases, (FAR.text(), "damaged"), strict=True):
        assert lease is not None
        assert renew(finished.backend, lease, text)
    tables = read_tables(finished)
    assert [*tables.progress.values()] == [FAR]
    assert {one.trial_id for one in tables.standings} <= {trial_id_of(trial) for trial in finished.optuna.trials}
    assert [one.progress for one in running_trials(finished.optuna.trials, tables)] == [FAR, None]


def test_a_search_by_promotion_has_time_left_while_the_best_climb_though_all_are_done() -> None:
    standings = [Standing(number, 0, 0.5, pace=2.0, paused=number > 0) for number in range(10)]
    assert seconds_left([], COSTS, 10, 2, {}) is None
    left = seconds_left(standings, COSTS, 10, 2, {})
    assert left == pytest.approx(MARGIN * FINALISTS * 147 * 2.0 / 2)
    nearly = [*standings[4:], *(Standing(number, 2, 0.5, pace=2.0) for number in range(4))]
    assert seconds_left(nearly, COSTS, 10, 2, {}) == pytest.approx(MARGIN * 147 * 2.0)
    assert seconds_left(nearly, COSTS, 10, 2, {4: 100}) == pytest.approx(MARGIN * 50 * 2.0)
    more = seconds_left(standings, COSTS, 110, 2, {})
    assert more is not None and left is not None
    assert more - left == pytest.approx(100 * 2.0 / 2 * (3 + 42 * 3 / 45 + 105 * 3 / 150))


def test_the_time_left_is_known_by_promotion_and_never_passes_the_deadline() -> None:
    tables = Tables({}, [Standing(number, 0, 0.5, pace=2.0, paused=True) for number in range(10)])
    left = time_left(LAUNCHED, NOW, [TRIALS[5]], PROMOTING, tables)
    assert left == seconds_left(tables.standings, COSTS, 10, 1, {})
    assert time_left(replace(LAUNCHED, deadline=1080.0), NOW, [TRIALS[5]], PROMOTING, tables) == 20
    assert time_left(replace(LAUNCHED, trials=None, deadline=1080.0), NOW, [TRIALS[5]], PROMOTING, tables) == 20
    assert time_left(LAUNCHED, NOW, [TRIALS[5]], PROMOTING, Tables()) is None
    assert time_left(LAUNCHED, ("another", 1.0), [TRIALS[5]], PROMOTING, tables) is None
