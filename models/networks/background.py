"""Classify by background alone: a network without its head, a layer that trains its features, and a detector over them.

In training mode such a classifier gives the network's answers about background; in evaluation mode it gives two logits, like
any other classifier of two classes. Knows nothing of labels or training.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import nn
from torch.nn import functional

from models.networks.classifier import Classifier
from models.networks.detectors import Detector, take_shapes
from models.networks.features import Features
from models.networks.minihip import MiniHip
from models.networks.normalisation import Normalise
from models.networks.pitnet import PitNet
from models.networks.ringnet import RingNet
from models.networks.setnet import SetNet
from models.networks.timm_networks import Enlarged
from spaces.errors import SpaceError

# Of the decoder: features of its maps, and how much smaller than the image its first map is.
WIDE, SMALLER = 16, 4


def headless(network: nn.Module, channels: int, size: int) -> tuple[nn.Module, int]:
    """Take a network's head off, and say how many features are left, `[images, features]`.

    Raises SpaceError for a network of timm whose head cannot be taken off.
    """
    inner: Any = network.network if isinstance(network, Enlarged) else network
    ours = isinstance(inner, PitNet | MiniHip | SetNet | RingNet)
    if ours:
        inner.head = nn.Identity()
    elif hasattr(inner, "reset_classifier"):
        inner.reset_classifier(0)
    was_training = network.training
    with torch.no_grad():
        features = network.eval()(torch.zeros(1, channels, size, size))
    network.train(was_training)
    if features.ndim != 2:
        raise SpaceError(
            f"a network must give one row of features an image where its head is off, but {type(inner).__name__} of timm gives "
            f"{features.ndim} axes; choose another for this scheme."
        )
    return network, int(features.shape[1])


class Headed(nn.Module):
    """A network and a dense layer of answers about background, `[images, answers]`."""

    def __init__(self, body: nn.Module, features: int, answers: int) -> None:
        super().__init__()
        self.body = body
        self.head = nn.Linear(features, answers)

    def embed(self, values: torch.Tensor) -> torch.Tensor:
        """Give the features that a detector takes, `[images, features]`."""
        features: torch.Tensor = self.body(values)
        return features

    def forward(self, values: torch.Tensor) -> torch.Tensor:
        answers: torch.Tensor = self.head(self.body(values))
        return answers

    def _load_from_state_dict(self, state_dict: Mapping[str, Any], prefix: str, *args: Any) -> None:
        start = f"{prefix}head."
        saved = {name.removeprefix(start): tensor for name, tensor in state_dict.items() if name.startswith(start)}
        take_shapes(self.head, saved, ("weight", "bias"))
        super()._load_from_state_dict(state_dict, prefix, *args)


class Autoencoder(nn.Module):
    """A network and a small decoder that rebuilds the image from its features; gives the mean squared error, `[images, 1]`.

    The decoder: a dense layer to a map of a quarter of the edge, two convolutions, each after the map's edge was doubled.
    """

    def __init__(self, body: nn.Module, features: int, channels: int, size: int) -> None:
        super().__init__()
        edge = -(-size // SMALLER)
        self.body = body
        self.decoder = nn.Sequential(
            nn.Linear(features, WIDE * edge * edge),
            nn.Unflatten(1, (WIDE, edge, edge)),
            nn.ReLU(),
            nn.Upsample(scale_factor=2),
            nn.Conv2d(WIDE, WIDE, 3, padding=1),
            nn.ReLU(),
            nn.Upsample(size=size),
            nn.Conv2d(WIDE, channels, 3, padding=1),
        )

    def embed(self, values: torch.Tensor) -> torch.Tensor:
        """Give the input of the detector, the error."""
        image = self.decoder(self.body(values))
        return functional.mse_loss(image, values, reduction="none").mean((1, 2, 3))[:, None]

    def forward(self, values: torch.Tensor) -> torch.Tensor:
        return self.embed(values)


class AnomalyClassifier(Classifier):
    """Stored grey values `[images, channels, y, x]` in; logits `[images, 2]` out, of signal and background, by the detector.

    In training mode the answers of its network instead, `[images, answers]`, which the detector has no part in.
    """

    network: Headed | Autoencoder

    def __init__(
        self,
        features: Features | None,
        normalise: Normalise,
        network: Headed | Autoencoder,
        detector: Detector,
        memory_format: torch.memory_format,
    ) -> None:
        super().__init__(features, normalise, network, memory_format)
        self.detector = detector

    def answers(self, images: torch.Tensor) -> torch.Tensor:
        """Give what the network answers about background, whatever the mode."""
        answers: torch.Tensor = self.network(self.values(images))
        return answers

    def embed(self, images: torch.Tensor) -> torch.Tensor:
        """Give the input of the detector, `[images, features]`."""
        return self.network.embed(self.values(images))

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        if self.training:
            return self.answers(images)
        logits: torch.Tensor = self.detector(self.embed(images))
        return logits
