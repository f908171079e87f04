"""Reduce the probabilities of a pit's images to one for the pit, as `spaces.choices.channels.SCORES` says.

Trainings and ensembles both score by it. Knows nothing of networks.
"""

from __future__ import annotations

from collections.abc import Callable

import torch

# Dropped at either end by the trimmed mean, rounded down to whole images.
TRIMMED = 0.25


def _mean(chances: torch.Tensor) -> torch.Tensor:
    return chances.mean(1)


def _max(chances: torch.Tensor) -> torch.Tensor:
    return chances.amax(1)


def _trimmed_mean(chances: torch.Tensor) -> torch.Tensor:
    images = chances.shape[1]
    cut = int(TRIMMED * images)
    return chances.sort(1).values[:, cut : images - cut].mean(1)


RULES: dict[str, Callable[[torch.Tensor], torch.Tensor]] = {"mean": _mean, "max": _max, "trimmed mean": _trimmed_mean}


def over_images(name: str, chances: torch.Tensor) -> torch.Tensor:
    """Give each pit's probability from its images', `[pits, images, ...]` to `[pits, ...]`, each class by itself.

    Except under the mean, the classes of a pit need not sum to 1.
    """
    return RULES[name](chances)
