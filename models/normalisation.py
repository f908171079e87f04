"""Bring stored grey values to the scale that networks learn at. Scales by the bit depth, exactly once."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import nn

from spaces.normalisation import NORMALISATIONS


class Normalise(nn.Module):
    """Stored values `[images, channels, y, x]` (whole numbers up to `full_scale`) in, float32 of the same shape out.

    Mean and deviation over the training pits are buffers: they are saved with the weights and differ between folds.
    """

    mean: torch.Tensor
    deviation: torch.Tensor

    def __init__(self, name: str, channels: int, full_scale: int) -> None:
        super().__init__()
        self.over = NORMALISATIONS[name].over
        self.full_scale = full_scale
        self.register_buffer("mean", torch.zeros(1, channels, 1, 1))
        self.register_buffer("deviation", torch.ones(1, channels, 1, 1))

    def measure(self, parts: Iterable[torch.Tensor]) -> None:
        """Take mean and deviation of the training pits' images, given part by part, where this normalisation uses them."""
        if self.over != "dataset":
            return
        count, total, squares = 0, torch.zeros(()), torch.zeros(())
        for part in parts:
            values = part.double()
            count += values[:, 0].numel()
            total = total + values.sum((0, 2, 3))
            squares = squares + values.square().sum((0, 2, 3))
        mean = total / count
        deviation = ((squares - count * mean.square()) / (count - 1)).clamp(min=0).sqrt()
        self.mean.copy_((mean / self.full_scale).view_as(self.mean))
        self.deviation.copy_(self._apart((deviation / self.full_scale).view_as(self.deviation)))

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        values = images.float()
        if self.over == "image":
            values = values / self.full_scale
            deviation, mean = torch.std_mean(values, (2, 3), keepdim=True)
            return (values - mean) / self._apart(deviation)
        # (values / full scale - mean) / deviation in one pass.
        return torch.addcmul(-self.mean / self.deviation, values, 1 / (self.full_scale * self.deviation))

    def _apart(self, deviation: torch.Tensor) -> torch.Tensor:
        # An image of one grey value has no deviation; one step of the scale is the least that was measured.
        return deviation.clamp(min=1 / self.full_scale)
