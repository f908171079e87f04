"""Models that select did not choose: a trial's folds, and what else was kept; the held-out set stays closed."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas
import pytest
import yaml

from foils import Dataset
from models.inference.bundle import networks_of, read_bundle
from search.errors import StudyError
from search.selection import export_others
from search.selection.confirm import ConfirmOptions
from search.selection.export import CHECKSUMS, ExportOptions
from search.selection.export_others import export_top, export_trial
from search.selection.front_matter import CARD
from search.selection.held_out import openings
from search.selection.predict import predict
from search.selection.select import select
from search.selection.selection_record import KEPT, SELECTION, kept_trials
from search.studies.study import Study
from search.training.fold_cache import trial_members
from search.trials.records import RungResult

BARE = ExportOptions(onnx=False)


def test_a_trial_is_exported_as_the_folds_that_learned(finished: Study, tiny: Dataset, tmp_path: Path) -> None:
    folder = export_trial(finished, 1, tmp_path / "out", BARE, data=tiny, workers=1)
    assert openings(finished) == []
    bundle, plan, reached = read_bundle(folder), finished.plan, RungResult.demand(finished.trial(1))
    assert (bundle.about["trial"], bundle.about["final"]) == (1, "folds")
    assert bundle.about["metrics"]["held_out"] is None
    members = trial_members(plan.search_set(tiny), finished.trial(1), plan, 1)
    assert networks_of(bundle).weights() == members.weights()
    table = pandas.read_parquet(folder / "scores.parquet")
    assert set(table["set"]) == {"out-of-fold"}
    assert table["fold"].tolist() == [*map(str, plan.folds)]
    accepted = table[table["accepted"].fillna(False).astype(bool) & (table["label"] == "candidate")]
    # One threshold over all folds accepts about as many as a threshold a fold did in the search.
    assert len(accepted) == pytest.approx(sum(reached.accepted), abs=4)
    card = (folder / CARD).read_text()
    assert "It was not selected and not confirmed." in card
    assert "- Held-out set: not opened for this model, so that acceptance and rejection on it are not known" in card
    assert "- Acceptance on fresh splits and seeds: not known, for this model was not confirmed" in card
    (metric,) = yaml.safe_load(card.split("---\n")[1])["model-index"][0]["results"][0]["metrics"]
    assert metric["name"] == "acceptance at 10% false positives, in the search, which chose by it"
    assert metric["value"] == bundle.about["metrics"]["search_acceptance"]["value"]
    # The bundle tells which pits flatter it, as a selected one does.
    assert predict(bundle, tiny).seen == len(plan.search_set(tiny))


def test_a_trial_that_is_not_complete_is_refused(finished: Study, tiny: Dataset, tmp_path: Path) -> None:
    finished.optuna.ask()
    number = len(finished.optuna.trials) - 1
    with pytest.raises(StudyError, match=f"a model must be of a complete trial, but trial {number} is running; choose one"):
        export_trial(finished, number, tmp_path / "out", BARE, data=tiny)
    with pytest.raises(StudyError, match="has no trial 99"):
        export_trial(finished, 99, tmp_path / "out", BARE, data=tiny)
    assert not (tmp_path / "out").exists()


def test_the_best_that_were_kept_are_exported_the_selected_one_first(finished: Study, tiny: Dataset, tmp_path: Path) -> None:
    selection = select(finished, ConfirmOptions(top=3, repeats=1, reliability=0.0), workers=1)
    kept = [one.number for one in selection.candidates if one.kept]
    numbers = kept_trials(finished)
    assert numbers[0] == selection.winner.number
    assert sorted(numbers) == sorted(kept)
    assert len(kept) > 1
    folders = export_top(finished, 9, tmp_path / "out", BARE, data=tiny, workers=1)
    assert [folder.name for folder in folders] == [f"{place}-trial-{number}" for place, number in enumerate(numbers, 1)]
    assert sorted(folder.name for folder in (tmp_path / "out").iterdir()) == sorted(folder.name for folder in folders)
    assert len(openings(finished)) == 1
    bundles = [read_bundle(folder) for folder in folders]
    assert networks_of(bundles[0]).weights() == selection.ensemble.weights()
    assert bundles[0].about["metrics"]["held_out"]["auc"] == selection.opening.held_out.auc
    for bundle, folder, number in zip(bundles[1:], folders[1:], numbers[1:], strict=True):
        candidate = next(one for one in selection.candidates if one.number == number)
        assert candidate.confirmed is not None
        assert bundle.about["metrics"]["confirmed_acceptance"]["value"] == candidate.confirmed.value
        assert (bundle.about["trial"], bundle.about["metrics"]["held_out"]) == (number, None)
        assert "It was kept by the selection, which chose another." in (folder / CARD).read_text()
        assert (folder / CHECKSUMS).is_file()
        assert np.isfinite(bundle.score(tiny.crops())).all()


def test_one_alone_is_the_selected_model_and_needs_no_data(
    finished: Study, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    selection = select(finished, ConfirmOptions(top=1, repeats=1, reliability=0.0), workers=1)
    monkeypatch.setattr(export_others, "study_data", None)
    (folder,) = export_top(finished, 1, tmp_path / "out", BARE)
    assert read_bundle(folder).about["model_sha256"] == selection.key.sha256
    with pytest.raises(StudyError, match="`top >= 1` must hold, but got 0"):
        export_top(finished, 0, tmp_path / "none", BARE)
    older = {key: value for key, value in finished.optuna.user_attrs[SELECTION].items() if key != KEPT}
    finished.optuna.set_user_attr(SELECTION, older)
    with pytest.raises(StudyError, match="must say which trials it kept, but an older version wrote none; run"):
        export_top(finished, 2, tmp_path / "none", BARE)
    assert not (tmp_path / "none").exists()
