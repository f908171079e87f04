"""The winner's acceptance on slides that it never saw: trained once, recorded, and honest about data of one slide."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from foils import Dataset, load
from search.counting import Step
from search.selection.slide_validation import SlideValidation, validate_by_slides
from search.studies.study import Study
from search.training.cross_validation import CVRequest, Repeat, train_here
from search.trials.configuration import config_of
from tests.support.studies import start
from tests.support.tiny import write_dataset


def test_no_slide_is_trained_on_and_scored_and_the_outcome_is_recorded(
    finished: Study, tiny: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    requests: list[CVRequest] = []

    def recorded(ask: CVRequest, step: Step) -> Repeat:
        requests.append(ask)
        return train_here(ask, step)

    monkeypatch.setattr("search.selection.slide_validation.train_here", recorded)
    data, config = finished.plan.search_set(tiny), config_of(finished.trial(1))
    told: list[tuple[int, int]] = []
    outcome = validate_by_slides(finished, data, 1, config, lambda finished, of: told.append((finished, of)))
    assert outcome.acceptance is not None
    assert 0 <= outcome.acceptance.low <= outcome.acceptance.value <= outcome.acceptance.high <= 1
    [request] = requests
    folds = np.array(request.folds)
    assert told[0] == (0, 4 * request.epochs)
    assert [epochs for epochs, _ in told] == [*range(len(told))]
    assert told[-1][0] <= told[-1][1]
    assert outcome.folds == folds.max() + 1 == 4
    for slide in {pit.slide for pit in data.pits}:
        assert len(set(folds[[pit.slide == slide for pit in data.pits]].tolist())) == 1
    assert validate_by_slides(finished, data, 1, config) == outcome
    assert len(requests) == 1


def test_data_of_one_slide_says_so(tmp_path: Path) -> None:
    data = load(write_dataset(tmp_path / "data", slides=1))
    study = start(data, tmp_path, trials=1, ladder="5x1")
    search_set = study.plan.search_set(data)
    outcome = validate_by_slides(study, search_set, 0, config_of(study.trial(0)))
    assert outcome == SlideValidation(None, 0, outcome.reason)
    assert str(outcome).startswith(
        "acceptance on slides it never saw: not known, for tiny: folds of whole slides need signal and"
    )
