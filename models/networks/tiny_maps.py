"""Convolve maps of a few pixels faster than the library does: the last blocks of residual networks on small crops.

The same function, weights and names; knows nothing of any network.
"""

from __future__ import annotations

import itertools

import torch
from torch import nn
from torch.nn import functional

# Where it is faster, measured on CPU: outputs of 2 x 2 pixels at most, from 256 channels to 512 or more.
PIXELS, CHANNELS_IN, CHANNELS_OUT = 4, 256, 512


class TinyMapConv2d(nn.Conv2d):
    """A convolution that is one matrix product, or one a pixel, where its output is tiny."""

    def forward(self, input: torch.Tensor) -> torch.Tensor:
        """Convolve `[images, channels, y, x]`."""
        kernel, stride, margin = self.kernel_size[0], self.stride[0], int(self.padding[0])
        size = input.shape[2]
        edge = (size + 2 * margin - kernel) // stride + 1
        if input.is_cuda or edge * edge > PIXELS or torch.compiler.is_exporting():
            return super().forward(input)
        pixels, taps = input.permute(0, 2, 3, 1), self.weight.permute(0, 2, 3, 1)
        if edge == 1:  # only the taps that meet the map are multiplied, not the margin's zeros
            met = slice(margin, margin + size)
            product = functional.linear(pixels.flatten(1), taps[:, met, met].flatten(1), self.bias)
        elif torch.is_grad_enabled():
            product = self._apart(pixels, edge)
        else:  # scores keep the numbers, and the count of products, of the whole kernel
            padded = functional.pad(pixels, (0, 0, margin, margin, margin, margin))
            windows = padded.unfold(1, kernel, stride).unfold(2, kernel, stride).permute(0, 1, 2, 4, 5, 3)
            product = functional.linear(windows.flatten(3).flatten(0, 2), taps.flatten(1), self.bias)
        return product.view(len(input), edge, edge, -1).permute(0, 3, 1, 2)

    def _apart(self, pixels: torch.Tensor, edge: int) -> torch.Tensor:
        """Multiply the taps that meet the map for each pixel apart; gives `[images, pixels, channels]`."""
        margin, stride = int(self.padding[0]), self.stride[0]
        taps = [row.unbind(0) for row in self.weight.permute(2, 3, 0, 1).unbind(0)]
        places = [row.unbind(1) for row in pixels.unbind(1)]
        products = []
        for y, x in itertools.product(range(edge), repeat=2):
            # Of the map, the rows and columns that the kernel covers there.
            rows, columns = (self._covered(number, len(places)) for number in (y, x))
            covered = list(itertools.product(rows, columns))
            met = [taps[row - stride * y + margin][column - stride * x + margin] for row, column in covered]
            seen = torch.cat([places[row][column] for row, column in covered], 1)
            products.append(functional.linear(seen, torch.cat(met, 1), self.bias))
        return torch.stack(products, 1)

    def _covered(self, number: int, size: int) -> range:
        first = number * self.stride[0] - int(self.padding[0])
        return range(max(first, 0), min(first + self.kernel_size[0], size))


def quicken(network: nn.Module) -> nn.Module:
    """Put TinyMapConv2d in place of the convolutions that may gain by it; the weights stay the same tensors."""
    for parent in list(network.modules()):
        for name, child in list(parent.named_children()):
            if type(child) is nn.Conv2d and _may_gain(child):
                setattr(parent, name, _quick(child))
    return network


def _may_gain(conv: nn.Conv2d) -> bool:
    wide = conv.in_channels >= CHANNELS_IN and conv.out_channels >= CHANNELS_OUT
    square = len({*conv.kernel_size}) == len({*conv.stride}) == 1 and conv.padding == (1, 1)
    return wide and square and conv.kernel_size == (3, 3) and conv.groups == 1 and conv.dilation == (1, 1)


def _quick(conv: nn.Conv2d) -> TinyMapConv2d:
    with torch.device("meta"):
        replacement = TinyMapConv2d(conv.in_channels, conv.out_channels, 3, conv.stride[0], 1, bias=conv.bias is not None)
    replacement.weight, replacement.bias = conv.weight, conv.bias
    return replacement
