"""A pit's probability from its images': the rules, and that trainings and ensembles go by the same."""

from __future__ import annotations

import pytest
import torch
from scipy.stats import trim_mean

from models.scores import RULES, TRIMMED, over_images
from spaces.choices.channels import SCORES

CHANCES = torch.rand(5, 10, 3, generator=torch.Generator().manual_seed(0), dtype=torch.float64)


def test_every_rule_of_the_space_is_there() -> None:
    assert set(RULES) == set(SCORES)


@pytest.mark.parametrize("images", range(1, 11))
def test_the_trimmed_mean_is_scipys(images: int) -> None:
    found = over_images("trimmed mean", CHANCES[:, :images])
    assert found.numpy() == pytest.approx(trim_mean(CHANCES[:, :images].numpy(), TRIMMED, axis=1))


@pytest.mark.parametrize("name", SCORES)
def test_one_image_or_many_alike_are_what_they_are(name: str) -> None:
    alike = CHANCES[:, :1].expand(-1, 10, -1)
    torch.testing.assert_close(over_images(name, CHANCES[:, :1]), CHANCES[:, 0])
    torch.testing.assert_close(over_images(name, alike), CHANCES[:, 0])
    assert over_images(name, CHANCES[..., 0]).shape == (5,)


def test_one_image_that_is_sure_moves_each_rule_as_it_says() -> None:
    chances = torch.full((1, 8), 0.1)
    chances[0, 3] = 0.9
    assert [float(over_images(name, chances)) for name in ("mean", "max", "trimmed mean")] == pytest.approx([0.2, 0.9, 0.1])
