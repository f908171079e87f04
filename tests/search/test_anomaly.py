"""Models of background go the whole road of a classifier: searched beside it, selected, exported, and scored the same."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import optuna
import pytest
from typer.testing import CliRunner

from foils import Dataset
from models.inference.bundle import read_bundle
from search.cli.app import app
from search.selection.confirm import ConfirmOptions
from search.selection.export import export
from search.selection.predict import predict
from search.selection.select import select
from search.storage.connect import open_storage
from search.studies.study import Study
from search.trials.records import Recipe
from spaces import Config, Space
from spaces.errors import SpaceError
from tests.support.studies import SHORT, SMALL_SPACE, start


def test_a_study_searches_classifiers_and_models_of_background_alike(tiny: Dataset, tmp_path: Path) -> None:
    space = Space({**SMALL_SPACE.chosen, "labelling.scheme": ("anomaly",), "labelling.detector": ("neighbours",)})
    study = start(tiny, tmp_path, space=space, trials=3)
    trials = study.optuna.get_trials(deepcopy=False)
    schemes = [Config.from_dict(Recipe.demand(trial).config).labelling.scheme for trial in trials]
    assert schemes == ["binary", "anomaly", "anomaly"]  # the network in use is always tried first
    assert all(trial.value is not None for trial in trials)


@pytest.mark.slow
def test_a_model_of_background_is_selected_exported_and_scores_the_same(tiny: Dataset, tmp_path: Path) -> None:
    space = Space(
        {
            **SMALL_SPACE.chosen,
            "labelling.scheme": ("anomaly",),
            "labelling.detector": ("mahalanobis",),
            "optimiser.learning_rate": (1e-2,),
            "network.width": (16,),
        }
    )
    study = start(tiny, tmp_path, space=space, trials=3)
    alone = only_anomalies(study)
    selection = select(alone, ConfirmOptions(top=1, repeats=1, reliability=0.0), workers=1)
    assert selection.ensemble.config.labelling.scheme == "anomaly"
    bundle = read_bundle(export(selection, tmp_path / "bundle"))
    crops = tiny.pixels[tiny.rows]
    assert np.array_equal(bundle.ensemble.scores(crops), selection.ensemble.scores(crops))
    prediction = predict(bundle, tiny)
    assert prediction.unseen is not None
    assert prediction.unseen.auc == selection.opening.held_out.auc > 0.5


def only_anomalies(study: Study) -> Study:
    """Copy a study without the network in use, which may be the better one."""
    storage = open_storage(study.storage)
    copied = optuna.create_study(study_name="alone", storage=storage, direction="maximize")
    for name, value in study.optuna.user_attrs.items():
        copied.set_user_attr(name, value)
    for trial in study.optuna.get_trials(deepcopy=False):
        if Config.from_dict(Recipe.demand(trial).config).labelling.scheme == "anomaly":
            copied.add_trial(trial)
    return Study("alone", study.storage)


@pytest.mark.slow
def test_the_scheme_is_pinned_by_an_option(tiny_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("space.toml").write_text(SMALL_SPACE.write())
    words = ["launch", str(tiny_folder), "--trials", "2", "--workers", "1", "--ladder", SHORT, "--space", "space.toml"]
    result = CliRunner().invoke(app, [*words, "--scheme", "anomaly", "--fix", "labelling.detector=forest"])
    assert result.exit_code == 0, result.output
    trials = Study("tiny", f"sqlite:///{tmp_path}/studies.db").optuna.get_trials(deepcopy=False)
    assert Config.from_dict(Recipe.demand(trials[1]).config).labelling.describe() == "anomaly forest"
    refused = CliRunner().invoke(app, [*words, "--scheme", "anomalous"])
    assert isinstance(refused.exception, SpaceError)
    assert str(refused.exception).startswith("`labelling.scheme` must be one of binary, ")
