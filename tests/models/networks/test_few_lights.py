"""Convolutions over few lights are the library's own function, with the same weights and gradients."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from models.networks.few_lights import FewLightsConv3d


def pair(features: int, kernel: int, stride: int, plane: int, *, bias: bool) -> tuple[nn.Conv3d, FewLightsConv3d]:
    torch.manual_seed(0)
    size, margin = (3, kernel, kernel), (1, kernel // 2, kernel // 2)
    plain = nn.Conv3d(features, 8, size, stride=(stride, plane, plane), padding=margin, bias=bias)
    quick = FewLightsConv3d(features, 8, size, stride=(stride, plane, plane), padding=margin, bias=bias)
    quick.load_state_dict(plain.state_dict())
    return plain, quick


@pytest.mark.parametrize("lights", [1, 2, 3, 8])
@pytest.mark.parametrize("features", [1, 4])
@pytest.mark.parametrize(("kernel", "stride", "plane"), [(3, 1, 1), (3, 2, 1), (5, 2, 2), (5, 1, 2)])
@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last_3d])
def test_values_and_gradients_are_the_librarys(
    lights: int, features: int, kernel: int, stride: int, plane: int, layout: torch.memory_format
) -> None:
    plain, quick = (conv.to(memory_format=layout) for conv in pair(features, kernel, stride, plane, bias=kernel == 3))
    images = torch.randn(3, features, lights, 7, 6).contiguous(memory_format=layout).requires_grad_()
    seen = []
    for conv in (plain, quick):
        output = conv(images)
        seen.append((output, *torch.autograd.grad(output.square().sum(), (images, *conv.parameters()))))
    for expected, got in zip(*seen, strict=True):
        torch.testing.assert_close(got, expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(("lights", "features", "multiplied"), [(1, 4, 1), (2, 4, 4), (2, 1, 4), (8, 1, 24), (3, 4, 9)])
def test_pairs_of_lights_that_never_meet_are_not_multiplied_in_training(lights: int, features: int, multiplied: int) -> None:
    _, quick = pair(features, 3, 1, 1, bias=False)
    with FlopCounterMode(display=False) as counter:
        quick(torch.zeros(1, features, lights, 6, 6))
    assert counter.get_total_flops() == 2 * multiplied * 9 * features * 8 * 36


def test_scores_stay_the_librarys_bit_by_bit() -> None:
    plain, quick = pair(4, 3, 1, 1, bias=True)
    images = torch.randn(3, 4, 2, 7, 7)
    with torch.no_grad():
        assert torch.equal(quick(images), plain(images))
