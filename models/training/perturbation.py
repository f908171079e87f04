"""Change training images as `augmentation.PERTURBATIONS` says: shift, gain, noise, dropped lights, pits mixed in pairs.

Works on picked batches of stored values, before the classifier brings them to its scale. Everything is drawn on CPU, step by
step, from the training's own generator: the same for every device, and however a training is cut. Knows nothing of turns.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
import torch

from spaces.choices.augmentation import Augmentation


class Batch(NamedTuple):
    """One batch of training images."""

    # `[images, channels, y, x]`.
    pixels: torch.Tensor
    # `[images, classes]`, each row summing to 1.
    targets: torch.Tensor
    # `[images]`.
    weights: torch.Tensor


def draw_partners(lights: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """Draw a partner for each image of a batch among those under the same light, by number `[images]`, as a permutation.

    `lights`: `[images]`, on CPU.
    """
    order = torch.randperm(len(lights), generator=generator)
    partners = torch.empty_like(order)
    # Both sides list the images light by light, one in order and one in the drawn order.
    partners[lights.argsort(stable=True)] = order[lights[order].argsort(stable=True)]
    return partners


def draw_shares(alpha: float, count: int, generator: torch.Generator) -> torch.Tensor:
    """Draw the share that each image keeps in its mixture, `[images]`, from Beta(alpha, alpha).

    torch draws from no Beta distribution with a generator of the caller; numpy's generator is seeded from it.
    """
    seed = int(torch.randint(2**62, (), generator=generator))
    return torch.from_numpy(np.random.default_rng(seed).beta(alpha, alpha, count).astype(np.float32))


def mix(own: Batch, others: Batch, shares: torch.Tensor) -> Batch:
    """Mix each image with its partner: pixels, targets and weights (mixup; Zhang & al. 2018, arXiv:1710.09412).

    A target counts in the mixture by its share and its example's weight, so that under cross-entropy a mixture costs what
    its two examples would, by their shares. `shares`: `[images]`, from 0 to 1.
    """
    part = shares * own.weights
    weights = part + (1 - shares) * others.weights
    by_weight = (part / weights)[:, None]
    by_share = shares[:, None, None, None]
    return Batch(
        by_share * own.pixels + (1 - by_share) * others.pixels,
        by_weight * own.targets + (1 - by_weight) * others.targets,
        weights,
    )


def perturb(
    pixels: torch.Tensor,
    augmentation: Augmentation,
    *,
    full_scale: int,
    means: torch.Tensor | None,
    generator: torch.Generator,
) -> torch.Tensor:
    """Shift, scale, drop and add noise, `[images, channels, y, x]` in and out, as stored values of any type, or float32.

    `means`: `[channels]`, what a dropped light becomes; needed only where lights are dropped. Values may leave the scale.
    """
    count, channels, size = pixels.shape[:3]
    if augmentation.shift:
        pixels = _shifted(pixels, augmentation.shift, generator)
    if augmentation.gain:
        factors = (augmentation.gain * torch.randn(count, channels, 1, 1, generator=generator)).exp()
        pixels = pixels * factors.to(pixels.device)
    if augmentation.noise:
        noise = torch.randn(count, channels, size, size, generator=generator)
        pixels = pixels + (augmentation.noise * full_scale * noise).to(pixels.device)
    if augmentation.drop:
        assert means is not None
        dropped = torch.rand(count, channels, 1, 1, generator=generator) < augmentation.drop
        pixels = torch.where(dropped.to(pixels.device), means[:, None, None], pixels)
    return pixels


def channel_means(parts: Iterable[torch.Tensor]) -> torch.Tensor:
    """Take the mean of each channel over images given part by part, `[channels]`.

    A light that is replaced by it becomes 0 where images are normalised over the data set, and where each is by itself.
    """
    means, counts = zip(*((part.double().mean((0, 2, 3)), len(part)) for part in parts), strict=True)
    weights = torch.tensor(counts, dtype=torch.float64, device=means[0].device)
    return (torch.stack(means) * weights[:, None]).sum(0).div(weights.sum()).float()


def _shifted(pixels: torch.Tensor, most: int, generator: torch.Generator) -> torch.Tensor:
    """Move each image, its lights together, by up to so many whole pixels either way; edges are repeated."""
    count, size = len(pixels), pixels.shape[-1]
    moves = torch.randint(-most, most + 1, (2, count, 1), generator=generator)
    rows, columns = (torch.arange(size) - moves).clamp(0, size - 1).to(pixels.device)
    images = torch.arange(count, device=pixels.device)
    # Channels come last where the others are looked up; most networks are fastest with that order.
    return pixels.permute(0, 2, 3, 1)[images[:, None, None], rows[:, :, None], columns[:, None, :]].permute(0, 3, 1, 2)
