"""A study that version 0.1.0 made and selected from: its openings count, its confirmations are read, its model is kept anew."""

from __future__ import annotations

from pathlib import Path

import pytest

from models.inference.bundle import model_hash, read_bundle
from search.errors import StudyError
from search.selection import confirm as confirm_module
from search.selection.confirm import ConfirmOptions
from search.selection.export import export
from search.selection.held_out import openings
from search.selection.select import select
from search.studies.study import Study
from tests.support.study_0_1_0 import FIXTURE, restore_study

# Trial 0, better at one threshold over all folds, does not pass this bar: the winner is that of 0.1.0.
OPTIONS = ConfirmOptions(top=2, repeats=1, reliability=0.2)


@pytest.fixture
def study(tmp_path: Path) -> Study:
    return restore_study(tmp_path)


@pytest.mark.slow
def test_a_selection_trains_no_confirmation_and_numbers_its_reading(
    study: Study, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(
        StudyError, match="study 'finished' must have a kept model of trial 1, but the version that selected it"
    ):
        export(study, tmp_path / "out")
    monkeypatch.setattr(confirm_module, "_train", None)
    selection = select(study, OPTIONS, workers=1)
    assert selection.winner.number == 1
    # Training differs in the last digit from processor to processor.
    assert selection.threshold == pytest.approx(0.1812302489146156)
    opening = selection.opening
    assert (opening.number, opening.openings, opening.unproven, opening.honest) == (2, 2, (1,), False)
    assert (opening.held_out.signals, opening.held_out.backgrounds) == (4, 10)
    earlier = openings(study)[0][1]
    assert earlier.held_out is not None
    assert (earlier.model.sha256, earlier.held_out.auc, earlier.held_out.points[0].acceptance.value) == ("", 1.0, 0.75)
    assert select(study, OPTIONS, workers=1).opening == opening
    bundle = read_bundle(export(study, tmp_path / "out"))
    assert bundle.threshold == selection.threshold
    assert model_hash(bundle) == selection.key.sha256


def test_a_bundle_of_0_1_0_is_read(study: Study) -> None:
    bundle = read_bundle(FIXTURE / "bundle")
    assert bundle.threshold == 0.4883615390439845
    assert bundle.about["trial"] == 1
