"""Models of background alone: signal has no part in them, every detector with every network and mode, and bundles of them."""

from __future__ import annotations

import itertools
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from foils import Dataset, load
from foils.folds import fold_numbers
from models.inference.bundle import Bundle, read_bundle, write_bundle
from models.inference.ensemble import Ensemble
from models.training.anomaly import AnomalyTraining, turn_quarters
from models.training.cross_validation import CrossValidation, start_fold
from models.training.fold_training import FoldTraining
from models.training.probe import reason_not_to_fuse
from models.training.task import make_task, number_kinds
from models.training.verdicts import Verdict
from spaces.choices.augmentation import Augmentation
from spaces.choices.channels import MODES, SCORES, Channels
from spaces.choices.detectors import DETECTORS
from spaces.choices.labelling import Labelling
from spaces.choices.networks import NETWORKS, TIMM, Network
from spaces.choices.optimisers import Optimiser
from spaces.config import Config
from tests.support.tiny import write_dataset

OPTIMISER = Optimiser("adamw", 1e-2, batch_size=16)
NAMED = {
    "pitnet": Network("pitnet", depth=2, width=4),
    "minihip": Network("minihip"),
    "setnet": Network("setnet", depth=2, width=4),
    "ringnet": Network("ringnet", depth=2, width=4),
}


def of(detector: str, name: str = "pitnet", mode: str = "stacked", **more: object) -> Config:
    channels = Channels(mode, "1" if mode == "single" else None)
    config = Config(Labelling("anomaly", detector=detector), channels, NAMED.get(name) or Network(name), OPTIMISER)
    return replace(config, **more)  # type: ignore[arg-type]  # parts by name


def start(data: Dataset, config: Config, epochs: int = 2, fold: int = 0) -> FoldTraining:
    task = make_task(data, config, epochs=epochs, working_point=0.1)
    return start_fold(task, fold_numbers(data, 5, 0), fold, 0, 0)


