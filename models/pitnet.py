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
    Pooling comes before norm and relu, on a quarter of the values. It stops when an edge is under 4 pixels.
    """

    def __init__(self, channels: int, classes: int, *, depth: int, width: int, size: int, dims: int = 2) -> None:
        super().__init__()
        conv, norm, pool = (nn.Conv2d, nn.BatchNorm2d, nn.MaxPool2d) if dims == 2 else (nn.Conv3d, nn.BatchNorm3d, nn.MaxPool3d)
        self.dims = dims
        blocks: list[nn.Module] = []
        features = channels if dims == 2 else 1
        for number in range(depth):
            wide = width * 2 ** min(number, DOUBLINGS)
            blocks.append(conv(features, wide, 3, padding=1, bias=False))
            if size >= 4:
                blocks.append(pool(2 if dims == 2 else (1, 2, 2)))
                size //= 2
            blocks += [norm(wide), nn.ReLU(inplace=True)]
            features = wide
        self.blocks = nn.Sequential(*blocks)
        self.head = nn.Linear(features, classes)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        values = self.blocks(images if self.dims == 2 else images.unsqueeze(1))
        logits: torch.Tensor = self.head(values.flatten(2).amax(2))
        return logits
