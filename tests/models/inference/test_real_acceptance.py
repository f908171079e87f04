"""Slow: synthetic foils are as hard for the network in use as real ones are, and fail it the same way."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest

from foils import Dataset, load
from foils.folds import fold_numbers
from foils.synthetic.synthesise import SyntheticFoils, synthesise
from models.training.cross_validation import CrossValidation
from models.training.task import make_task
from models.training.verdicts import Verdict
from spaces import Config
from spaces.choices.labelling import Labelling
from spaces.choices.networks import Network
from spaces.choices.optimisers import Optimiser

pytestmark = pytest.mark.slow

# The network in use sees the eight rotating lights, scaled to 0-1; some 400 steps at 1e-3, or 300 at its own 2e-4.
IN_USE = Config(
    network=Network("minihip"),
    optimiser=Optimiser("adam", 1e-3, weight_decay=0.0, batch_size=64, schedule="constant"),
    normalisation="raw",
)


@pytest.fixture(scope="module")
def rotating(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    """The default synthetic foils, under the rotating lights alone."""
    folder = synthesise(tmp_path_factory.mktemp("synthetic") / "foils", SyntheticFoils(seed=1))
    description = folder / "foil.toml"
    entries = re.split(r"(?=\[\[channels\]\])", description.read_text())
    description.write_text("".join(entry for entry in entries if "backlit" not in entry and "halo" not in entry))
    data = load(folder)
    assert len(data.description.channels) == 8
    return data


@pytest.mark.parametrize("scheme", ["binary", "four-way"])
def test_the_network_in_use_is_as_accurate_as_on_real_foils(rotating: Dataset, scheme: str) -> None:
    task = make_task(rotating, replace(IN_USE, labelling=Labelling(scheme)), epochs=23, working_point=0.05)
    validation = CrossValidation(task, fold_numbers(rotating, 5, 0), seed=0)
    validation.advance(3, 23)  # of the five folds
    results = validation.results()
    assert 0.85 < np.mean([result.accuracy for result in results]) < 0.95
    # What a search has to gain.
    assert np.mean([result.score.acceptance for result in results]) < 0.9


def test_images_divided_by_255_once_more_leave_it_at_the_majoritys_share(rotating: Dataset) -> None:
    config = replace(IN_USE, optimiser=replace(IN_USE.optimiser, learning_rate=2e-4))
    task = make_task(rotating, config, epochs=17, working_point=0.05)
    task = replace(task, inputs=replace(task.inputs, full_scale=255 * 255))
    validation = CrossValidation(task, fold_numbers(rotating, 5, 0), seed=0)
    validation.advance(3, 17)
    assert Verdict.COLLAPSED in [result.verdict for result in validation.results()]
