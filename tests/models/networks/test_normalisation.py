"""Grey values reach the network scaled exactly once, whatever the bit depth."""

from __future__ import annotations

import pytest
import torch

from models.networks.normalisation import Normalise
from spaces.choices.normalisation import NORMALISATIONS

EIGHT_BIT = torch.randint(0, 256, (5, 2, 12, 12), generator=torch.Generator().manual_seed(0)).to(torch.uint8)


@pytest.mark.parametrize("name", NORMALISATIONS)
def test_the_bit_depth_makes_no_difference(name: str) -> None:
    # 65535 = 257 x 255: the same grey values, stored deeper.
    sixteen_bit = EIGHT_BIT.float() * 257
    outputs = []
    for images, full_scale in ((EIGHT_BIT, 255), (sixteen_bit, 65535)):
        normalise = Normalise(name, 2, full_scale, 12)
        normalise.measure([images])
        outputs.append(normalise(images))
    torch.testing.assert_close(*outputs)


def test_raw_values_lie_between_0_and_1() -> None:
    values = Normalise("raw", 2, 255, 12)(EIGHT_BIT)
    assert values.min() == 0.0
    assert values.max() == 1.0


def test_dataset_removes_mean_and_deviation_of_the_measured_images_only() -> None:
    normalise = Normalise("dataset", 2, 255, 12)
    normalise.measure([EIGHT_BIT[:1], EIGHT_BIT[1:3]])
    values = normalise(EIGHT_BIT[:3])
    torch.testing.assert_close(values.mean((0, 2, 3)), torch.zeros(2), atol=1e-5, rtol=0)
    torch.testing.assert_close(values.std((0, 2, 3)), torch.ones(2))
    assert not torch.allclose(normalise(EIGHT_BIT).mean((0, 2, 3)), torch.zeros(2), atol=1e-5)


def test_average_removes_the_measured_images_average_pixel_by_pixel() -> None:
    normalise = Normalise("average", 2, 255, 12)
    normalise.measure([EIGHT_BIT[:1], EIGHT_BIT[1:3]])
    assert normalise.mean.shape == (1, 2, 12, 12)
    values = normalise(EIGHT_BIT[:3])
    torch.testing.assert_close(values.mean(0), torch.zeros(2, 12, 12), atol=1e-5, rtol=0)
    # One deviation a channel, so that noisy pixels stay noisier than others.
    torch.testing.assert_close(values.square().mean((0, 2, 3)), torch.ones(2), atol=1e-2, rtol=0)
    assert not torch.allclose(normalise(EIGHT_BIT).mean(0), torch.zeros(2, 12, 12), atol=0.1)


def test_average_leaves_what_differs_between_pits_and_takes_a_fixed_pattern() -> None:
    pattern = torch.linspace(0, 100, 144).view(12, 12)
    normalise = Normalise("average", 2, 255, 12)
    normalise.measure([EIGHT_BIT // 2])
    with_pattern = Normalise("average", 2, 255, 12)
    with_pattern.measure([EIGHT_BIT // 2 + pattern])
    torch.testing.assert_close(with_pattern(EIGHT_BIT // 2 + pattern), normalise(EIGHT_BIT // 2), atol=1e-5, rtol=1e-5)


def test_image_removes_each_images_own_brightness_and_contrast() -> None:
    dimmed = (EIGHT_BIT.float() / 4 + 20).round()
    torch.testing.assert_close(
        Normalise("image", 2, 255, 12)(dimmed), Normalise("image", 2, 255, 12)(EIGHT_BIT), atol=0.05, rtol=0.05
    )


@pytest.mark.parametrize("name", NORMALISATIONS)
def test_an_image_of_one_grey_value_stays_finite(name: str) -> None:
    flat = torch.full((2, 2, 12, 12), 128, dtype=torch.uint8)
    normalise = Normalise(name, 2, 255, 12)
    normalise.measure([flat])
    assert normalise(flat).isfinite().all()
