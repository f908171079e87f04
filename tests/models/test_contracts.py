"""Contracts, over every network, loss, optimiser, scheme and feature of ours; and each contract sees what breaks it."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import pytest
import torch
from torch import nn

from models.contracts import check_feature, check_loss, check_network, check_optimiser, check_scheme, graph_notes
from models.errors import ContractError
from spaces.choices.features import FEATURES
from spaces.choices.labelling import SCHEMES, Scheme
from spaces.choices.losses import LOSSES, Loss
from spaces.choices.networks import Network
from spaces.choices.optimisers import Optimiser
from spaces.plugins import FeaturePlugin, LossPlugin, NetworkPlugin, OptimiserPlugin, Plugin, PluginRef, register, unregister
from tests.support.configs import FORMS, NAMED, USABLE

# Learning rates at which a small problem is learned in a few steps.
RATES = {"lion": 1e-3, "sgd": 0.05, "nesterov": 0.05, "muon": 0.02}


@pytest.mark.parametrize(("form", "scheme"), list(itertools.product(FORMS, SCHEMES)))
def test_every_network_keeps_its_contract(form: tuple[str, str], scheme: str) -> None:
    network, mode = form
    check_network(NAMED[network], mode, scheme)


@pytest.mark.parametrize("name", LOSSES)
@pytest.mark.parametrize("working_point", [0.05, 0.5])
def test_every_loss_keeps_its_contract(name: str, working_point: float) -> None:
    check_loss(Loss(name), working_point)


@pytest.mark.parametrize("name", USABLE)
def test_every_optimiser_keeps_its_contract(name: str) -> None:
    check_optimiser(Optimiser(name, learning_rate=RATES.get(name, 5e-3)))


@pytest.mark.parametrize("name", SCHEMES)
def test_every_scheme_keeps_its_contract(name: str) -> None:
    check_scheme(name, SCHEMES[name])


@pytest.mark.parametrize("name", [name for name in FEATURES if name != "none"])
def test_every_feature_keeps_its_contract(name: str) -> None:
    for mode in FEATURES[name].modes:
        check_feature(name, mode)


class Planted(nn.Module):
    """A network with a fault of one kind."""

    def __init__(self, fault: str, channels: int, classes: int) -> None:
        super().__init__()
        self.fault = fault
        self.head = nn.Linear(channels, classes + (fault == "shape"))
        self.silent = nn.Parameter(torch.zeros(1)) if fault == "silent" else None
        self.unsaved = torch.rand(1) if fault == "unsaved" else torch.zeros(1)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        logits: torch.Tensor = self.head(images.mean((2, 3))) + self.unsaved
        return logits / 0 if self.fault == "infinite" else logits


class Branching(nn.Module):
    """A network that goes one way or another by what it sees, as no graph can."""

    def __init__(self, channels: int, classes: int) -> None:
        super().__init__()
        self.head = nn.Linear(channels, classes)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        means = images.mean((2, 3))
        logits: torch.Tensor = self.head(means if means.sum().item() > 0 else -means)
        return logits


@pytest.fixture
def planted() -> Iterator[None]:
    """Add parts that break their contracts."""

    def builder(fault: str) -> Any:
        return lambda network, channels, classes, size, dims: Planted(fault, channels, classes)

    faults = ("shape", "silent", "infinite", "unsaved")
    register(
        PluginRef("planted", "0" * 64, "planted.py"),
        Plugin(
            networks=[
                *(NetworkPlugin(fault, "planted", builder(fault)) for fault in faults),
                NetworkPlugin("branching", "planted", lambda network, channels, classes, *_: Branching(channels, classes)),
            ],
            losses=[
                LossPlugin("vector", "planted", lambda logits, targets, weights: logits.sum(1)),
                LossPlugin("backwards", "planted", lambda logits, targets, weights: (logits * targets).sum()),
            ],
            optimisers=[OptimiserPlugin("still", "planted", lambda groups, optimiser: torch.optim.SGD(groups, lr=0.0))],
            features=[
                FeaturePlugin("no number", "planted", lambda azimuths: torch.full((1, len(azimuths)), torch.nan).numpy())
            ],
        ),
    )
    yield
    unregister("planted")


@pytest.mark.parametrize(
    ("name", "rule"),
    [
        ("shape", "must give one logit a class"),
        ("silent", r"must learn in every weight, but no gradient reaches .*silent"),
        ("infinite", "must give finite logits"),
        ("unsaved", "must give the same logits from its saved weights"),
    ],
)
def test_a_network_with_a_planted_fault_is_refused(name: str, rule: str, planted: None) -> None:
    with pytest.raises(ContractError, match=rule):
        check_network(Network(name), "stacked")


@pytest.mark.slow
def test_what_no_graph_can_hold_is_told_before_it_is_trained(planted: None) -> None:
    check_network(Network("branching"), "stacked")
    (note,) = graph_notes(["branching"])
    assert note.startswith("network branching, mode single: the network must be one that ONNX can hold, but branching is not: ")
    assert note.endswith("; export with --no-onnx, for the weights alone.")
    assert "\n" not in note
    assert [*graph_notes(["minihip"], ["stacked"])] == []


def test_other_planted_faults_are_refused(planted: None) -> None:
    with pytest.raises(ContractError, match="the loss vector must give one finite number"):
        check_loss(Loss("vector"))
    with pytest.raises(ContractError, match="the loss backwards must cost less where every answer is right"):
        check_loss(Loss("backwards"))
    with pytest.raises(ContractError, match="the optimiser still must lower the loss within 60 steps"):
        check_optimiser(Optimiser("still"))
    with pytest.raises(ContractError, match="the feature no number in mode stacked must give finite values"):
        check_feature("no number", "stacked")
    with pytest.raises(ContractError, match="must put each label into one class, but lists top, top"):
        check_scheme("twice", Scheme("planted", (("one", ("top",)), ("other", ("top",)))))
