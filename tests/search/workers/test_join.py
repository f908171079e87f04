"""Workers that join a study: by hand, from the study alone; and what they are refused."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from dataclasses import asdict, replace
from pathlib import Path

import pytest
from optuna.trial import TrialState

from foils import Dataset
from search.errors import StudyError
from search.storage.places import LAUNCH
from search.studies.launch_record import last_launch, now_of
from search.studies.plan import PLAN, store_plan
from search.studies.study import Study
from search.trials.records import RungResult
from search.workers.join import join
from tests.support.studies import start


@pytest.fixture
def prepared(tiny: Dataset, tmp_path: Path) -> Study:
    """A study that was launched with nobody to work on it."""
    return start(tiny, tmp_path, workers=0)


def test_a_launch_without_workers_prepares_all_that_workers_need(prepared: Study, tiny: Dataset, tmp_path: Path) -> None:
    assert [trial.state for trial in prepared.optuna.trials] == [TrialState.WAITING] * 2
    assert list(join(prepared)) == [0, 1, 2]
    assert list(join(prepared)) == []
    (tmp_path / "other").mkdir()
    alike = start(tiny, tmp_path / "other")
    for mine, other in zip(prepared.optuna.trials, alike.optuna.trials, strict=True):
        assert (mine.params, mine.value) == (other.params, other.value)
        assert replace(RungResult.demand(mine), seconds=0) == replace(RungResult.demand(other), seconds=0)


def test_an_order_or_the_deadline_ends_a_worker(prepared: Study) -> None:
    assert list(join(prepared, stop=lambda: "stopped by hand")) == []
    launched = last_launch(prepared)
    assert launched is not None
    assert launched.left_s(prepared) is None
    _, now = now_of(prepared)
    prepared.optuna.set_user_attr(LAUNCH, asdict(replace(launched, deadline=now - 1)))
    assert list(join(prepared)) == []
    prepared.optuna.set_user_attr(LAUNCH, asdict(replace(launched, deadline=now - 1, clock="of another start")))
    assert list(join(prepared)) == [0, 1, 2]


def test_what_does_not_match_is_refused(prepared: Study, tiny_folder: Path, tmp_path: Path) -> None:
    opened, plan = prepared.optuna, prepared.plan
    opened.set_user_attr(PLAN, {**store_plan(plan), "format": 99})
    with pytest.raises(
        StudyError, match=r"study 'tiny' must have a format of up to \d+, but has 99: a newer pitsearch made it"
    ):
        list(join(prepared))
    opened.set_user_attr(PLAN, store_plan(replace(plan, fingerprint="f" * 64)))
    with pytest.raises(StudyError, match="was made from other data"):
        list(join(prepared))
    opened.set_user_attr(PLAN, store_plan(plan))
    with pytest.raises(StudyError, match="a device must exist"):
        list(join(prepared, device="cuda:99"))
    opened.set_user_attr(LAUNCH, None)
    with pytest.raises(StudyError, match="a study must have been launched before workers join it, but 'tiny' was not"):
        list(join(prepared))


@pytest.mark.slow
def test_the_command_joins_says_what_it_did_and_hands_over_at_sigterm(prepared: Study, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "pitsearch", "worker", "--storage", prepared.storage]
    first = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, timeout=120)
    assert first.returncode == 0, first.stderr
    lines = first.stdout.splitlines()
    assert [line.split()[:3] for line in lines[:3]] == [["trial", str(number), "complete"] for number in range(3)]
    assert lines[3].startswith("next: pitsearch status --study tiny --storage sqlite:///")
    launched = last_launch(prepared)
    assert launched is not None
    prepared.optuna.set_user_attr(LAUNCH, asdict(replace(launched, trials=500)))
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd=tmp_path)
    assert process.stdout is not None
    assert process.stdout.readline().startswith("trial 3")
    os.kill(process.pid, signal.SIGTERM)
    output, _ = process.communicate(timeout=60)
    assert process.returncode == 0, output
    assert "stopping: the running trial is handed to another worker" in output
    assert "Traceback" not in output
    assert not [trial for trial in prepared.optuna.trials if trial.state == TrialState.RUNNING]
