"""Join per-pixel features, normalisation and network in one classifier: stored grey values in, logits out.

Knows nothing of configurations, labels or training.
"""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import nn

from models.networks.features import Features
from models.networks.normalisation import Normalise


class Classifier(nn.Module):
    """Stored grey values `[images, channels, y, x]` in, logits `[images, classes]` out; class 0 is the signal."""

    def __init__(
        self, features: Features | None, normalise: Normalise, network: nn.Module, memory_format: torch.memory_format
    ) -> None:
        super().__init__()
        self.features = features
        self.normalise = normalise
        self.network = network
        self.memory_format = memory_format

    def measure(self, parts: Iterable[torch.Tensor]) -> None:
        """Measure what the normalisation removes on the training pits' images, given part by part."""
        self.normalise.measure(parts if self.features is None else map(self.features, parts))

    def values(self, images: torch.Tensor) -> torch.Tensor:
        """Give the network's input for some images, `[images, channels, y, x]`."""
        features = images if self.features is None else self.features(images)
        values: torch.Tensor = self.normalise(features)
        return values.contiguous(memory_format=self.memory_format)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        logits: torch.Tensor = self.network(self.values(images))
        return logits
