"""Build the blocks of pitnet and its relatives: convolutions, norms, pooling, dropout, over the plane or over lights and plane.

Knows nothing of labels, normalisation or training.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import nn

from models.networks.few_lights import FewLightsConv3d
from spaces.choices.networks import RISING, Network

# After two doublings more width costs more than it gains on images of 7 pixels and fewer.
DOUBLINGS = 2
# An edge under so many pixels is not halved any more.
LEAST = 4
GROUPS = 4


def convolution(
    features: int, wide: int, lights: int, dims: int, *, first: bool, bias: bool, kernel: int = 3, halve: bool = False
) -> tuple[nn.Module, int]:
    """Make a convolution of kernel x kernel (x 3 lights), and say how many lights it leaves.

    The first over lights takes every second one; `halve`: every second pixel too, and later ones pairs of lights, as pooling.
    """
    plane, margin = 2 if halve else 1, kernel // 2
    if dims == 2:
        return nn.Conv2d(features, wide, kernel, stride=plane, padding=margin, bias=bias), lights
    stride = 2 if first or (halve and lights > 1) else 1
    size, padding = (3, kernel, kernel), (1, margin, margin)
    conv = FewLightsConv3d(features, wide, size, stride=(stride, plane, plane), padding=padding, bias=bias)
    return conv, -(-lights // stride)


def pooling(lights: int, dims: int, *, average: bool = False) -> tuple[nn.Module, int]:
    """Make a 2 x 2 pooling, over pairs of lights too while there are any, and say how many lights it leaves."""
    if dims == 2:
        return (nn.AvgPool2d(2) if average else MaxPool2d(2)), lights
    pairs = 2 if lights > 1 else 1
    window = (pairs, 2, 2)
    return (nn.AvgPool3d(window) if average else MaxPool3d(window)), lights // pairs


class MaxPool2d(nn.MaxPool2d):
    """A 2 x 2 max pooling; the library's also notes where each maximum was, which takes longer and only gradients need."""

    def forward(self, input: torch.Tensor) -> torch.Tensor:
        """Pool `[images, features, y, x]`."""
        return super().forward(input) if torch.is_grad_enabled() else greater_of_pairs(input, (3, 2))


class MaxPool3d(nn.MaxPool3d):
    """The same over the plane, and over pairs of lights too."""

    def forward(self, input: torch.Tensor) -> torch.Tensor:
        """Pool `[images, features, lights, y, x]`."""
        if not torch.is_grad_enabled():
            return greater_of_pairs(input, (4, 3) if self.kernel_size == (1, 2, 2) else (4, 3, 2))
        values: torch.Tensor = super().forward(input)
        return values


def greater_of_pairs(values: torch.Tensor, axes: Sequence[int]) -> torch.Tensor:
    """Halve axes, each pair of neighbours to the greater; the last of an odd number is left out."""
    for axis in axes:
        size = values.shape[axis] // 2 * 2
        first, second = values.narrow(axis, 0, size).unflatten(axis, (-1, 2)).unbind(axis + 1)
        values = torch.maximum(first, second)
    return values


def norm_of(name: str, wide: int, dims: int) -> list[nn.Module]:
    """Make a norm over features, in a list that is empty for none.

    Groups hold two features at least: a single one, on a map of one pixel, would become constant.
    """
    if name == "none":
        return []
    if name == "group":
        return [nn.GroupNorm(math.gcd(GROUPS, max(1, wide // 2)) if wide % 2 == 0 else 1, wide)]
    return [nn.BatchNorm2d(wide) if dims == 2 else nn.BatchNorm3d(wide)]


def activation_of(name: str) -> nn.Module:
    """Make an activation."""
    if name == "relu":
        return nn.ReLU(inplace=True)
    activation: nn.Module = {"tanh": nn.Tanh, "gelu": nn.GELU, "silu": nn.SiLU}[name]()
    return activation


def blocks(network: Network, channels: int, size: int, dims: int = 2) -> tuple[nn.Sequential, int]:
    """Make a network's blocks and say how many features they give; `channels`: lights where `dims` is 3.

    Max pooling comes before the norm and an activation that never falls, on a quarter of the values; else pooling is last.
    """
    assert network.depth is not None and network.width is not None  # Network has checked it
    layers: list[nn.Module] = []
    features, lights = (channels, 1) if dims == 2 else (1, channels)
    for number in range(network.depth):
        wide = network.width * 2 ** min(number, DOUBLINGS)
        halved = size >= LEAST
        stride = halved and network.pooling == "stride"
        bias = network.norm == "none"
        conv, lights = convolution(
            features, wide, lights, dims, first=number == 0, bias=bias, kernel=network.kernel, halve=stride
        )
        pool: list[nn.Module] = []
        if halved and not stride:
            layer, lights = pooling(lights, dims, average=network.pooling == "average")
            pool = [layer]
        layers += in_order(network, conv, pool, wide, dims)
        size = -(-size // 2) if stride else size // 2 if halved else size
        features = wide
    return start(nn.Sequential(*layers), network), features


def in_order(network: Network, conv: nn.Module, pool: list[nn.Module], wide: int, dims: int = 2) -> list[nn.Module]:
    """Put the parts of a block in order: pooling first where that gives the same function for a quarter of the work."""
    rest = [*norm_of(network.norm, wide, dims), activation_of(network.activation)]
    early = network.pooling == "max" and network.activation in RISING
    return [conv, *pool, *rest] if early else [conv, *rest, *pool]


def start(layers: nn.Sequential, network: Network) -> nn.Sequential:
    """Let convolutions without a norm behind them start so that values neither fade nor grow with depth (arXiv:1502.01852)."""
    if network.norm == "none":
        for layer in layers:
            if isinstance(layer, nn.Conv2d | nn.Conv3d):
                nn.init.kaiming_normal_(layer.weight, nonlinearity="tanh" if network.activation == "tanh" else "relu")
                assert layer.bias is not None
                nn.init.zeros_(layer.bias)
    return layers


def pooled(values: torch.Tensor, how: str, dim: int) -> torch.Tensor:
    """Pool an axis away: `max` or `average`."""
    return values.amax(dim) if how == "max" else values.mean(dim)


def with_lights(images: torch.Tensor, dims: int) -> torch.Tensor:
    """Give images their axis of lights, `[images, 1, lights, y, x]`, where the network is 3-D."""
    return images if dims == 2 else images.unsqueeze(1)


def dropout(share: float) -> nn.Module:
    """Make a dropout, where there is any."""
    return Dropout(share) if share > 0 else nn.Identity()


def generators(network: nn.Module) -> list[torch.Generator]:
    """Give what a network in training draws random numbers from, in the order of its parts."""
    return [module.generator for module in network.modules() if isinstance(module, Dropout)]


class Dropout(nn.Module):
    """Set a share of the features to 0 while training, and raise the others as much (Srivastava et al. 2014, JMLR 15:1929).

    Draws from its own generator, on CPU, seeded from torch's as it is built: the same numbers on every device, whatever else is
    trained between two steps.
    """

    def __init__(self, share: float) -> None:
        super().__init__()
        self.share = share
        self.generator = torch.Generator().manual_seed(int(torch.randint(2**62, ())))

    def forward(self, values: torch.Tensor) -> torch.Tensor:
        if not self.training:
            return values
        mask = torch.rand(values.shape, generator=self.generator).to(values.device) >= self.share
        return values * mask / (1 - self.share)
