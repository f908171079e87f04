"""The probe before fusing: it refuses what is not equal or not faster, says why, and leaves no trace."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import replace

import pytest
import torch
from torch import nn

from foils import Dataset
from models.networks import build as networks
from models.training import probe
from models.training.probe import reason_not_to_fuse
from spaces.choices.augmentation import Augmentation
from spaces.choices.networks import Network
from tests.support.trainings import SMALL, trainings


@pytest.fixture(autouse=True)
def fast_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let equality alone decide: how long a step takes on a shared machine is no test."""
    monkeypatch.setattr(probe, "WORTH", float("inf"))


def use(monkeypatch: pytest.MonkeyPatch, module: Callable[[], nn.Module]) -> None:
    """Put a module behind pitnet."""
    made = networks.BUILDERS["pitnet"]
    monkeypatch.setitem(networks.BUILDERS, "pitnet", lambda *args: nn.Sequential(made(*args), module()))


class OutOfSight(nn.Module):
    """Scale logits by a number that is neither a weight nor a buffer, another in each fold."""

    def __init__(self) -> None:
        super().__init__()
        self.scale = torch.rand(()) + 0.5

    def forward(self, logits: torch.Tensor) -> torch.Tensor:
        return logits * self.scale


class OnTheHost(nn.Module):
    """Let a number on the host decide."""

    def forward(self, logits: torch.Tensor) -> torch.Tensor:
        return logits if float(logits.sum()) > 0 else 2 * logits


RESIDUAL = Network("timm:resnet10t")
NETWORKS = [SMALL.network, Network("minihip"), pytest.param(RESIDUAL, marks=pytest.mark.slow)]


@pytest.mark.parametrize("network", NETWORKS, ids=lambda network: network.name)
def test_the_networks_of_the_space_are_equal_fused(tiny: Dataset, network: Network) -> None:
    made = trainings(tiny, replace(SMALL, network=network))
    where, difference = probe._compare(made, probe._batches(made))
    assert difference < probe.TOLERANCES[where] / 2
    assert reason_not_to_fuse(made[:2]) is None


def test_the_probe_leaves_trainings_as_they_are(tiny: Dataset) -> None:
    made = trainings(tiny, replace(SMALL, augmentation=Augmentation("symmetries")))
    made[1].advance(1)
    before = [copy.deepcopy(training.classifier.state_dict()) for training in made]
    expected = [training.twin().draw() for training in made]
    torch.manual_seed(3)
    drawn = torch.rand(2)
    torch.manual_seed(3)
    reason_not_to_fuse(made)
    assert torch.equal(torch.rand(2), drawn)
    for training, weights, (images, turned) in zip(made, before, expected, strict=True):
        assert all(torch.equal(weights[name], tensor) for name, tensor in training.classifier.state_dict().items())
        again, turned_again = training.draw()
        assert torch.equal(images, again)
        assert turned is not None and turned_again is not None and torch.equal(turned, turned_again)
    assert not made[0].optimiser.state
    assert made[0].train_loss == []


def test_a_network_that_is_not_equal_is_refused(tiny: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    use(monkeypatch, OutOfSight)
    reason = reason_not_to_fuse(trainings(tiny, SMALL))
    assert reason is not None
    assert reason.startswith("folds trained apart: fused, the ")
    assert " of pitnet differ by " in reason


@pytest.mark.parametrize("module", [OnTheHost, nn.Dropout])
def test_a_network_that_cannot_be_fused_is_refused(
    tiny: Dataset, monkeypatch: pytest.MonkeyPatch, module: Callable[[], nn.Module]
) -> None:
    use(monkeypatch, module)
    reason = reason_not_to_fuse(trainings(tiny, SMALL))
    assert reason is not None
    assert reason.startswith("folds trained apart: pitnet does not run fused (vmap: ")
    assert len(reason) < 150


def test_an_optimiser_that_looks_at_whole_tensors_is_refused(tiny: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probe, "ELEMENTWISE", frozenset({"sgd"}))
    assert reason_not_to_fuse(trainings(tiny, SMALL)) == "folds trained apart: adamw is not known to work weight by weight"


def test_what_is_slower_fused_is_trained_apart(tiny: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probe, "WORTH", 0.0)
    reason = reason_not_to_fuse(trainings(tiny, SMALL))
    assert reason is not None
    assert reason.startswith("folds trained apart: fused takes ")
