"""Ensembles and bundles: the same scores after a journey through disk, and no trust in changed files."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.stats import trim_mean

from models.errors import BundleError
from models.inference.bundle import Bundle, read_bundle, write_bundle
from models.inference.bundle_schema import FORMER_WEIGHTS, HASH, MODEL, WEIGHTS, seal
from models.inference.ensemble import with_weights
from models.inference.hub_config import CONFIG
from models.inputs import lay_out
from spaces.choices.channels import MODES, SCORES
from spaces.choices.features import FEATURES
from tests.support.bundles import ensemble
from tests.support.toys import LIGHTS, crops


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_bundle(tmp_path, Bundle(ensemble(), 0.25, 0.05, {"study": "tiny", "seed": 1}))
    return tmp_path


@pytest.mark.parametrize("mode", MODES)
def test_scores_survive_saving_to_the_last_bit(mode: str) -> None:
    made = ensemble(mode)
    again = with_weights(made.weights(), made.config, 2, LIGHTS, made.size, made.full_scale)
    assert np.array_equal(again.scores(crops(5, seed=1)), made.scores(crops(5, seed=1)))


@pytest.mark.parametrize("features", FEATURES)
def test_features_and_the_average_image_travel_in_the_bundle(tmp_path: Path, features: str) -> None:
    made = ensemble(features=features, normalisation="average")
    write_bundle(tmp_path, Bundle(made, 0.25, 0.05, {}))
    assert np.array_equal(read_bundle(tmp_path).ensemble.scores(crops(5, seed=1)), made.scores(crops(5, seed=1)))


def test_an_ensembles_score_is_the_mean_of_its_members() -> None:
    both = ensemble()
    alone = [replace(both, members=(member,)).scores(crops(5)) for member in both.members]
    np.testing.assert_allclose(both.scores(crops(5)), np.mean(alone, axis=0))
    assert not np.allclose(alone[0], alone[1])


@pytest.mark.parametrize("rule", SCORES)
def test_examples_score_a_pit_over_its_images_as_chosen(rule: str) -> None:
    made = ensemble("examples", members=1, scores=rule)
    inputs = lay_out(crops(3), made.config.channels, LIGHTS)
    images = inputs.pick(torch.arange(len(inputs.rows)))
    with torch.no_grad():
        chances = made.members[0].eval()(images).softmax(1)[:, 0].view(3, 6).numpy()
    expected = {"mean": chances.mean(1), "max": chances.max(1), "trimmed mean": trim_mean(chances, 0.25, axis=1)}
    np.testing.assert_allclose(made.scores(crops(3)), expected[rule], rtol=1e-6)


def test_a_bundle_comes_back_whole(folder: Path) -> None:
    bundle = read_bundle(folder)
    assert (bundle.threshold, bundle.working_point, dict(bundle.about)) == (0.25, 0.05, {"study": "tiny", "seed": 1})
    assert np.array_equal(bundle.ensemble.scores(crops(5)), ensemble().scores(crops(5)))
    assert sorted(path.name for path in folder.iterdir()) == [CONFIG, MODEL, WEIGHTS]


def test_weights_are_read_by_their_former_name_too(folder: Path) -> None:
    (folder / WEIGHTS).rename(folder / FORMER_WEIGHTS)
    assert np.array_equal(read_bundle(folder).score(crops(5)), ensemble().scores(crops(5)))
    flip_a_bit(folder, FORMER_WEIGHTS)
    with pytest.raises(BundleError, match=f"{FORMER_WEIGHTS}: the weights must be those that were exported, but their hash"):
        read_bundle(folder)


def break_json(folder: Path, **changes: object) -> None:
    values = json.loads((folder / MODEL).read_text())
    values.pop(HASH)
    (folder / MODEL).write_text(json.dumps(seal({**values, **changes})))


def flip_a_bit(folder: Path, name: str = WEIGHTS) -> None:
    content = bytearray((folder / name).read_bytes())
    content[-1] ^= 1
    (folder / name).write_bytes(content)


@pytest.mark.parametrize(
    ("harm", "message"),
    [
        (flip_a_bit, "must be those that were exported, but their hash differs"),
        (lambda folder: (folder / WEIGHTS).unlink(), "a bundle must hold readable"),
        (lambda folder: (folder / MODEL).unlink(), "a bundle must hold readable"),
        (lambda folder: (folder / MODEL).write_text("{"), "must be what export wrote"),
        (lambda folder: (folder / MODEL).write_text("[]"), "must be what export wrote"),
        (lambda folder: break_json(folder, format=99), "reads bundles of format 3 and 4, but got 99"),
        (lambda folder: break_json(folder, config={"labelling.scheme": "binary"}), "must have the fields"),
        (lambda folder: break_json(folder, members=3), "the weights must fit the configuration"),
        (lambda folder: break_json(folder, crop="large"), "must be what export wrote"),
    ],
)
def test_a_harmed_bundle_is_refused_on_one_line(folder: Path, harm: object, message: str) -> None:
    assert callable(harm)
    harm(folder)
    with pytest.raises(BundleError, match=message) as caught:
        read_bundle(folder)
    assert len(str(caught.value).splitlines()) == 1
    assert str(folder) in str(caught.value)
