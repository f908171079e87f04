"""Build ringnet, a 3-D convolution that wraps around the azimuth, so that a turn of foil and lights changes no logit.

The lights of a pit are a ring. A convolution over a ring commutes with its rotation, and pooling over all lights at the end
drops their order (Cohen & Welling 2016, arXiv:1602.07576): rolling the lights leaves the logits as they are. An ordinary
kernel over the plane does not commute with a turn of the image. Knows nothing of labels or training.
"""

from __future__ import annotations

import torch
from torch import nn

from models.networks.blocks import DOUBLINGS, LEAST, dropout, in_order, pooled, pooling, start
from spaces.choices.networks import Network

REACH = 3  # a light and its two neighbours


class RingNet(nn.Module):
    """Input `[images, lights, y, x]`, equally spaced lights in the order of their azimuths; output logits `[images, classes]`.

    Lights are never thinned out or joined before the end, which would leave only some rotations a symmetry. To pay for that the
    plane is halved twice in the first block, on crops of 16 pixels and more.
    """

    def __init__(self, network: Network, lights: int, classes: int, *, size: int) -> None:
        super().__init__()
        assert network.depth is not None and network.width is not None  # Network has checked it
        self.over_plane, self.over_lights, self.lights = network.head, network.lights, lights
        layers: list[nn.Module] = []
        features, kernel = 1, network.kernel
        for number in range(network.depth):
            wide = network.width * 2 ** min(number, DOUBLINGS)
            skip = 2 if (number == 0 and size >= 4 * LEAST) or (network.pooling == "stride" and size >= LEAST) else 1
            bias = network.norm == "none"
            conv = nn.Conv2d(REACH * features, wide, kernel, stride=skip, padding=kernel // 2, bias=bias)
            size = -(-size // skip)
            pool: list[nn.Module] = []
            if network.pooling != "stride" and size >= LEAST:
                pool = [pooling(1, 2, average=network.pooling == "average")[0]]
                size //= 2
            layers += [Neighbours(lights), *in_order(network, conv, pool, wide)]
            features = wide
        self.blocks = start(nn.Sequential(*layers), network)
        self.head = nn.Linear(features, classes)
        self.dropout = dropout(network.dropout)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        apart = images.reshape(-1, 1, *images.shape[2:])
        features = pooled(self.blocks(apart).flatten(2), self.over_plane, 2)
        values = pooled(features.view(-1, self.lights, features.shape[1]), self.over_lights, 1)
        logits: torch.Tensor = self.head(self.dropout(values))
        return logits


class Neighbours(nn.Module):
    """Put each light's features beside those of the lights before and after it, around the ring.

    Input `[images * lights, features, y, x]`, output with three times the features. A 2-D convolution of that is the 3-D one
    that wraps around, and faster on CPU.
    """

    def __init__(self, lights: int) -> None:
        super().__init__()
        self.lights = lights

    def forward(self, values: torch.Tensor) -> torch.Tensor:
        ring = values.unflatten(0, (-1, self.lights))
        return torch.cat([ring.roll(1, 1), ring, ring.roll(-1, 1)], 2).flatten(0, 1)
