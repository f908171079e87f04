"""Bring stored grey values to the scale that networks learn at. Scales by the bit depth, exactly once."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import nn

from spaces.choices.normalisation import NORMALISATIONS


class Normalise(nn.Module):
    """Values `[images, channels, y, x]` as stored, up to `full_scale`, or features of them, in; float32 of the same shape out.

    Mean and deviation over the training pits are buffers: they are saved with the weights and differ between folds. The mean is
    an image, `[1, channels, size, size]`, where the average image is removed. Turned images lose the same one: it shows what
    the microscope adds everywhere, vignetting and uneven light, which does not turn with a pit.
    """

    mean: torch.Tensor
    deviation: torch.Tensor

    def __init__(self, name: str, channels: int, full_scale: int, size: int) -> None:
        super().__init__()
        self.over = NORMALISATIONS[name].over
        self.full_scale = full_scale
        edge = size if self.over == "pixel" else 1
        self.register_buffer("mean", torch.zeros(1, channels, edge, edge))
        self.register_buffer("deviation", torch.ones(1, channels, 1, 1))

    def measure(self, parts: Iterable[torch.Tensor]) -> None:
        """Take mean and deviation of the training pits' images, given part by part, where this normalisation uses them."""
        if self.over not in ("dataset", "pixel"):
            return
        over = (0, 2, 3) if self.over == "dataset" else (0,)
        count, total, squares = 0, torch.zeros(()), torch.zeros(())
        for part in parts:
            values = part.double()
            count += values[:, 0].numel() if self.over == "dataset" else len(values)
            total = total + values.sum(over)
            squares = squares + values.square().sum(over)
        mean = total / count
        spread = squares - count * mean.square()
        if self.over == "pixel":
            spread, count = spread.sum((1, 2)), count * spread[0].numel()
        deviation = (spread / (count - 1)).clamp(min=0).sqrt()
        self.mean.copy_((mean / self.full_scale).view_as(self.mean))
        self.deviation.copy_(self._apart((deviation / self.full_scale).view_as(self.deviation)))

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        values = images.float()
        if self.over == "image":
            values = values / self.full_scale
            deviation, mean = torch.std_mean(values, (2, 3), keepdim=True)
            return (values - mean) / self._apart(deviation)
        # (values / full scale - mean) / deviation in one pass, with whole images of both: one number a channel, repeated on the
        # way, takes twice as long where channels lie together.
        offset = torch.zeros_like(values[:1]) - self.mean / self.deviation
        scale = torch.ones_like(offset) / (self.full_scale * self.deviation)
        return torch.addcmul(offset, values, scale)

    def _apart(self, deviation: torch.Tensor) -> torch.Tensor:
        # An image of one grey value has no deviation; one step of the scale is the least that was measured.
        return deviation.clamp(min=1 / self.full_scale)
