"""Build a configuration's classifier: normalisation and network in one module, so that weights carry both.

One builder for each name in `spaces.networks.NETWORKS`. Knows nothing of training.
"""

from __future__ import annotations

from collections.abc import Callable

import timm
import torch
from torch import nn

from models.minihip import MiniHip
from models.normalisation import Normalise
from models.pitnet import PitNet
from models.tiny_maps import quicken
from spaces.channels import MODES
from spaces.config import Config
from spaces.networks import Network

Builder = Callable[[Network, int, int, int, int], nn.Module]


def _pitnet(network: Network, channels: int, classes: int, size: int, dims: int) -> nn.Module:
    assert network.depth is not None and network.width is not None  # the space always sets what a network varies
    return PitNet(channels, classes, depth=network.depth, width=network.width, size=size, dims=dims)


def _minihip(network: Network, channels: int, classes: int, size: int, dims: int) -> nn.Module:
    return MiniHip(channels, classes, size=size, dims=dims)


def _timm(network: Network, channels: int, classes: int, size: int, dims: int) -> nn.Module:
    made: nn.Module = timm.create_model(network.name, in_chans=channels, num_classes=classes)
    return quicken(made)


BUILDERS: dict[str, Builder] = {"pitnet": _pitnet, "minihip": _minihip, "resnet10t": _timm}


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
    network = BUILDERS[config.network.name](config.network, channels, len(config.labelling.classes), size, dims)
    # Channels together in memory: about 1.5 times faster for small networks on CPU, flat or with lights as an axis.
    network = network.to(memory_format=torch.channels_last if dims == 2 else torch.channels_last_3d)
    # 3-D inputs get their axis of lights in the network.
    inputs = torch.channels_last if dims == 2 else torch.contiguous_format
    return Classifier(Normalise(config.normalisation, channels, full_scale), network, inputs)
