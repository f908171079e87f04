"""Convolve over few lights faster than the library does, which multiplies a margin's zeros when it computes gradients.

Where one light or two are left, they become features of a 2-D convolution, side by side. Of images with a single feature, as in
a first block, each three neighbouring lights do. The same function, weights and names. Where no gradient is wanted the library
is as fast, and scores keep its numbers. Knows nothing of any network.
"""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional

# The kernel's reach over lights and its margin on either side; so many lights, and as many out, combine without zeros.
REACH, MARGIN, FEW = 3, 1, 2


class FewLightsConv3d(nn.Conv3d):
    """A convolution over three lights and the plane, `[images, features, lights, y, x]`, quick to train on CPU."""

    def forward(self, input: torch.Tensor) -> torch.Tensor:
        """Convolve."""
        lights, stride = input.shape[2], self.stride[0]
        leaves = (lights + 2 * MARGIN - REACH) // stride + 1
        dense = leaves == lights <= FEW
        if input.is_cuda or not torch.is_grad_enabled() or not (dense or input.shape[1] == 1):
            return super().forward(input)
        taps = self.weight.permute(2, 0, 3, 4, 1)  # `[reach, wide, y, x, features]`, features together in memory
        pixels = input.permute(0, 2, 3, 4, 1)
        if not dense:
            padded = functional.pad(pixels, (0, 0, 0, 0, 0, 0, MARGIN, MARGIN))
            seen = [padded[:, tap : tap + stride * (leaves - 1) + 1 : stride] for tap in range(REACH)]
            values = self._flat(torch.cat(seen, 4).flatten(0, 1), torch.cat(list(taps), 3), self.bias)
            lit: torch.Tensor = values.unflatten(0, (-1, leaves))
            return lit.permute(0, 4, 1, 2, 3)
        # The kernel's tap of each light that enters, for each that leaves.
        kernels = [torch.cat([taps[light - stride * left + MARGIN] for light in range(lights)], 3) for left in range(leaves)]
        bias = self.bias if self.bias is None else self.bias.repeat(leaves)
        values = self._flat(pixels.permute(0, 2, 3, 1, 4).flatten(3), torch.cat(kernels), bias)
        apart: torch.Tensor = values.unflatten(3, (leaves, -1))
        return apart.permute(0, 3, 1, 2, 4).contiguous().permute(0, 4, 1, 2, 3)

    def _flat(self, pixels: torch.Tensor, kernel: torch.Tensor, bias: torch.Tensor | None) -> torch.Tensor:
        """Convolve `[images, y, x, features]` with a kernel `[wide, y, x, features]`; gives `[images, y, x, wide]`."""
        values = functional.conv2d(
            pixels.permute(0, 3, 1, 2), kernel.permute(0, 3, 1, 2), bias, self.stride[1:], self.padding[1:]
        )
        return values.permute(0, 2, 3, 1)
