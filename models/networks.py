"""Build a configuration's classifier: normalisation and network in one module, so that weights carry both.

One builder for each name in `spaces.networks.NETWORKS`, and one for all of timm's. Knows nothing of training.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import nn

from models.minihip import MiniHip
from models.normalisation import Normalise
from models.pitnet import PitNet
from models.ringnet import RingNet
from models.setnet import SetNet
from models.timm_networks import timm_network
from spaces.channels import MODES
from spaces.config import Config
from spaces.networks import Network

Builder = Callable[[Network, int, int, int, int], nn.Module]


def _pitnet(network: Network, channels: int, classes: int, size: int, dims: int) -> nn.Module:
    return PitNet(network, channels, classes, size=size, dims=dims)


def _minihip(network: Network, channels: int, classes: int, size: int, dims: int) -> nn.Module:
    return MiniHip(channels, classes, size=size, dims=dims)


def _setnet(network: Network, channels: int, classes: int, size: int, dims: int) -> nn.Module:
    return SetNet(network, classes, size=size)


def _ringnet(network: Network, channels: int, classes: int, size: int, dims: int) -> nn.Module:
    return RingNet(network, channels, classes, size=size)


# Networks of timm have one builder for all.
BUILDERS: dict[str, Builder] = {"pitnet": _pitnet, "minihip": _minihip, "setnet": _setnet, "ringnet": _ringnet}


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


def build(config: Config, channels: int, size: int, full_scale: int, *, pretrained: bool = True) -> Classifier:
    """Build the classifier of a configuration, freshly initialised from torch's current seed.

    `channels`: the network's input channels; `size`: the crop's edge in pixels; `full_scale`: 255 or 65535; `pretrained`: False
    where weights follow, so that those which the configuration started from are not read again. Raises SpaceError where timm
    does not know the network or its weights are not to be had.
    """
    dims = MODES[config.channels.mode].dims
    classes = len(config.labelling.classes)
    builder = BUILDERS.get(config.network.name)
    if builder is None:
        network = timm_network(config.network, channels, classes, size, pretrained=pretrained)
    else:
        network = builder(config.network, channels, classes, size, dims)
    # Channels together in memory: about 1.5 times faster for small networks on CPU, flat or with lights as an axis.
    solid = any(isinstance(module, nn.Conv3d) for module in network.modules())
    network = network.to(memory_format=torch.channels_last_3d if solid else torch.channels_last)
    # 3-D inputs get their axis of lights in the network.
    inputs = torch.channels_last if dims == 2 else torch.contiguous_format
    return Classifier(Normalise(config.normalisation, channels, full_scale), network, inputs)
