"""A launch that is sure that little is left begins no more trials; what another launch asked for stays."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest
from optuna.trial import TrialState

from foils import Dataset
from search.launcher import run_loop
from search.launcher.callbacks import Callback
from search.statistics import expected_gain
from search.studies.launch_record import begin_no_more, last_launch, write_launch_record
from search.studies.options import Budget
from search.studies.study import Study
from tests.support.studies import start


def states(study: Study) -> list[TrialState]:
    return [trial.state for trial in study.optuna.trials]


def test_no_more_trials_begin_where_they_would_hardly_bring_anything(
    tiny: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(expected_gain, "FEWEST", 4)
    monkeypatch.setattr(run_loop, "SHARE", 1e9)  # a look after every trial, however short
    said: list[str] = []

    class Notes(Callback):
        def on_note(self, text: str) -> None:
            said.append(text)

    study = start(tiny, tmp_path, trials=8, stop_when_sure=1.5, callbacks=(Notes(),))
    assert states(study) == [TrialState.COMPLETE] * 4
    (note,) = said
    assert re.fullmatch(r"4 more trials .*: less than 1\.5, so no more begin; the best climb to the top", note)
    assert len(states(start(tiny, tmp_path, trials=5))) == 5


def test_what_another_launch_asked_for_stays(tiny: Dataset, tmp_path: Path) -> None:
    study = start(tiny, tmp_path, trials=2)
    first = last_launch(study)
    assert first is not None
    second = write_launch_record(study, Budget(trials=9), 1, tmp_path / "runs")
    begin_no_more(study, first, study.optuna.trials)
    assert last_launch(study) == second
    begin_no_more(study, second, study.optuna.trials)
    assert last_launch(study) == replace(second, trials=2)
