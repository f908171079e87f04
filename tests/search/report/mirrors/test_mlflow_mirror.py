"""Trials in MLflow, read back by its own client from a database of its own."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest
from mlflow.tracking import MlflowClient
from optuna.trial import TrialState

from search.errors import StudyError
from search.report.mirrors.log_to import log_to
from search.studies.study import Study
from search.trials.records import Recipe, RungResult
from spaces import Config
from spaces.known_configs import choices_of
from tests.support.status import TRIALS, trial_of


@pytest.fixture
def place(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/mlflow.db"


def runs_of(place: str, study: Study) -> dict[int, Any]:
    """Give the runs of a study's experiment by their trials."""
    client = MlflowClient(tracking_uri=place)
    experiment = client.get_experiment_by_name(study.name)
    assert experiment is not None
    runs = client.search_runs([experiment.experiment_id])
    assert len({run.data.tags["pitsearch.trial"] for run in runs}) == len(runs)
    return {int(run.data.tags["pitsearch.trial"]): run for run in runs}


def rungs_of(place: str, run: Any) -> list[tuple[int, float]]:
    """Give the acceptance on each rung that a run has, in the order of the rungs."""
    history = MlflowClient(tracking_uri=place).get_metric_history(run.info.run_id, "rung_acceptance")
    return sorted((metric.step, metric.value) for metric in history)


def test_every_trial_is_a_run_of_mlflow_and_no_launch_copies_it_twice(finished: Study, place: str) -> None:
    for _ in range(2):
        mirror = log_to(f"mlflow:{place}")
        mirror.on_start(finished, ())
        mirror.on_trial_end(finished.trial(0))
    runs = runs_of(place, finished)
    assert sorted(runs) == [0, 1, 2]
    for number, run in runs.items():
        trial = finished.trial(number)
        assert (run.info.status, run.info.run_name, run.data.tags["state"]) == ("FINISHED", f"trial {number}", "complete")
        assert dict(rungs_of(place, run)) == pytest.approx(trial.intermediate_values)
        assert len(rungs_of(place, run)) == 3
        share = RungResult.demand(trial).quoted.share
        shown = [run.data.metrics[name] for name in ("acceptance", "acceptance_low", "acceptance_high")]
        assert shown == pytest.approx([share.value, share.low, share.high])
        choices = choices_of(Config.from_dict(Recipe.demand(trial).config))
        assert run.data.params == {name: str(value) for name, value in choices.items()}


@pytest.mark.slow
def test_a_paused_trial_that_is_promoted_goes_on_in_its_run(finished: Study, place: str) -> None:
    mirror = log_to(f"mlflow:{place}")
    mirror.on_start(finished, ())
    mirror.on_trial_end(trial_of(4, TrialState.WAITING, 1, paused="1x3"))
    paused = runs_of(place, finished)[4]
    assert (paused.info.status, rungs_of(place, paused)) == ("SCHEDULED", [(3, 0.5)])
    later = log_to(f"mlflow:{place}")
    later.on_start(finished, ())
    later.on_trial_end(trial_of(4, TrialState.COMPLETE, 3))
    promoted = runs_of(place, finished)[4]
    assert promoted.info.run_id == paused.info.run_id
    assert (promoted.info.status, rungs_of(place, promoted)) == ("FINISHED", [(3, 0.5), (45, 0.5), (150, 0.5)])


def test_trials_of_every_kind_are_copied(finished: Study, place: str) -> None:
    said: list[str] = []
    mirror = log_to(f"mlflow:{place}", said.append)
    mirror.open(finished)
    for trial in TRIALS[:5]:
        mirror.on_trial_end(trial)
    runs = runs_of(place, finished)
    statuses = ["FINISHED", "FINISHED", "KILLED", "FAILED", "SCHEDULED"]
    assert [runs[number].info.status for number in range(5)] == statuses
    assert runs[3].data.tags["error"] == "RuntimeError: no such kernel"
    assert not said


def test_a_store_that_is_gone_ends_the_copy_with_one_line(finished: Study, place: str, monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    mirror = log_to(f"mlflow:{place}", said.append)

    def away(*_: object, **__: object) -> None:
        raise ConnectionError("no answer from //me:secret@server")

    monkeypatch.setattr(MlflowClient, "log_batch", away)
    mirror.on_start(finished, ())
    mirror.on_trial_end(finished.trial(0))
    [line] = said
    assert line.startswith(f"trials are no longer copied to mlflow:{place}: no answer from //***@server; the search goes on")


def test_a_store_that_cannot_be_opened_is_refused_before_anything_is_trained(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StudyError, match=r"^mlflow:sqlite:///\S+: --log-to must be usable, but: .*; choose another --log"):
        log_to(f"mlflow:sqlite:///{tmp_path}/file/mlflow.db")


def test_without_mlflow_the_error_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "mlflow.tracking", None)
    with pytest.raises(StudyError, match=r"needs mlflow, but: .*; install it: pip install 'pitsearch\[mlflow\]'\.$"):
        log_to("mlflow:sqlite:///mlflow.db")
