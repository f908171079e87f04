"""A new study's ladder fits the time of its launch, by a measured epoch; one that goes on keeps its own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from optuna.trial import TrialState

from foils import Dataset
from search import defaults
from search.errors import StudyError
from search.launcher import pace
from search.launcher.callbacks import Callback
from search.launcher.pace import FEW_TRIALS, epoch_seconds, fit_ladder
from search.studies.options import Budget
from search.studies.study import Study
from search.trials.ladder import FEW_EPOCHS
from tests.support.studies import start, with_options
from tests.support.trials import PLAN


class Notes(Callback):
    def __init__(self) -> None:
        self.notes: list[str] = []

    def on_start(self, study: Study, notes: Any) -> None:
        self.notes += notes


@settings(deadline=None, derandomize=True, max_examples=60)
@given(st.floats(1e-3, 1e5), st.floats(1.0, 1e6), st.integers(1, 64))
def test_any_time_gives_a_ladder_that_it_carries_or_the_shortest(epoch: float, seconds: float, workers: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pace, "epoch_seconds", lambda data, plan: epoch)
        plan = with_options(PLAN, ladder=defaults.LADDER)
        ladder, note = fit_ladder(None, plan, seconds, workers)  # type: ignore[arg-type]  # the pits are for measuring alone
    assert (note is None) == (ladder == plan.ladder)
    assert FEW_EPOCHS <= ladder.epochs <= plan.ladder.epochs
    assert ladder.folds == plan.ladder.folds
    fits = FEW_TRIALS * ladder.folds * ladder.epochs * epoch / workers <= seconds / 2
    assert fits or ladder.epochs == FEW_EPOCHS
    if ladder.epochs == FEW_EPOCHS:
        assert note is not None
        assert fits == ("may not carry" not in note)


def test_an_epoch_is_measured_on_the_pits_that_are_searched(tiny: Dataset, tmp_path: Path) -> None:
    study = start(tiny, tmp_path, trials=1)
    assert 0 < epoch_seconds(study.plan.search_set(tiny), study.plan) < 10


def test_a_launch_with_little_time_takes_fewer_epochs_and_its_study_goes_on_with_them(
    tiny: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # What an epoch takes is given, whatever it takes on this machine: three whole cross-validations of 15 epochs take half
    # of its time, and its one trial ends long before.
    notes, minutes = Notes(), 10.0
    monkeypatch.setattr(pace, "epoch_seconds", lambda data, plan: 60 * minutes / (2 * FEW_TRIALS * 5 * 15))
    study = start(tiny, tmp_path, ladder=None, trials=1, minutes=minutes, pruner=defaults.PRUNER, callbacks=(notes,))
    assert str(study.plan.ladder) == "1x2,1x4,5x4,5x15"
    assert any(
        "the time carries trainings of 15 epochs, not 30; --ladder and --minutes change that" in one for one in notes.notes
    )
    assert [trial for trial in study.optuna.trials if trial.state == TrialState.COMPLETE]
    monkeypatch.setattr(pace, "epoch_seconds", lambda data, plan: 1e-9)
    again = start(tiny, tmp_path, ladder=None, trials=1, minutes=minutes, pruner=defaults.PRUNER)
    assert again.plan.ladder == study.plan.ladder


def test_a_given_ladder_is_taken_whatever_the_time(tiny: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pace, "epoch_seconds", lambda data, plan: 1e9)
    assert str(start(tiny, tmp_path, minutes=0.02, trials=1).plan.ladder) == "1x1,5x1,5x6"


def test_a_budget_needs_an_end() -> None:
    with pytest.raises(StudyError, match="a budget must have an end, but got neither trials nor minutes; give one of them"):
        Budget(None)
    assert Budget(None, 1.0).trials is None
