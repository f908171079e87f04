"""Convolutions of tiny maps are the library's own function, with the same weights and gradients."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from models.networks.tiny_maps import TinyMapConv2d, quicken


def pair(stride: int, channels: tuple[int, int] = (256, 512)) -> tuple[nn.Conv2d, nn.Module]:
    torch.manual_seed(0)
    plain = nn.Conv2d(*channels, 3, stride=stride, padding=1, bias=False)
    return plain, next(quicken(nn.Sequential(plain)).children())


@pytest.mark.parametrize("size", [1, 2, 3, 4, 5])
@pytest.mark.parametrize("stride", [1, 2])
def test_values_and_gradients_are_the_librarys(stride: int, size: int) -> None:
    plain, quick = pair(stride)
    assert isinstance(quick, TinyMapConv2d)
    assert quick.weight is plain.weight
    images = torch.randn(3, 256, size, size, requires_grad=True)
    seen = []
    for conv in (plain, quick):
        output = conv(images)
        seen.append((output, *torch.autograd.grad(output.square().sum(), (images, plain.weight))))
    for expected, got in zip(*seen, strict=True):
        torch.testing.assert_close(got, expected, rtol=1e-4, atol=1e-3)


@pytest.mark.parametrize(("size", "stride", "met"), [(1, 1, 1), (2, 1, 16), (3, 2, 16), (4, 2, 25), (2, 2, 4)])
def test_the_margins_zeros_are_not_multiplied_in_training(size: int, stride: int, met: int) -> None:
    _, quick = pair(stride)
    with FlopCounterMode(display=False) as counter:
        quick(torch.zeros(1, 256, size, size))
    assert counter.get_total_flops() == 2 * met * 256 * 512


def test_scores_count_and_give_what_the_librarys_do() -> None:
    plain, quick = pair(1)
    images, flops = torch.randn(3, 256, 2, 2), []
    for conv in (plain, quick):
        with torch.no_grad(), FlopCounterMode(display=False) as counter:
            values = conv(images)
        flops.append(counter.get_total_flops())
    assert flops[0] == flops[1]
    torch.testing.assert_close(values, plain(images).detach(), rtol=1e-4, atol=1e-4)


def test_only_convolutions_that_gain_are_exchanged() -> None:
    plain, narrow = pair(1, (64, 64))
    assert narrow is plain
    pointwise = nn.Conv2d(256, 512, 1)
    assert next(quicken(nn.Sequential(pointwise)).children()) is pointwise
