"""Build a configuration's classifier: features, normalisation and network in one module, so that weights carry all.

One builder for each name in `spaces.networks.NETWORKS`, and one for all of timm's. Knows nothing of training.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import torch
from torch import nn

from models.features import Features
from models.minihip import MiniHip
from models.normalisation import Normalise
from models.pitnet import PitNet
from models.ringnet import RingNet
from models.setnet import SetNet
from models.timm_networks import timm_network
from spaces.channels import MODES, Light
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

    def __init__(
        self, features: Features | None, normalise: Normalise, network: nn.Module, memory_format: torch.memory_format
    ) -> None:
        super().__init__()
        self.features = features
        self.normalise = normalise
        self.network = network
        self.memory_format = memory_format

    def measure(self, parts: Iterable[torch.Tensor]) -> None:
        """Measure what the normalisation removes on the training pits' images, given part by part."""
        self.normalise.measure(parts if self.features is None else map(self.features, parts))

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        shown = images if self.features is None else self.features(images)
        values = self.normalise(shown).contiguous(memory_format=self.memory_format)
        logits: torch.Tensor = self.network(values)
        return logits


def build(
    config: Config, channels: int, size: int, full_scale: int, *, lights: Sequence[Light] = (), pretrained: bool = True
) -> Classifier:
    """Build the classifier of a configuration, freshly initialised from torch's current seed.

    `channels`: of an image that it is given; `size`: the crop's edge in pixels; `full_scale`: 255 or 65535; `lights`: the data
    set's, which features are computed from; `pretrained`: False where weights follow, so that those which the configuration
    started from are not read again. Raises SpaceError where the lights do not carry the features, timm does not know the
    network, or its weights are not to be had.
    """
    features = None if config.channels.features == "none" else Features(config.channels, lights)
    channels = channels if features is None else features.count
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
    return Classifier(features, Normalise(config.normalisation, channels, full_scale, size), network, inputs)
