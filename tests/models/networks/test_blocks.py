"""What pitnet and its relatives may vary: every choice learns and is described, pooled values are the right ones."""

from __future__ import annotations

import copy
import itertools
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import nn
from torch.nn import functional

from foils import Dataset
from models.networks.blocks import Dropout, pooling
from models.networks.build import Classifier, build
from models.training.probe import reason_not_to_fuse
from spaces.choices.channels import Channels
from spaces.choices.networks import ACTIVATIONS, HEADS, KERNELS, NETWORKS, NORMS, OVER_LIGHTS, POOLINGS, RISING, Network
from spaces.config import Config
from tests.support.trainings import SMALL, trainings

CHOICES: dict[str, tuple[Any, ...]] = {
    "depth": (2, 6),
    "kernel": KERNELS,
    "activation": tuple(ACTIVATIONS),
    "norm": tuple(NORMS),
    "pooling": tuple(POOLINGS),
    "head": tuple(HEADS),
    "dropout": (0.7,),
    "lights": tuple(OVER_LIGHTS),
}
FUNCTIONS = {"relu": torch.relu, "tanh": torch.tanh, "gelu": functional.gelu, "silu": functional.silu}
FORMS = [("pitnet", "stacked"), ("pitnet", "volume"), ("setnet", "stacked"), ("ringnet", "volume")]
EACH = [
    (name, mode, {knob: value})
    for name, mode in FORMS
    for knob, values in CHOICES.items()
    if knob in NETWORKS[name].varies
    for value in values
]


def built(network: Network, mode: str = "stacked", lights: int = 4, size: int = 16) -> Classifier:
    torch.manual_seed(0)
    return build(Config(channels=Channels(mode), network=network, normalisation="raw"), lights, size, 255)


