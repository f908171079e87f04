"""Every network, in every channel mode and scheme: shapes, gradients, tables that agree."""

from __future__ import annotations

import itertools

import pytest
import torch

from models.inputs import lay_out
from models.networks import BUILDERS, build
from spaces.channels import MODES, Channels
from spaces.config import Config
from spaces.labelling import SCHEMES
from spaces.networks import NETWORKS, Network
from tests.models.toys import LIGHTS, crops

NAMED = {"pitnet": Network("pitnet", depth=3, width=4), "minihip": Network("minihip")}


def channels_of(mode: str) -> Channels:
    return Channels(mode, "1" if mode == "single" else None)


def test_every_network_of_the_space_has_a_builder() -> None:
    assert set(BUILDERS) == set(NETWORKS) == set(NAMED)


@pytest.mark.parametrize(("network", "mode", "scheme"), list(itertools.product(NETWORKS, MODES, SCHEMES)))
def test_every_network_gives_one_logit_a_class_and_learns_in_every_part(network: str, mode: str, scheme: str) -> None:
    torch.manual_seed(0)
    config = Config(labelling=scheme, channels=channels_of(mode), network=NAMED[network])
    inputs = lay_out(crops(6), config.channels, LIGHTS)
    classifier = build(config, inputs.channels, inputs.size, inputs.full_scale)
    logits = classifier(inputs.images)
    assert logits.shape == (len(inputs.images), len(SCHEMES[scheme].classes))
    logits.square().sum().backward()
    silent = [name for name, weight in classifier.named_parameters() if weight.grad is None or not weight.grad.any()]
    assert not silent, f"no gradient reaches {silent}"


@pytest.mark.parametrize(("depth", "size"), list(itertools.product(range(1, 7), (8, 28, 64))))
def test_pitnet_takes_every_depth_on_small_and_large_crops(depth: int, size: int) -> None:
    config = Config(channels=Channels("stacked"), network=Network("pitnet", depth=depth, width=4))
    classifier = build(config, 6, size, 255)
    assert classifier(torch.zeros(2, 6, size, size, dtype=torch.uint8)).shape == (2, 2)


def test_minihip_has_the_weights_of_the_network_in_use() -> None:
    classifier = build(Config(network=Network("minihip")), 8, 28, 255)
    # (9 x 8 + 1) 32, 3 x (9 x 32 + 1) 32, (32 + 1) 22, (22 + 1) 2: counted by hand from its description.
    assert sum(weight.numel() for weight in classifier.parameters()) == 2336 + 3 * 9248 + 726 + 46


def test_minihip_pools_before_tanh_and_computes_the_same_function() -> None:
    torch.manual_seed(0)
    classifier = build(Config(network=Network("minihip"), normalisation="raw"), 6, 28, 255)
    images = torch.randint(0, 256, (4, 6, 28, 28), dtype=torch.uint8)
    values = images.float() / 255
    convolutions = [module for module in classifier.network.modules() if isinstance(module, torch.nn.Conv2d)]
    for convolution in convolutions:
        values = torch.nn.functional.max_pool2d(torch.tanh(convolution(values)), 2)
    dense, head = (module for module in classifier.network.modules() if isinstance(module, torch.nn.Linear))
    expected = head(torch.relu(dense(values.amax((2, 3)))))
    torch.testing.assert_close(classifier(images), expected)


def test_the_same_seed_builds_the_same_weights() -> None:
    def first_weights(seed: int) -> torch.Tensor:
        torch.manual_seed(seed)
        return next(build(Config(), 6, 12, 255).parameters())

    assert torch.equal(first_weights(1), first_weights(1))
    assert not torch.equal(first_weights(1), first_weights(2))
