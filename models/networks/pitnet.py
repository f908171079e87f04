"""Build pitnet, a small convolutional network for pits, over the image plane (2-D) or over lights and plane (3-D).

Knows nothing of labels, normalisation or training.
"""

from __future__ import annotations

import torch
from torch import nn

from models.networks.blocks import blocks, dropout, pooled, with_lights
from spaces.choices.networks import Network


class PitNet(nn.Module):
    """Blocks of convolution, max pooling, batch norm and relu, by default; global pooling; one dense layer.

    Input `[images, channels, y, x]`, for `dims=3` with the lights as channels; output logits `[images, classes]`. Pooling stops
    when an edge is under 4 pixels. In 3-D the first block takes every second light as a centre and pooling joins lights as
    well: a fraction of the work of keeping them all.
    """

    def __init__(self, network: Network, channels: int, classes: int, *, size: int, dims: int = 2) -> None:
        super().__init__()
        self.dims = dims
        self.over_plane = network.head
        self.blocks, features = blocks(network, channels, size, dims)
        self.head = nn.Linear(features, classes)
        self.dropout = dropout(network.dropout)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        values = pooled(self.blocks(with_lights(images, self.dims)).flatten(2), self.over_plane, 2)
        logits: torch.Tensor = self.head(self.dropout(values))
        return logits
