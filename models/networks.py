"""Build a configuration's classifier: normalisation and network in one module, so that weights carry both.

One builder for each name in `spaces.networks.NETWORKS`. Knows nothing of training.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import nn

from models.minihip import MiniHip
from models.normalisation import Normalise
from models.pitnet import PitNet
from spaces.channels import MODES
from spaces.config import Config
from spaces.labelling import SCHEMES
from spaces.networks import Network

Builder = Callable[[Network, int, int, int, int], nn.Module]


def _pitnet(network: Network, channels: int, classes: int, size: int, dims: int) -> nn.Module:
    assert network.depth is not None and network.width is not None  # the space always sets what a network varies
    return PitNet(channels, classes, depth=network.depth, width=network.width, size=size, dims=dims)


def _minihip(network: Network, channels: int, classes: int, size: int, dims: int) -> nn.Module:
    return MiniHip(channels, classes, size=size, dims=dims)


BUILDERS: dict[str, Builder] = {"pitnet": _pitnet, "minihip": _minihip}


class Classifier(nn.Module):
    """Stored grey values `[images, channels, y, x]` in, logits `[images, classes]` out; class 0 is the signal."""

    def __init__(self, normalise: Normalise, network: nn.Module, memory_format: torch.memory_format) -> None:
        super().__init__()
        self.normalise = normalise
        self.network = network
        self.memory_format = memory_format

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        values = self.normalise(images).contiguous(memory_format=self.memory_format)
        logits: torch.Tensor = self.network(values)
        return logits


def build(config: Config, channels: int, size: int, full_scale: int) -> Classifier:
    """Build the classifier of a configuration, freshly initialised from torch's current seed.

    `channels`: the network's input channels; `size`: the crop's edge in pixels; `full_scale`: 255 or 65535.
    """
    dims = MODES[config.channels.mode].dims
    network = BUILDERS[config.network.name](config.network, channels, len(SCHEMES[config.labelling].classes), size, dims)
    # channels_last is about 1.5 times faster for small 2-D networks on CPU; 3-D inputs get their light axis later.
    memory_format = torch.channels_last if dims == 2 else torch.contiguous_format
    if dims == 2:
        network = network.to(memory_format=torch.channels_last)
    return Classifier(Normalise(config.normalisation, channels, full_scale), network, memory_format)
