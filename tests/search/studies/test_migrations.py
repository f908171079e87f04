"""A study outlives a release: what 0.1.0 made opens, goes on and is selected from; what is newer than ours is refused."""

from __future__ import annotations

import math
import shutil
import sqlite3
from pathlib import Path

import pytest
from optuna.trial import TrialState

from foils import load
from search.analysis.status import summarise
from search.errors import StudyError
from search.launcher.executors import Processes
from search.launcher.launch import launch
from search.selection.confirm import ConfirmOptions
from search.selection.select import select
from search.studies.launch_record import last_launch
from search.studies.options import Budget
from search.studies.plan import PLAN, store_plan
from search.studies.study import Study, find_study
from search.trials.records import DAMAGE, CheckpointRecord, RungResult
from search.trials.stored_curves import read_curves
from tests.support.studies import SHORT, SMALL_SPACE, options_of
from tests.support.tiny import write_dataset

MADE_BY_0_1_0 = Path(__file__).parents[1] / "studies_0_1_0"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder as 0.1.0 left it: `studies.db` with the studies `finished` and `unfinished`, `runs/`, and the data."""
    text = (MADE_BY_0_1_0 / "studies.sql").read_text(encoding="utf-8").replace("@FOLDER@", str(tmp_path))
    connection = sqlite3.connect(tmp_path / "studies.db")
    connection.executescript(text)
    connection.close()
    shutil.copytree(MADE_BY_0_1_0 / "runs", tmp_path / "runs")
    write_dataset(tmp_path / "tiny")
    return tmp_path


def study_of(folder: Path, name: str) -> Study:
    return find_study(name, f"sqlite:///{folder}/studies.db")


def go_on(folder: Path, trials: int, **changes: object) -> Study:
    options = options_of(**{"seed": 6, "ladder": SHORT, "pruner": "none", "working_point": 0.1, **changes})  # type: ignore[arg-type]
    return launch(
        load(folder / "tiny"),
        SMALL_SPACE,
        options,
        study="unfinished",
        storage=f"sqlite:///{folder}/studies.db",
        budget=Budget(trials),
        executor=Processes(workers=1),
    )


def test_a_plan_of_0_1_0_is_read_as_it_was_made(folder: Path) -> None:
    plan = study_of(folder, "unfinished").plan
    assert (plan.version, plan.options.seed, str(plan.ladder)) == ("0.1.0", 6, SHORT)
    assert (plan.options.sampler, plan.options.objectives, plan.options.pruner) == ("tpe", ("acceptance",), "none")
    assert plan.space.domain("network.width") == (4, 8)
    record = last_launch(study_of(folder, "unfinished"))
    assert record is not None
    assert (record.trials, record.runs) == (4, f"{folder}/runs/unfinished")


def test_the_state_of_a_study_of_0_1_0_is_summed_up(folder: Path) -> None:
    status = summarise(study_of(folder, "unfinished"))
    assert (status.complete, status.pruned, status.waiting, status.target) == (2, 0, 1, 4)


def test_an_interrupted_trial_of_0_1_0_goes_on_from_its_checkpoints(folder: Path) -> None:
    record = CheckpointRecord.read(study_of(folder, "unfinished").trial(2))
    assert record is not None
    assert {fold: file.epoch for fold, file in record.folds.items()} == {0: 6, 1: 6, 2: 5, 3: 1, 4: 1}
    study = go_on(folder, 5)
    assert [trial.state for trial in study.optuna.trials] == [TrialState.COMPLETE] * 5
    trial = study.trial(2)
    assert DAMAGE.read(trial) is None
    result = RungResult.demand(trial)
    assert (result.epochs_run, result.reseeds, set(result.verdicts)) == (31, (0, 1, 0, 0, 0), {"learned"})
    # An older pitsearch recorded losses alone; of trials that it ran to their end, no curve.
    assert read_curves(study.trial(0)) == ()
    curves = {curve.fold: curve for curve in read_curves(trial)}
    assert [(curve.start, curve.epochs[-1]) for curve in curves.values()] == [(0, 6), (1, 6), (0, 6), (0, 6), (0, 6)]
    assert all(math.isfinite(value) for curve in curves.values() for value in (*curve.train_loss, *curve.validation_loss))
    assert [math.isnan(share) for share in curves[2].acceptance] == [True] * 5 + [False]
    assert [math.isnan(share) for share in curves[3].train_accuracy] == [True] + [False] * 5
    # The launch has brought the stored plan to the format of today.
    assert study.optuna.user_attrs[PLAN] == store_plan(study.plan)
    with pytest.raises(StudyError, match=r"was made with another seed \(6, but now 7\)"):
        go_on(folder, 6, seed=7)


def test_a_study_of_0_1_0_is_selected_from(folder: Path) -> None:
    study = study_of(folder, "finished")
    selection = select(study, ConfirmOptions(top=2, repeats=1, reliability=0.2), workers=1)
    assert selection.winner.number == 1
    assert selection.opening.openings >= 1
    assert selection.opening.held_out.points[0].acceptance.value == 0.75


def test_a_newer_format_is_refused_on_one_line(folder: Path) -> None:
    study = study_of(folder, "finished")
    study.optuna.set_user_attr(PLAN, {**store_plan(study.plan), "format": 99})
    with pytest.raises(StudyError, match=r"^study 'finished' must have a format of up to 3, but has 99: a newer") as caught:
        _ = study.plan
    assert len(str(caught.value).splitlines()) == 1


def test_a_record_of_a_newer_format_is_refused(folder: Path) -> None:
    trial = study_of(folder, "finished").trial(0)
    trial.user_attrs = {**trial.user_attrs, "reached": {**trial.user_attrs["reached"], "format": 2}}
    with pytest.raises(StudyError, match=r"^the record 'reached' of trial 0 must have a format of up to 1, but has 2: a newer"):
        RungResult.read(trial)