def images(count: int = 4, lights: int = 4, size: int = 16) -> torch.Tensor:
    return torch.randint(0, 256, (count, lights, size, size), dtype=torch.uint8, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize(("name", "mode", "knob"), EACH)
def test_every_choice_takes_a_step_and_survives_its_weights(name: str, mode: str, knob: Mapping[str, Any]) -> None:
    network = replace(Network(name, depth=3, width=4), **knob)
    classifier = built(network, mode)
    before = copy.deepcopy(classifier.state_dict())
    optimiser = torch.optim.SGD(classifier.parameters(), 0.1)
    functional.cross_entropy(classifier(images()), torch.tensor([0, 1, 0, 1])).backward()
    assert all(weight.grad is not None and weight.grad.isfinite().all() for weight in classifier.parameters())
    optimiser.step()
    classifier.eval()
    logits = classifier(images())
    assert logits.shape == (4, 2)
    assert logits.isfinite().all()
    assert not torch.equal(before["network.head.weight"], classifier.state_dict()["network.head.weight"])
    again = built(network, mode)
    again.load_state_dict(classifier.state_dict())
    assert torch.equal(again.eval()(images()), logits)


@pytest.mark.parametrize(("activation", "norm", "pooling"), list(itertools.product(ACTIVATIONS, NORMS, POOLINGS)))
def test_a_block_gives_what_its_parts_say(activation: str, norm: str, pooling: str) -> None:
    network = Network("pitnet", depth=2, width=4, activation=activation, norm=norm, pooling=pooling, head="average")
    classifier = built(network)
    convolutions = [module for module in classifier.network.modules() if isinstance(module, nn.Conv2d)]
    norms = [module for module in classifier.network.modules() if isinstance(module, nn.BatchNorm2d | nn.GroupNorm)]
    assert len(norms) == (0 if norm == "none" else 2)
    assert all((convolution.bias is not None) is (norm == "none") for convolution in convolutions)
    early = activation in RISING and pooling == "max"
    values = images().float() / 255
    for number, convolution in enumerate(convolutions):
        values = convolution(values)
        values = functional.max_pool2d(values, 2) if early and norm != "none" else values
        values = norms[number](values) if norms else values
        values = FUNCTIONS[activation](values)
        if pooling == "average":
            values = functional.avg_pool2d(values, 2)
        elif pooling == "max" and not (early and norm != "none"):
            values = functional.max_pool2d(values, 2)
    assert values.shape[2:] == (4, 4)
    heads = [module for module in classifier.network.modules() if isinstance(module, nn.Linear)]
    torch.testing.assert_close(classifier(images()), heads[0](values.mean((2, 3))))


def test_every_choice_is_described_and_no_two_alike() -> None:
    networks = [replace(Network(name, depth=3, width=4), **knob) for name, mode, knob in EACH if (name, mode) != FORMS[1]]
    assert len({network.describe() for network in networks}) == len(set(networks))
    assert Network("pitnet", depth=3, width=16).describe() == "pitnet d3 w16"
    given: dict[str, Any] = {
        "kernel": 5,
        "activation": "gelu",
        "norm": "group",
        "pooling": "stride",
        "head": "average",
        "dropout": 0.25,
    }
    words = "setnet d3 w16 k5 gelu norm group pool stride head average dropout 0.25 lights average"
    assert Network("setnet", 3, 16, lights="average", **given).describe() == words


@pytest.mark.parametrize("norm", NORMS)
def test_values_neither_fade_nor_grow_with_depth(norm: str) -> None:
    for activation in ACTIVATIONS:
        network = Network("pitnet", depth=6, width=16, activation=activation, norm=norm, head="average")
        blocks = built(network, size=28).network.get_submodule("blocks")
        with torch.no_grad():
            deviation = float(blocks(torch.randn(8, 4, 28, 28)).std())
        assert 0.05 < deviation < 5, activation


def test_dropout_repeats_its_numbers_and_leaves_those_of_others_alone() -> None:
    torch.manual_seed(2)
    module = Dropout(0.5)
    values = torch.ones(64, 64)
    twin = copy.deepcopy(module)
    state = torch.random.get_rng_state()
    first, second = module(values), module(values)
    assert torch.equal(torch.random.get_rng_state(), state)
    assert torch.equal(first, twin(values))
    assert not torch.equal(first, second)
    assert set(first.unique().tolist()) == {0.0, 2.0}
    assert 0.45 < float((first == 0).float().mean()) < 0.55
    assert torch.equal(module.eval()(values), values)


def test_dropout_does_not_depend_on_what_else_is_trained(tiny: Dataset) -> None:
    config = replace(SMALL, network=replace(SMALL.network, dropout=0.5))
    alone, beside = trainings(tiny, config)[0], trainings(tiny, config)[:2]
    alone.advance(2)
    for epoch in (1, 2):
        for training in beside:
            training.advance(epoch)
    assert beside[0].train_loss == alone.train_loss
    without = trainings(tiny, SMALL)[0]
    without.advance(2)
    assert without.train_loss != alone.train_loss


def test_folds_with_dropout_are_trained_apart(tiny: Dataset) -> None:
    reason = reason_not_to_fuse(trainings(tiny, replace(SMALL, network=replace(SMALL.network, dropout=0.5))))
    assert reason is not None
    assert reason.startswith("folds trained apart: pitnet does not run fused (vmap: called random operation")


@pytest.mark.parametrize(("lights", "dims"), [(1, 2), (1, 3), (2, 3), (5, 3)])
@pytest.mark.parametrize("layout", ["features last", "features first"])
def test_pooling_gives_the_same_numbers_whether_gradients_are_wanted(lights: int, dims: int, layout: str) -> None:
    pool, left = pooling(lights, dims)
    # Few grey values, so that most pairs are equal, and edges of which one is odd.
    values = torch.randint(0, 3, (4, 3, lights, 7, 6), generator=torch.Generator().manual_seed(0)).float()
    values = values[:, :, 0] if dims == 2 else values
    if layout == "features last":
        values = values.contiguous(memory_format=torch.channels_last if dims == 2 else torch.channels_last_3d)
    trained = pool(values)
    with torch.no_grad():
        scored = pool(values)
    assert trained.shape == ((4, 3, 3, 3) if dims == 2 else (4, 3, left, 3, 3))
    assert torch.equal(scored, trained)
    assert scored.stride() == trained.stride()
