"""The summary of a study: counts that add up, and an estimate of the time left."""

from __future__ import annotations

from dataclasses import replace

from optuna.trial import TrialState

from search.analysis.status import of_trials, summarise, summarise_whole
from search.studies.launch_record import LaunchRecord
from search.studies.study import Study
from tests.support.status import TRIALS
from tests.support.trials import PLAN


def test_every_trial_is_counted_once() -> None:
    status = of_trials("a", PLAN, TRIALS)
    assert (status.complete, status.pruned, status.failed, status.waiting, status.running) == (2, 1, 1, 1, 1)
    assert status.complete + status.pruned + status.failed + status.waiting + status.running == len(TRIALS)
    assert dict(status.rungs) == {"1x3": 5, "5x9": 4, "5x30": 2}
    assert status.best is not None
    assert status.best.number == 1
    assert status.errors == ["trial 3: RuntimeError: no such kernel"]


def test_time_left_follows_the_pace_of_this_launch_and_never_passes_the_deadline() -> None:
    running = [*TRIALS[:3], TRIALS[5]]
    launched = LaunchRecord("mark", 12, 1, 0, 2, "server", 1000.0, None, "runs")
    now = "server", 1060.0
    left = of_trials("a", PLAN, running, launched, now).left_s
    assert left is not None
    assert 250 < left < 300  # 2 trials a minute, 9 to go
    assert of_trials("a", PLAN, running, replace(launched, deadline=1080.0), now).left_s == 20
    assert of_trials("a", PLAN, running, launched, ("of another start", 3.0)).left_s is None
    # The last trial takes longer than those before: nobody knows when it ends.
    assert of_trials("a", PLAN, running, replace(launched, trials=3), now).left_s is None


def test_time_left_is_nothing_when_all_is_done_and_unknown_when_nobody_works() -> None:
    launched = LaunchRecord("mark", 3, 0, 0, 2, "server", 1000.0, None, "runs")
    assert of_trials("a", PLAN, TRIALS[:3], launched).left_s == 0.0
    assert of_trials("a", PLAN, TRIALS[:2], launched).left_s is None
    assert of_trials("a", PLAN, []).left_s is None


def test_a_study_in_storage_is_summed_up(finished: Study) -> None:
    status = summarise(finished)
    assert (status.complete, status.target, status.running) == (3, 3, 0)
    assert status.best is not None
    assert status.best.state == TrialState.COMPLETE
    assert sum(status.verdicts.values()) == 15


def test_a_study_whose_rows_were_read_before_is_summed_up_alike(finished: Study) -> None:
    assert replace(summarise_whole(finished), trials=()) == replace(summarise(finished), trials=())
