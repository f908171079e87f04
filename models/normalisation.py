"""Bring stored grey values to the scale that networks learn at. Scales by the bit depth, exactly once."""

from __future__ import annotations

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

    def measure(self, images: torch.Tensor) -> None:
        """Take mean and deviation of the training pits' images, where this normalisation uses them."""
        if self.over != "dataset":
            return
        values = images.float() / self.full_scale
        self.mean.copy_(values.mean((0, 2, 3), keepdim=True))
        self.deviation.copy_(self._apart(values.std((0, 2, 3), keepdim=True)))

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        values = images.float() / self.full_scale
        if self.over == "image":
            deviation, mean = torch.std_mean(values, (2, 3), keepdim=True)
            return (values - mean) / self._apart(deviation)
        return (values - self.mean) / self.deviation

    def _apart(self, deviation: torch.Tensor) -> torch.Tensor:
        # An image of one grey value has no deviation; one step of the scale is the least that was measured.
        return deviation.clamp(min=1 / self.full_scale)
