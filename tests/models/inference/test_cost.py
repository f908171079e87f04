"""The cost of inference is what convolutions, dense layers and attention multiply for one pit, counted by hand here."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from foils.description import Channel
from models.inference.cost import inference_cost
from models.inputs import lay_out
from models.networks.build import build
from models.networks.tiny_maps import TinyMapConv2d
from spaces.choices.channels import MODES, Channels
from spaces.choices.labelling import Labelling
from spaces.choices.networks import NETWORKS, TIMM, Network, fits
from spaces.config import Config
from spaces.errors import SpaceError
from tests.support.configs import FORMS, NAMED, channels_of
from tests.support.tiny import SIZE
from tests.support.toys import LIGHTS, crops

EIGHT = tuple(Channel(str(number), "rotating", 45.0 * number) for number in range(8))


def by_layers(config: Config) -> int:
    """Count a pit's multiply-adds from the shapes that its layers see: outputs, times what each is a sum of."""
    inputs = lay_out(crops(1), config.channels, LIGHTS)
    classifier = build(config, inputs.channels, inputs.size, inputs.full_scale, lights=LIGHTS).eval()
    counts: list[int] = []

    def count(layer: nn.Module, given: tuple[torch.Tensor, ...], output: torch.Tensor) -> None:
        assert isinstance(layer, nn.Conv2d | nn.Conv3d | nn.Linear)
        terms = layer.weight[0].numel()
        if isinstance(layer, TinyMapConv2d) and output.shape[-1] == 1:  # all that meets the map
            terms = layer.in_channels * given[0].shape[-1] ** 2
        counts.append(output.numel() * terms)

    for layer in classifier.modules():
        if isinstance(layer, nn.Conv2d | nn.Conv3d | nn.Linear):
            layer.register_forward_hook(count)
    classifier(inputs.pick(inputs.of_pits(torch.arange(1))))
    return sum(counts)


@pytest.mark.parametrize(("network", "mode"), FORMS)
def test_every_network_in_every_mode_costs_what_its_layers_multiply(network: str, mode: str) -> None:
    config = Config(channels=channels_of(mode), network=NAMED[network])
    assert inference_cost(config, LIGHTS, SIZE) == by_layers(config) > 0


@pytest.mark.parametrize("name", [name for name in NETWORKS if name.startswith(TIMM) and "vit" not in name])
def test_listed_networks_of_timm_cost_what_their_layers_multiply(name: str) -> None:
    config = Config(network=Network(name))
    assert inference_cost(config, LIGHTS, SIZE) == by_layers(config) > 0


def test_the_network_in_use_costs_what_was_counted_by_hand() -> None:
    # 28, 14, 7 and 3 pixels; 32 filters of 3 x 3 over 8 lights, then over 32 features; dense 22, dense 2.
    convolutions = 28**2 * 8 * 9 * 32 + (14**2 + 7**2 + 3**2) * 32 * 9 * 32
    assert inference_cost(Config(network=Network("minihip")), EIGHT, 28) == convolutions + 32 * 22 + 22 * 2


def test_attention_counts_though_torch_does_not_know_the_kernel_of_a_cpu() -> None:
    # 32 pixels are four tokens of 16 x 16, and one for the class; twelve blocks of 192 features, four times as wide inside.
    tokens, wide = 5, 192
    block = tokens * (3 * wide**2 + wide**2 + 2 * 4 * wide**2) + 2 * tokens**2 * wide
    patches = 4 * 8 * 16**2 * wide
    config = Config(network=Network("timm:vit_tiny_patch16_224"))
    assert inference_cost(config, EIGHT, 28) == patches + 12 * block + wide * 2


def test_a_residual_network_on_tiny_maps_costs_less_than_its_margins_would() -> None:
    config = Config(network=Network("timm:resnet18"))
    classifier = build(config, 8, 28, 255)
    deep = [layer for layer in classifier.modules() if isinstance(layer, TinyMapConv2d)]
    # The last stage sees one pixel: of nine taps one is multiplied, of its first convolution, over two pixels, four.
    assert [(layer.in_channels, layer.stride[0]) for layer in deep] == [(256, 2), (512, 1), (512, 1), (512, 1)]
    here = 4 * 256 * 512 + 3 * 512 * 512
    rest = 14**2 * 8 * 49 * 64 + 4 * 7**2 * 64 * 9 * 64
    rest += 4**2 * (64 * 9 * 128 + 3 * 128 * 9 * 128 + 64 * 128) + 2**2 * (128 * 9 * 256 + 3 * 256 * 9 * 256 + 128 * 256)
    assert inference_cost(config, EIGHT, 28) == rest + here + 256 * 512 + 512 * 2


def test_a_pit_shown_light_by_light_costs_as_often_as_it_has_lights() -> None:
    one = inference_cost(Config(channels=Channels("single", "1")), EIGHT, 28)
    assert inference_cost(Config(channels=Channels("examples")), EIGHT, 28) == 8 * one
    assert inference_cost(Config(channels=Channels("examples", lights="every second")), EIGHT, 28) == 4 * one


def test_features_and_classes_are_part_of_the_cost() -> None:
    plain = inference_cost(Config(), EIGHT, 28)
    # Each of eight values of a pixel is a sum over eight lights.
    assert inference_cost(Config(channels=Channels(features="minus mean")), EIGHT, 28) == plain + 28**2 * 8 * 8
    assert inference_cost(Config(labelling=Labelling("four-way")), EIGHT, 28) == plain + 2 * 64


def test_counting_draws_nothing_and_says_the_same_twice() -> None:
    state = torch.random.get_rng_state()
    config = Config(network=Network("pitnet", depth=2, width=4, dropout=0.5))
    assert inference_cost(config, LIGHTS, SIZE) == inference_cost(config, LIGHTS, SIZE)
    assert torch.equal(torch.random.get_rng_state(), state)


def test_lights_that_are_not_there_are_refused() -> None:
    with pytest.raises(SpaceError, match=r"`channels\.light` must be a channel of the data set"):
        inference_cost(Config(channels=Channels("single", "47")), LIGHTS, SIZE)


def test_every_mode_and_network_is_covered() -> None:
    assert {(name, mode) for name in NAMED for mode in MODES if fits(name, mode)} == set(FORMS)
