"""One fold in training: resumable, reproducible, and never ended by an exception of its own making."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest
import torch

from foils import Dataset
from foils.folds import fold_numbers
from models.inference.ensemble import Ensemble
from models.training.cross_validation import start_fold
from models.training.fold_training import FOR_EPOCHS
from models.training.task import make_task
from models.training.verdicts import Verdict
from spaces.choices.augmentation import Augmentation
from spaces.choices.balance import BALANCES, Balance
from spaces.choices.channels import MODES, SCORES, Channels
from spaces.choices.labelling import MAYBES, SCHEMES, Labelling
from spaces.choices.losses import LOSSES, Loss
from spaces.choices.networks import Network
from spaces.choices.optimisers import Optimiser
from spaces.config import Config
from tests.support.trainings import start

SMALL = Config(network=Network("pitnet", depth=2, width=4), optimiser=Optimiser("adamw", 1e-2, batch_size=16))


@pytest.mark.parametrize(("mode", "scheme"), list(itertools.product(MODES, SCHEMES)))
def test_every_mode_and_scheme_trains_and_scores_the_same_pits(tiny: Dataset, mode: str, scheme: str) -> None:
    config = replace(SMALL, labelling=Labelling(scheme), channels=Channels(mode, "1" if mode == "single" else None))
    training = start(tiny, config, epochs=1)
    training.advance(1)
    scores = training.scores()
    assert scores.shape == training.validate.shape
    assert np.isfinite(scores).all()
    assert ((scores >= 0) & (scores <= 1)).all()
    assert 0.0 <= training.accuracy() <= 1.0
    assert training.score().signals == 4


@pytest.mark.parametrize("rule", SCORES)
def test_examples_are_scored_over_a_pits_images_as_ensembles_score_them(tiny: Dataset, rule: str) -> None:
    training = start(tiny, replace(SMALL, channels=Channels("examples", scores=rule)), epochs=1)
    training.advance(1)
    inputs, description = training.task.inputs, tiny.description
    alone = Ensemble(training.task.config, (training.classifier,), description.channels, inputs.size, inputs.full_scale)
    np.testing.assert_allclose(training.scores(), alone.scores(tiny.crops()[training.validate]), rtol=1e-5)


@pytest.mark.parametrize("balance", BALANCES)
@pytest.mark.parametrize("maybe", MAYBES)
def test_every_balance_trains_with_every_use_of_maybe(tiny: Dataset, balance: str, maybe: str) -> None:
    config = replace(SMALL, labelling=Labelling("four-way", maybe), balance=Balance(balance, 2.0))
    training = start(tiny, config, epochs=1)
    training.advance(1)
    assert np.isfinite(training.train_loss).all()
    assert training.score().signals == 4
    images, _ = training.draw()
    labels = tiny.labels[images.flatten().numpy()]
    assert ("maybe" in labels) == (maybe != "left out")


def test_folds_make_the_same_steps_whatever_the_balance(tiny: Dataset) -> None:
    for balance in BALANCES:
        task = make_task(tiny, replace(SMALL, balance=Balance(balance, 1.5)), epochs=1, working_point=0.1)
        folds = fold_numbers(tiny, 5, 0)
        assert len({start_fold(task, folds, fold, 0, 0).steps for fold in range(5)}) == 1


@pytest.mark.parametrize("augmentation", ["none", "symmetries"])
@pytest.mark.parametrize("schedule", ["constant", "cosine"])
def test_stopping_on_the_way_changes_nothing(tiny: Dataset, augmentation: str, schedule: str) -> None:
    config = replace(SMALL, augmentation=Augmentation(augmentation), optimiser=replace(SMALL.optimiser, schedule=schedule))
    at_once, in_steps = start(tiny, config), start(tiny, config)
    at_once.advance(4)
    for epoch in (1, 3, 4):
        in_steps.advance(epoch)
        in_steps.scores()
    assert at_once.train_loss == in_steps.train_loss
    assert at_once.validation_loss == in_steps.validation_loss
    assert np.array_equal(at_once.scores(), in_steps.scores())


def test_the_seed_alone_decides(tiny: Dataset) -> None:
    first, second, other = start(tiny, SMALL), start(tiny, SMALL), start(tiny, SMALL, seed=1)
    for training in (first, second, other):
        torch.rand(7)  # what other code draws must not matter
        training.advance(2)
    assert first.train_loss == second.train_loss
    assert first.train_loss != other.train_loss


def test_training_leaves_torchs_own_randomness_alone(tiny: Dataset) -> None:
    torch.manual_seed(3)
    expected = torch.rand(3)
    torch.manual_seed(3)
    start(tiny, SMALL).advance(1)
    assert torch.equal(torch.rand(3), expected)


def test_a_loss_that_is_not_finite_ends_the_fold_with_a_verdict(tiny: Dataset) -> None:
    config = replace(SMALL, network=Network("minihip"), optimiser=Optimiser("sgd", 100.0, schedule="constant"))
    training = start(tiny, config, epochs=30)
    with torch.no_grad():
        next(training.classifier.parameters()).fill_(float("nan"))
    training.advance(30)
    assert training.epoch == 1
    assert training.verdict() is Verdict.DIVERGED
    assert training.score().acceptance == 0.0
    assert not training.scores().any()


def test_pits_that_are_never_scored_are_not_trained_on(tiny: Dataset) -> None:
    task = make_task(tiny, replace(SMALL, labelling=Labelling("four-way")), epochs=1, working_point=0.1)
    maybe = tiny.labels == "maybe"
    assert (task.classes[maybe] == -1).all()
    assert (task.classes[~maybe] >= 0).all()
    assert not task.is_scored[maybe].any()
    assert task.is_scored[~maybe].all()


def test_weighting_raises_the_rare_class(tiny: Dataset) -> None:
    scores = {}
    for balance in ("none", "weighted"):
        config = replace(SMALL, balance=Balance(balance), optimiser=replace(SMALL.optimiser, learning_rate=1e-3))
        training = start(tiny, config)
        training.advance(4)
        scores[balance] = training.scores().mean()
    assert scores["weighted"] > scores["none"]


@pytest.mark.parametrize("name", LOSSES)
def test_a_training_learns_by_every_loss(tiny: Dataset, name: str) -> None:
    training = start(tiny, replace(SMALL, loss=Loss(name)), epochs=12)
    training.advance(12)
    assert training.verdict() is Verdict.LEARNED
    assert training.train_loss[-1] < training.train_loss[0]


def test_a_training_that_knows_its_pits_by_heart_ends_there(tiny: Dataset) -> None:
    config = replace(
        SMALL, network=Network("pitnet", depth=2, width=16), optimiser=replace(SMALL.optimiser, schedule="constant")
    )
    training = start(tiny, config, epochs=60)
    training.advance(60)
    assert training.converged
    assert training.ended
    assert FOR_EPOCHS < training.epoch < 60
    # A loss of 1 % of the constant predictor's, about 0.5, over the last epochs, and none of that before.
    assert max(training.train_loss[-FOR_EPOCHS:]) < 0.01
    assert max(training.train_loss[-FOR_EPOCHS - 1 :]) > 0.002
    assert training.verdict() in (Verdict.LEARNED, Verdict.OVERTRAINED)
    before = training.epoch
    training.advance(60)
    assert training.epoch == before


def test_folds_of_different_sizes_make_the_same_steps(tiny: Dataset) -> None:
    task = make_task(tiny, replace(SMALL, optimiser=replace(SMALL.optimiser, batch_size=4)), epochs=1, working_point=0.1)
    folds = fold_numbers(tiny, 5, 0)
    folds[np.flatnonzero(folds == 0)[:6]] = 1
    sizes = {len(np.flatnonzero(task.classes.numpy()[folds != fold] >= 0)) for fold in range(5)}
    assert len(sizes) > 1
    shapes = {start_fold(task, folds, fold, 0, 0).draw()[0].shape for fold in range(5)}
    assert shapes == {(min(sizes) // 4, 4)}
