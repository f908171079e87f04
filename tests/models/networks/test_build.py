"""Every network, in every channel mode and scheme: shapes, gradients, tables that agree."""

from __future__ import annotations

import itertools

import pytest
import torch
from torch import nn

from models.networks.build import BUILDERS, build
from spaces.choices.channels import Channels
from spaces.choices.networks import NETWORKS, Network
from spaces.config import Config
from spaces.errors import SpaceError
from tests.support.configs import NAMED, OURS


def test_every_network_of_the_space_has_a_builder() -> None:
    assert set(BUILDERS) == set(OURS) == set(NAMED)


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


def test_pitnet_by_default_is_the_network_that_it_always_was() -> None:
    torch.manual_seed(4)
    classifier = build(Config(network=Network("pitnet", depth=4, width=4), normalisation="raw"), 6, 28, 255)
    torch.manual_seed(4)
    layers: list[nn.Module] = []
    for number, (features, wide) in enumerate(((6, 4), (4, 8), (8, 16), (16, 16))):
        layers.append(nn.Conv2d(features, wide, 3, padding=1, bias=False))
        layers += [nn.MaxPool2d(2)] if number < 3 else []  # of 28, 14 and 7 pixels; 3 are not halved
        layers += [nn.BatchNorm2d(wide), nn.ReLU()]
    head = nn.Linear(16, 2)
    plain = nn.Sequential(*layers, nn.AdaptiveMaxPool2d(1), nn.Flatten(), head)
    ours = [weight for name, weight in classifier.state_dict().items() if name.startswith("network.")]
    assert all(map(torch.equal, ours, plain.state_dict().values()))
    modules = [module for module in classifier.network.modules() if not list(module.children())]
    for module, layer in zip(modules, [*layers, head, nn.Identity()], strict=True):
        assert isinstance(module, type(layer))
    images = torch.randint(0, 256, (4, 6, 28, 28), dtype=torch.uint8)
    torch.testing.assert_close(classifier(images), plain(images.float() / 255))


def test_the_same_seed_builds_the_same_weights() -> None:
    def first_weights(seed: int) -> torch.Tensor:
        torch.manual_seed(seed)
        return next(build(Config(), 6, 12, 255).parameters())

    assert torch.equal(first_weights(1), first_weights(1))
    assert not torch.equal(first_weights(1), first_weights(2))


@pytest.mark.parametrize("lights", range(3, 10))
@pytest.mark.parametrize("network", [name for name in OURS if NETWORKS[name].volume])
def test_three_dimensional_networks_take_any_number_of_lights(network: str, lights: int) -> None:
    config = Config(channels=Channels("volume"), network=NAMED[network])
    assert build(config, lights, 28, 255)(torch.zeros(2, lights, 28, 28, dtype=torch.uint8)).shape == (2, 2)


def test_a_network_without_a_third_dimension_is_refused_for_volumes() -> None:
    with pytest.raises(SpaceError, match=r"`network.name = timm:resnet10t` is 2-D .* but got 'volume'"):
        Config(channels=Channels("volume"), network=Network("timm:resnet10t"))
