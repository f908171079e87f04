"""pitnet: a small convolutional network for pits, over the image plane (2-D) or over lights and plane (3-D).

Knows nothing of labels, normalisation or training.
"""

from __future__ import annotations

import torch
from torch import nn

# After two doublings more width costs more than it brings on images of 7 pixels and fewer.
DOUBLINGS = 2


class PitNet(nn.Module):
    """Blocks of convolution, max pooling, batch norm and relu; global max pooling; one dense layer.

    Input `[images, channels, y, x]`, for `dims=3` with the lights as channels; output logits `[images, classes]`.
    Pooling comes before norm and relu, on a quarter of the values. It stops when an edge is under 4 pixels. In 3-D the first
    block takes every second light as a centre and pooling joins lights as well: a fraction of the work of keeping them all.
    """

    def __init__(self, channels: int, classes: int, *, depth: int, width: int, size: int, dims: int = 2) -> None:
        super().__init__()
        norm = nn.BatchNorm2d if dims == 2 else nn.BatchNorm3d
        self.dims = dims
        blocks: list[nn.Module] = []
        features, lights = (channels, 1) if dims == 2 else (1, channels)
        for number in range(depth):
            wide = width * 2 ** min(number, DOUBLINGS)
            conv, lights = convolution(features, wide, lights, dims, first=number == 0, bias=False)
            blocks.append(conv)
            if size >= 4:
                pool, lights = pooling(lights, dims)
                blocks.append(pool)
                size //= 2
            blocks += [norm(wide), nn.ReLU(inplace=True)]
            features = wide
        self.blocks = nn.Sequential(*blocks)
        self.head = nn.Linear(features, classes)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        logits: torch.Tensor = self.head(self.blocks(with_lights(images, self.dims)).flatten(2).amax(2))
        return logits


def convolution(features: int, wide: int, lights: int, dims: int, *, first: bool, bias: bool) -> tuple[nn.Module, int]:
    """Make a 3 x 3 (x 3) convolution, and say how many lights it leaves; the first over lights takes every second one."""
    if dims == 2:
        return nn.Conv2d(features, wide, 3, padding=1, bias=bias), lights
    stride = 2 if first else 1
    return nn.Conv3d(features, wide, 3, stride=(stride, 1, 1), padding=1, bias=bias), -(-lights // stride)


def pooling(lights: int, dims: int) -> tuple[nn.Module, int]:
    """Make a 2 x 2 max pooling, over pairs of lights too while there are any, and say how many lights it leaves."""
    if dims == 2:
        return nn.MaxPool2d(2), lights
    pairs = 2 if lights > 1 else 1
    return nn.MaxPool3d((pairs, 2, 2)), lights // pairs


def with_lights(images: torch.Tensor, dims: int) -> torch.Tensor:
    """Give images their axis of lights, `[images, 1, lights, y, x]`, where the network is 3-D."""
    return images if dims == 2 else images.unsqueeze(1)