@pytest.fixture(scope="module")
def two_labels(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    """Data with one label of background, under one light."""
    folder = tmp_path_factory.mktemp("two") / "data"
    return load(write_dataset(folder, counts={"candidate": 15, "misc": 35}, channels=[("1", "rotating", 0.0)]))


def forms() -> list[tuple[str, str, str]]:
    ours = [name for name in NETWORKS if not name.startswith(TIMM)]
    asked = itertools.product(DETECTORS, ours, MODES)
    return [
        (detector, network, mode)
        for detector, network, mode in asked
        if (NETWORKS[network].volume if MODES[mode].dims == 3 else NETWORKS[network].flat)
    ]


@pytest.mark.parametrize(("detector", "network", "mode"), forms())
def test_every_detector_trains_and_scores_with_every_network_and_mode(
    tiny: Dataset, detector: str, network: str, mode: str
) -> None:
    training = start(tiny, of(detector, network, mode), epochs=1)
    training.advance(1)
    scores = training.scores()
    assert scores.shape == training.validate.shape
    assert ((scores > 0) & (scores < 1)).all()
    assert len(np.unique(scores)) > len(scores) / 2
    assert training.score().signals == 4
    assert 0.0 <= training.accuracy() <= 1.0
    assert math.isfinite(training.train_loss[0] + training.validation_loss[0] + training.constant_loss)


@pytest.mark.parametrize("name", ["timm:resnet10t", pytest.param("timm:lcnet_050", marks=pytest.mark.slow)])
def test_networks_of_timm_lose_their_heads(tiny: Dataset, name: str) -> None:
    training = start(tiny, of("mahalanobis", name), epochs=1)
    training.advance(1)
    assert np.isfinite(training.scores()).all()


@pytest.mark.parametrize("detector", DETECTORS)
def test_no_signal_pit_has_a_part_in_the_model(tiny: Dataset, detector: str) -> None:
    scores = []
    for changed in (False, True):
        task = make_task(tiny, of(detector), epochs=2, working_point=0.1)
        folds = fold_numbers(tiny, 5, 0)
        if changed:
            stored = task.inputs.stored.clone()
            stored[task.inputs.rows[torch.from_numpy((folds != 0) & tiny.is_signal)]] = 255
            assert not torch.equal(stored, task.inputs.stored)
            task = replace(task, inputs=replace(task.inputs, stored=stored))
        training = start_fold(task, folds, 0, 0, 0)
        training.advance(2)
        scores.append((training.scores(), training.train_loss, training.validation_loss, training.constant_loss))
    assert np.array_equal(scores[0][0], scores[1][0])
    assert scores[0][1:] == scores[1][1:]


@pytest.mark.parametrize("detector", DETECTORS)
def test_which_validation_pits_are_signal_changes_no_score(tiny: Dataset, detector: str) -> None:
    # The losses are of background alone.
    task = make_task(tiny, of(detector), epochs=1, working_point=0.1)
    folds = fold_numbers(tiny, 5, 0)
    stored = task.inputs.stored.clone()
    here = (folds == 0) & tiny.is_signal
    stored[task.inputs.rows[torch.from_numpy(here)]] = 255
    found = [
        start_fold(replace(task, inputs=replace(task.inputs, stored=pixels)), folds, 0, 0, 0)
        for pixels in (task.inputs.stored, stored)
    ]
    for training in found:
        training.advance(1)
    first, second = found
    assert first.validation_loss == second.validation_loss
    others = ~here[first.validate]
    np.testing.assert_allclose(first.scores()[others], second.scores()[others], rtol=1e-5)
    assert not np.allclose(first.scores()[~others], second.scores()[~others])


@pytest.mark.parametrize("detector", DETECTORS)
def test_stopping_on_the_way_changes_nothing(tiny: Dataset, detector: str) -> None:
    config = of(detector, augmentation=Augmentation("symmetries", noise=0.01))
    at_once, in_steps = start(tiny, config, 3), start(tiny, config, 3)
    at_once.advance(3)
    for epoch in (1, 3):
        in_steps.advance(epoch)
        in_steps.scores()
    assert at_once.train_loss == in_steps.train_loss
    assert at_once.validation_loss == in_steps.validation_loss
    assert np.array_equal(at_once.scores(), in_steps.scores())


@pytest.mark.parametrize("average", [0.0, 0.9])
@pytest.mark.parametrize("detector", DETECTORS)
def test_a_bundle_scores_as_the_training_did(tiny: Dataset, tmp_path: Path, detector: str, average: float) -> None:
    config = of(detector, mode="examples", optimiser=replace(OPTIMISER, average=average))
    trainings = [start(tiny, config, fold=fold) for fold in (0, 1)]
    for training in trainings:
        training.advance(1)
        training.scores()
        training.advance(2)
    description, inputs = tiny.description, trainings[0].task.inputs
    made = Ensemble(config, tuple(t.eval_model for t in trainings), description.channels, inputs.size, inputs.full_scale)
    alone = replace(made, members=made.members[:1]).scores(tiny.crops()[trainings[0].validate])
    np.testing.assert_allclose(alone, trainings[0].scores(), rtol=1e-5)
    write_bundle(tmp_path, Bundle(made, 0.5, 0.05, {}))
    again = read_bundle(tmp_path).ensemble
    assert np.array_equal(again.scores(tiny.crops()), made.scores(tiny.crops()))


@pytest.mark.parametrize("rule", SCORES)
def test_the_images_of_a_pit_become_one_as_chosen(tiny: Dataset, rule: str) -> None:
    training = start(tiny, of("neighbours", channels=Channels("examples", scores=rule)), 1)
    training.advance(1)
    images = training.evaluate(training.validation_images()).softmax(1)[:, 0].view(len(training.validate), -1).numpy()
    assert images.shape[1] == 6
    expected = {"mean": images.mean(1), "max": images.max(1), "trimmed mean": np.sort(images, 1)[:, 1:-1].mean(1)}
    np.testing.assert_allclose(training.scores(), expected[rule], rtol=1e-5)


def test_the_network_learns_the_labels_of_background_and_turns(tiny: Dataset) -> None:
    config = of("mahalanobis", network=Network("pitnet", depth=2, width=16))
    training = start(tiny, config, 24)
    training.advance(24)
    assert training.task.answers == 4 * 3  # top, bottom, and misc, of which there are few
    assert training.validation_loss[-1] < 0.5 * training.constant_loss
    assert training.verdict() is Verdict.LEARNED


@pytest.mark.parametrize("augmentation", ["none", "turned"])
def test_the_network_learns_turns_alone_where_background_has_one_label(two_labels: Dataset, augmentation: str) -> None:
    channels = Channels("single", "1")
    training = start(two_labels, of("forest", channels=channels, augmentation=Augmentation(augmentation)), 2)
    assert isinstance(training, AnomalyTraining)
    assert training.constant_loss == pytest.approx(math.log(4))
    batch = training.batch(training.draw()[0][0], None)
    assert batch.targets.shape == (16, 4)
    assert len(batch.targets.argmax(1).unique()) > 1
    # A turn that is drawn beside the one that is asked for would hide it.
    assert training.draw()[1] is None
    training.advance(2)
    assert np.isfinite(training.scores()).all()


def test_images_turn_counter_clockwise() -> None:
    pixels = torch.arange(8).view(1, 2, 2, 2).expand(4, -1, -1, -1)
    turned = turn_quarters(pixels, torch.arange(4))
    for way in range(4):
        assert np.array_equal(turned[way, 1].numpy(), np.rot90(pixels[way, 1].numpy(), way))


def test_rare_labels_are_numbered_alike() -> None:
    labels = np.array(["a"] * 30 + ["b"] * 25 + ["c"] * 5 + ["d"] * 3 + ["signal"] * 40)
    numbers = number_kinds(labels, labels != "signal")
    assert [int(numbers[labels == label].unique()) for label in ("a", "b", "c", "d")] == [0, 1, 2, 2]
    assert not numbers[labels == "signal"].any()
    assert not number_kinds(labels, np.isin(labels, ["a", "c"])).any()


def test_folds_are_trained_apart(tiny: Dataset) -> None:
    trainings = [start(tiny, of("mahalanobis"), fold=fold) for fold in (0, 1)]
    assert reason_not_to_fuse(trainings) == "folds trained apart: each fits a model of background to its own pits"
    cross = CrossValidation(trainings[0].task, fold_numbers(tiny, 5, 0), 0, fused=True)
    cross.advance(2, 1)
    assert cross.note is not None


def test_weights_that_are_no_numbers_end_the_fold_with_a_verdict(tiny: Dataset) -> None:
    training = start(tiny, of("forest"), 2)
    with torch.no_grad():
        next(training.classifier.parameters()).fill_(math.nan)
    training.advance(2)
    assert training.verdict() is Verdict.DIVERGED
    assert not training.scores().any()
