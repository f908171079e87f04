"""Build minihip, the network that MoEDAL uses today and the reference of comparisons.

4 x (3 x 3 convolution of 32 filters, tanh, 2 x 2 max pooling), global max pooling, dense 22 with relu, dense output. Weights
start as in Keras (Glorot uniform, biases 0), where it was written. Knows nothing of labels, normalisation or training.
"""

from __future__ import annotations

import torch
from torch import nn

from models.networks.blocks import convolution, pooling, with_lights

FILTERS, BLOCKS, DENSE = 32, 4, 22


class MiniHip(nn.Module):
    """Input `[images, channels, y, x]`, for `dims=3` with the lights as channels; output logits `[images, classes]`.

    tanh rises, so it commutes with max pooling and is taken after it, on a quarter of the values: the same function.
    """

    def __init__(self, channels: int, classes: int, *, size: int, dims: int = 2) -> None:
        super().__init__()
        self.dims = dims
        blocks: list[nn.Module] = []
        features, lights = (channels, 1) if dims == 2 else (1, channels)
        for number in range(BLOCKS):
            conv, lights = convolution(features, FILTERS, lights, dims, first=number == 0, bias=True)
            blocks.append(conv)
            if size >= 2:
                pool, lights = pooling(lights, dims)
                blocks.append(pool)
                size //= 2
            blocks.append(nn.Tanh())
            features = FILTERS
        self.blocks = nn.Sequential(*blocks)
        self.dense = nn.Linear(FILTERS, DENSE)
        self.head = nn.Linear(DENSE, classes)
        for module in self.modules():
            if isinstance(module, nn.Conv2d | nn.Conv3d | nn.Linear):
                nn.init.xavier_uniform_(module.weight)
                assert module.bias is not None
                nn.init.zeros_(module.bias)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        values = self.blocks(with_lights(images, self.dims)).flatten(2).amax(2)
        logits: torch.Tensor = self.head(torch.relu(self.dense(values)))
        return logits
