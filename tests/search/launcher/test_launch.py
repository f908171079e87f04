"""Launches: the budget, going on, workers, and what is left when someone stops them."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import optuna
import pytest
import torch
from optuna.trial import FrozenTrial, TrialState

from foils import Dataset
from models.training.task import make_task
from search import defaults
from search.errors import StudyError
from search.launcher import executors
from search.launcher.callbacks import Callback
from search.storage.places import LAUNCH
from search.studies.study import Study, find_study
from search.training.fold_cache import trial_members
from search.trials.records import STOPPED, FixedParams, Recipe, RungResult, TrialOrigin
from search.workers import objective
from search.workers.devices import check_device
from search.workers.objective import climb
from spaces import Range, Space
from spaces.axes import Domain
from tests.support.studies import SMALL_SPACE, start
from tests.support.trials import Alone


class Recorder(Callback):
    """A callback that remembers."""

    def __init__(self) -> None:
        self.notes: Sequence[str] = ()
        self.numbers: list[int] = []

    def on_start(self, study: Study, notes: Sequence[str]) -> None:
        self.notes = notes

    def on_trial_end(self, trial: FrozenTrial) -> None:
        self.numbers.append(trial.number)

    def on_note(self, text: str) -> None:
        raise AssertionError(text)

    def on_stop(self) -> None:
        raise AssertionError("nobody asked to stop")


def worker_of(trial: FrozenTrial) -> str:
    return TrialOrigin.demand(trial).worker


def states(study: Study) -> list[TrialState]:
    return [trial.state for trial in study.optuna.trials]


def test_a_launch_runs_its_budget_and_the_same_call_adds_nothing(tiny: Dataset, tmp_path: Path) -> None:
    recorder = Recorder()
    study = start(tiny, tmp_path, trials=2, callbacks=(recorder,))
    assert states(study) == [TrialState.COMPLETE] * 2
    assert recorder.numbers == [0, 1]
    start(tiny, tmp_path, trials=2)
    assert len(states(study)) == 2
    start(tiny, tmp_path, trials=3)
    assert len(states(study)) == 3


def test_one_worker_gives_the_same_search_again(tiny: Dataset, tmp_path: Path) -> None:
    runs = []
    for name in ("first", "second"):
        (tmp_path / name).mkdir()
        runs.append(start(tiny, tmp_path / name, trials=3).optuna.trials)
    for first, second in zip(*runs, strict=True):
        assert (first.params, first.value) == (second.params, second.value)


@pytest.mark.slow
def test_workers_share_the_budget_exactly(tiny: Dataset, tmp_path: Path) -> None:
    recorder = Recorder()
    study = start(tiny, tmp_path, trials=4, workers=2, ladder="5x3", callbacks=(recorder,))
    assert states(study) == [TrialState.COMPLETE] * 4
    assert sorted(recorder.numbers) == [0, 1, 2, 3]
    workers = {worker_of(trial) for trial in study.optuna.trials}
    assert f"{socket.gethostname()}:{os.getpid()}" not in workers
    # What a worker computed is what this process computes, number by number.
    plan = study.plan
    for trial in study.optuna.trials:
        again = Alone(trial.params, trial.number)
        FixedParams({}, Recipe.demand(trial).config).write(again)
        climb(again, plan.search_set(tiny), plan)  # type: ignore[arg-type]  # it quacks like a trial
        first, second = RungResult.demand(trial), RungResult.read(again)
        assert second
        assert (second.auc, second.accuracy) == (first.auc, first.accuracy)


def test_a_configuration_that_diverges_is_a_result_not_a_failure(tiny: Dataset, tmp_path: Path) -> None:
    absurd: dict[str, Domain] = {
        "network.name": ("minihip",),
        "optimiser.name": ("sgd",),
        "optimiser.learning_rate": Range(50.0, 99.0),
        "optimiser.schedule": ("constant",),
    }
    study = start(tiny, tmp_path, trials=2, space=Space({**SMALL_SPACE.chosen, **absurd}))
    assert states(study) == [TrialState.COMPLETE] * 2
    for trial in study.optuna.trials[1:]:
        assert {"diverged", "collapsed"} & set(RungResult.demand(trial).verdicts)


def test_time_that_is_up_stops_the_running_trial_and_keeps_the_rest(tiny: Dataset, tmp_path: Path) -> None:
    study = start(tiny, tmp_path, trials=1000, minutes=1.5 / 60)
    found = study.optuna.trials
    assert 1 <= len(found) < 1000
    begun = [trial for trial in found if Recipe.read(trial)]
    assert all(trial.state == TrialState.COMPLETE or STOPPED.read(trial) == "time is up" for trial in begun)


def test_notes_of_the_data_and_of_the_search_reach_the_callback(tiny: Dataset, tmp_path: Path) -> None:
    recorder = Recorder()
    study = start(tiny, tmp_path, trials=1, ladder="5x1", callbacks=(recorder,), slides=("1",))
    *of_data, setup, barely, few, thin = recorder.notes
    assert of_data == list(tiny.notes)
    locked, searched = len(study.plan.held_out), len(study.plan.folds)
    assert setup == (
        f"{locked} pits locked away as the held-out set, {searched} searched; ladder 5x1, working point 0.1, seed 0"
    )
    assert barely.startswith("networks are barely trained: the ladder ends at 1 epoch; ")
    assert few.startswith("1 fold of 5 would be judged collapsed even by a perfect network, for fold ")
    assert re.match(
        r"\d+ background pits: \d of them pass at the working point of 0\.1, and its threshold rests on those; ", thin
    )


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"trials": 0}, "`trials > 0` must hold, but got 0"),
        ({"minutes": -1.0}, "`minutes > 0` must hold, but got -1.0"),
        ({"workers": -1}, "`workers >= 0` must hold, but got -1"),
        ({"ladder": "up"}, "a rung must be written"),
        ({"pruner": "magic"}, "a pruner must be one of"),
        ({"devices": ("cpu", "gpu")}, "a device must be cpu, cuda or cuda:NUMBER, but got 'gpu'; choose one of these."),
        (
            {"devices": ("cuda:99",)},
            "a device must exist, but got 'cuda:99' with [0-9]+ GPUs that torch sees; choose other --devices.",
        ),
    ],
)
def test_a_launch_that_makes_no_sense_writes_nothing(
    tiny: Dataset, tmp_path: Path, options: dict[str, Any], message: str
) -> None:
    with pytest.raises(StudyError, match=message):
        start(tiny, tmp_path, **options)
    assert not list(tmp_path.iterdir())


def test_a_device_must_be_one_that_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    for device in ("cpu", "cuda", "cuda:0", "cuda:1"):
        check_device(device)
    with pytest.raises(StudyError, match="got 'cuda:2' with 2 GPUs that torch sees"):
        check_device("cuda:2")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(StudyError, match="got 'cuda' with 0 GPUs that torch sees"):
        check_device("cuda")


def test_a_gpu_gets_one_worker_and_a_ladder_of_all_folds_and_a_study_keeps_its_own(
    tiny: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # No GPU is needed: the tasks stay here, and all else goes as it would there.
    monkeypatch.setattr(executors, "check_device", lambda device: None)
    monkeypatch.setattr(objective, "make_task", lambda *given, device, **options: make_task(*given, **options))
    monkeypatch.setattr(defaults, "FUSED_LADDER", "5x1,5x6")
    study = start(tiny, tmp_path, trials=1, devices=("cuda",), workers=None, ladder=None)
    assert str(study.plan.ladder) == "5x1,5x6"
    assert study.optuna.user_attrs[LAUNCH]["workers"] == 1
    start(tiny, tmp_path, trials=2, ladder=None)
    assert states(study) == [TrialState.COMPLETE] * 2
    assert all(trial_members(study.plan.search_set(tiny), trial, study.plan).members for trial in study.optuna.trials)


def wait_for(storage: str, ready: int, process: subprocess.Popen[str]) -> optuna.Study:
    """Wait until a study in the storage has so many finished trials."""
    deadline = time.monotonic() + 180
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise AssertionError(process.communicate()[0])
        try:
            study = find_study("tiny", storage).optuna
        except StudyError:
            time.sleep(0.2)
            continue
        if sum(trial.state.is_finished() for trial in study.trials) >= ready:
            return study
        time.sleep(0.1)
    raise AssertionError("the launch did not get going")


def command_of(data: Path, folder: Path, workers: int) -> list[str]:
    """Write a launch of 500 trials as a command."""
    (folder / "space.toml").write_text(SMALL_SPACE.write())
    words = ["launch", str(data), "--trials", "500", "--workers", str(workers), "--space", str(folder / "space.toml")]
    words += ["--ladder", "1x1,5x1,5x6", "--storage", f"sqlite:///{folder}/studies.db", "--pruner", "none"]
    return [sys.executable, "-m", "pitsearch", *words]


def begin(command: list[str], folder: Path) -> subprocess.Popen[str]:
    """Start a command in a session of its own, whose foreground group a terminal would signal."""
    return subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd=folder, start_new_session=True
    )


def go_on(command: list[str], folder: Path, study: optuna.Study) -> None:
    """Run the same command for one more trial, and see that nothing finished was lost."""
    before = study.trials
    done = sum(trial.state in (TrialState.COMPLETE, TrialState.PRUNED) for trial in before)
    command[command.index("500")] = str(done + 1)
    subprocess.run(command, check=True, capture_output=True, cwd=folder, timeout=120)
    after = study.trials
    assert [trial.number for trial in after[: len(before)]] == [trial.number for trial in before]
    assert sum(trial.state in (TrialState.COMPLETE, TrialState.PRUNED) for trial in after) == done + 1


@pytest.mark.slow
def test_a_killed_worker_is_replaced_and_its_trial_goes_on(tiny_folder: Path, tmp_path: Path) -> None:
    command = command_of(tiny_folder, tmp_path, workers=2)
    command[command.index("500")] = "12"
    process = begin(command, tmp_path)
    study = wait_for(f"sqlite:///{tmp_path}/studies.db", 2, process)
    os.kill(int(worker_of(study.trials[0]).rpartition(":")[2]), signal.SIGKILL)
    output, _ = process.communicate(timeout=120)
    assert process.returncode == 0, output
    assert "note: a worker was killed, perhaps for want of memory; another goes on from its trial's last rung" in output
    assert [trial.state for trial in study.trials] == [TrialState.COMPLETE] * 12


@pytest.mark.slow
def test_a_second_ctrl_c_stops_at_once_and_leaves_no_process_behind(tiny_folder: Path, tmp_path: Path) -> None:
    command = command_of(tiny_folder, tmp_path, workers=2)
    process = begin(command, tmp_path)
    study = wait_for(f"sqlite:///{tmp_path}/studies.db", 2, process)
    os.killpg(process.pid, signal.SIGINT)
    os.killpg(process.pid, signal.SIGINT)
    output, _ = process.communicate(timeout=120)
    assert process.returncode == 130, output
    assert "Traceback" not in output
    assert not [trial for trial in study.trials if trial.state == TrialState.RUNNING]
    workers = {int(worker_of(trial).rpartition(":")[2]) for trial in study.trials if worker_of(trial)}
    deadline = time.monotonic() + 60
    while any(Path(f"/proc/{worker}").exists() for worker in workers) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not [worker for worker in workers if Path(f"/proc/{worker}").exists()]


@pytest.mark.slow
@pytest.mark.parametrize("workers", [1, 2])
def test_ctrl_c_stops_cleanly_and_the_same_command_goes_on(tiny_folder: Path, tmp_path: Path, workers: int) -> None:
    command = command_of(tiny_folder, tmp_path, workers)
    process = begin(command, tmp_path)
    study = wait_for(f"sqlite:///{tmp_path}/studies.db", 2, process)
    os.killpg(process.pid, signal.SIGINT)
    output, _ = process.communicate(timeout=120)
    assert process.returncode == 130, output
    assert "Traceback" not in output
    assert "stopping: running trials end after their epoch" in output
    assert "the same command goes on where it stopped" in output
    found = study.trials
    assert {trial.state for trial in found} <= {TrialState.COMPLETE, TrialState.WAITING}
    assert all(STOPPED.read(trial) == "stopped by hand" for trial in found if trial.state == TrialState.WAITING)
    go_on(command, tmp_path, study)
