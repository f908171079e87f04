"""The script that people write: Optuna, a loop over five folds, Dataset and DataLoader, per-image transforms, MedianPruner.

The yardstick of the benchmarks. Written as the tutorials of Optuna and PyTorch would have it, with their defaults: threads,
memory layout, Adam, `.item()` at every step. The networks are those of pitsearch in their plain form, and a test checks that
they are the same functions. Imports nothing of ours.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import optuna
import timm
import torch
from sklearn.metrics import roc_curve
from torch import nn
from torch.utils.data import DataLoader, Dataset
from torchvision.transforms import v2

WORKING_POINT = 0.05


class PitImages(Dataset[tuple[torch.Tensor, int]]):
    """Pits in memory, transformed one by one."""

    def __init__(self, images: npt.NDArray[Any], targets: npt.NDArray[np.int64], transform: v2.Transform) -> None:
        self.images = images
        self.targets = targets
        self.transform = transform

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, index: int) -> tuple[torch.Tensor, int]:
        return self.transform(torch.from_numpy(self.images[index])), int(self.targets[index])


class GlobalMax(nn.Module):
    """Take the maximum over the plane."""

    def forward(self, values: torch.Tensor) -> torch.Tensor:
        return values.amax((2, 3))


def minihip(channels: int, classes: int) -> nn.Module:
    """MoEDAL's network: convolution, tanh, pooling, four times."""
    layers: list[nn.Module] = []
    for number in range(4):
        layers += [nn.Conv2d(32 if number else channels, 32, 3, padding=1), nn.Tanh(), nn.MaxPool2d(2)]
    network = nn.Sequential(*layers, GlobalMax(), nn.Linear(32, 22), nn.ReLU(), nn.Linear(22, classes))
    for module in network:
        if isinstance(module, nn.Conv2d | nn.Linear):  # as in Keras, without which it rarely learns
            nn.init.xavier_uniform_(module.weight)
            if module.bias is not None:
                nn.init.zeros_(module.bias)
    return network


def pitnet(channels: int, classes: int, depth: int = 3, width: int = 16) -> nn.Module:
    """A small convolutional network: convolution, pooling, norm, relu."""
    layers: list[nn.Module] = []
    for number in range(depth):
        wide = width * 2 ** min(number, 2)
        layers += [nn.Conv2d(channels, wide, 3, padding=1, bias=False), nn.MaxPool2d(2), nn.BatchNorm2d(wide), nn.ReLU()]
        channels = wide
    return nn.Sequential(*layers, GlobalMax(), nn.Linear(channels, classes))


def resnet10t(channels: int, classes: int) -> nn.Module:
    """timm's smallest residual network."""
    network: nn.Module = timm.create_model("resnet10t", in_chans=channels, num_classes=classes)
    return network


NETWORKS: dict[str, Callable[[int, int], nn.Module]] = {"minihip": minihip, "pitnet": pitnet, "resnet10t": resnet10t}


@dataclass(frozen=True)
class Recipe:
    """One training. `augment`: flip and turn at random; `loaders`: processes of the training's DataLoader."""

    network: Callable[[int, int], nn.Module]
    epochs: int
    learning_rate: float = 1e-3
    batch_size: int = 64
    augment: bool = True
    loaders: int = 0


def acceptance(scores: npt.NDArray[np.floating], is_signal: npt.NDArray[np.bool_]) -> float:
    """Read the true-positive rate at the working point off the curve."""
    rates, accepted, _ = roc_curve(is_signal, scores)
    return float(accepted[np.searchsorted(rates, WORKING_POINT, side="right") - 1])


def train_fold(
    images: npt.NDArray[Any],
    targets: npt.NDArray[np.int64],
    train: npt.NDArray[np.int64],
    validate: npt.NDArray[np.int64],
    recipe: Recipe,
) -> Iterable[float]:
    """Train on one fold and yield the validation pits' acceptance after every epoch. `targets`: 0 is the signal."""
    mean, deviation = images[train].mean((0, 2, 3)) / 255, images[train].std((0, 2, 3)) / 255
    plain = [v2.ToDtype(torch.float32, scale=True), v2.Normalize(mean.tolist(), deviation.tolist())]
    turns = [v2.RandomHorizontalFlip(), v2.RandomVerticalFlip()] if recipe.augment else []
    training = DataLoader(
        PitImages(images[train], targets[train], v2.Compose([*turns, *plain])),
        batch_size=recipe.batch_size,
        shuffle=True,
        drop_last=True,
        num_workers=recipe.loaders,
        persistent_workers=recipe.loaders > 0,
    )
    validation = DataLoader(PitImages(images[validate], targets[validate], v2.Compose(plain)), batch_size=256)
    network = recipe.network(images.shape[1], int(targets.max()) + 1)
    optimiser = torch.optim.Adam(network.parameters(), lr=recipe.learning_rate)
    criterion = nn.CrossEntropyLoss()
    for _ in range(recipe.epochs):
        network.train()
        running_loss = 0.0
        for batch, classes in training:
            optimiser.zero_grad()
            loss = criterion(network(batch), classes)
            loss.backward()
            optimiser.step()
            running_loss += loss.item()
        network.eval()
        with torch.no_grad():
            scores = torch.cat([network(batch).softmax(1)[:, 0] for batch, _ in validation]).numpy()
        yield acceptance(scores, targets[validate] == 0)


def make_objective(
    images: npt.NDArray[Any],
    targets: npt.NDArray[np.int64],
    folds: npt.NDArray[np.int64],
    recipe_of: Callable[[optuna.Trial], Recipe],
) -> Callable[[optuna.Trial], float]:
    """Make the objective: the mean acceptance over the folds, its running mean reported after each of them."""

    def objective(trial: optuna.Trial) -> float:
        recipe = recipe_of(trial)
        reached: list[float] = []
        for fold in range(int(folds.max()) + 1):
            *_, last = train_fold(images, targets, np.flatnonzero(folds != fold), np.flatnonzero(folds == fold), recipe)
            reached.append(last)
            trial.report(float(np.mean(reached)), fold)
            if trial.should_prune():
                raise optuna.TrialPruned
        return float(np.mean(reached))

    return objective
