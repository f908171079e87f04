"""Measure how far an image lies from the background that a detector was fitted to.

One class for each name in `spaces.choices.detectors.DETECTORS`. Fitted values are buffers, so that weights hold them:
scikit-learn fits, torch scores. Every distance comes with the one that 5 % of the fitted background exceeds, the reference r:
an image at distance d scores d / (d + r), a half at the reference. It rises with d and never saturates, so that the farthest
images stay apart and members of an ensemble may be averaged; it is no probability. Knows nothing of networks, pits or signal.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

Floats = npt.NDArray[np.float64]
# The share of the fitted background that lies beyond the reference.
BEYOND = 0.05
NEAREST = 5
TREES = 100
# Cuts on the longest path of a tree, which scikit-learn grows from 256 images: their logarithm to base 2.
LEVELS = 8
# Under every distance that means something.
LEAST = 1e-6


def take_shapes(module: nn.Module, saved: Mapping[str, torch.Tensor], names: Iterable[str]) -> None:
    """Give some weights and buffers of a module the shapes of those that will be loaded into them.

    Fitted values have as many rows as there were background pits, or labels, which no configuration says.
    """
    for name in names:
        own, wanted = getattr(module, name), saved.get(name)
        if wanted is not None and wanted.ndim == own.ndim:
            value = torch.empty_like(wanted, device=own.device)
            setattr(module, name, nn.Parameter(value) if isinstance(own, nn.Parameter) else value)


class Detector(nn.Module, ABC):
    """Features `[images, features]` in, distances `[images]` out; before it is fitted, distances that mean nothing."""

    reference: torch.Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("reference", torch.ones(()))

    @abstractmethod
    def fit(self, features: torch.Tensor, kinds: npt.NDArray[np.int64], seed: int) -> None:
        """Fit to background images; `kinds`: `[images]`, their labels, numbered; `seed`: everything random follows from it."""

    @abstractmethod
    def distances(self, features: torch.Tensor) -> torch.Tensor:
        """Give the distance of each image, `[images]`."""

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """Give logits of signal and background, `[images, 2]`, whose softmax is the score d / (d + r) and the rest."""
        logs = (self.distances(features).clamp(min=LEAST) / self.reference).log()
        return torch.stack([logs, torch.zeros_like(logs)], 1)

    def _refer(self, distances: Floats) -> None:
        """Take the reference from the distances of the background that was fitted."""
        self.reference.fill_(max(float(np.quantile(distances, 1 - BEYOND)), LEAST))

    def _store(self, **arrays: npt.ArrayLike) -> None:
        """Store fitted values in the buffers of these names, each in its own type of number."""
        for name, values in arrays.items():
            own = getattr(self, name)
            setattr(self, name, torch.as_tensor(np.asarray(values), dtype=own.dtype, device=own.device))

    def _load_from_state_dict(self, state_dict: Mapping[str, Any], prefix: str, *args: Any) -> None:
        mine = {name: state_dict[prefix + name] for name, _ in self.named_buffers() if prefix + name in state_dict}
        take_shapes(self, mine, mine)
        super()._load_from_state_dict(state_dict, prefix, *args)


class Mahalanobis(Detector):
    """The distance from the nearest label's mean, in deviations; one covariance for all, shrunk by Ledoit and Wolf's rule.

    `whiten`: `[features, features]`, what makes the covariance the identity; `centres`: `[labels, features]`, whitened means.
    """

    whiten: torch.Tensor
    centres: torch.Tensor

    def __init__(self, features: int) -> None:
        super().__init__()
        self.register_buffer("whiten", torch.eye(features))
        self.register_buffer("centres", torch.zeros(1, features))

    def fit(self, features: torch.Tensor, kinds: npt.NDArray[np.int64], seed: int) -> None:
        from sklearn.covariance import LedoitWolf  # takes a second to import, which few networks need

        values = features.double().cpu().numpy()
        _, kinds = np.unique(kinds, return_inverse=True)
        means = np.stack([values[kinds == kind].mean(0) for kind in range(int(kinds.max()) + 1)])
        powers, axes = np.linalg.eigh(LedoitWolf(assume_centered=True).fit(values - means[kinds]).covariance_)
        # A direction in which no background pit differs from another has no scale of its own.
        whiten = axes / np.sqrt(np.clip(powers, LEAST**2, None))
        self._store(whiten=whiten, centres=means @ whiten)
        self._refer(self.distances(features).double().cpu().numpy())

    def distances(self, features: torch.Tensor) -> torch.Tensor:
        return _apart(features @ self.whiten, self.centres).amin(1)


class Neighbours(Detector):
    """The mean distance from the NEAREST nearest background images, each feature in deviations of the background's.

    `known`: `[images, features]`, the background; `deviation`: `[features]`.
    """

    known: torch.Tensor
    deviation: torch.Tensor

    def __init__(self, features: int) -> None:
        super().__init__()
        self.register_buffer("known", torch.zeros(1, features))
        self.register_buffer("deviation", torch.ones(features))

    def fit(self, features: torch.Tensor, kinds: npt.NDArray[np.int64], seed: int) -> None:
        from sklearn.neighbors import NearestNeighbors  # as above

        values = features.double().cpu().numpy()
        deviation = values.std(0)
        # A feature that never differs has no scale; it keeps its own.
        deviation[deviation < LEAST] = 1.0
        known = values / deviation
        self._store(known=known, deviation=deviation)
        # Of what it was fitted to, scikit-learn does not count an image among its own neighbours.
        apart, _ = NearestNeighbors(n_neighbors=min(NEAREST, len(values) - 1)).fit(known).kneighbors()
        self._refer(apart.mean(1))

    def distances(self, features: torch.Tensor) -> torch.Tensor:
        apart = _apart(features / self.deviation, self.known)
        return apart.topk(min(NEAREST, apart.shape[1]), largest=False).values.mean(1)


class Forest(Detector):
    """The isolation forest's score, 2^(-E(h) / c): h, how many cuts isolate the image; c, how many would on average.

    Its trees as tables `[trees, nodes]`: `split`, the feature that is cut, -1 at a leaf; `cut`, where; `low`, `high`, the nodes
    on either side; `path`, of a leaf, its depth and what its own images would have taken further.
    """

    split: torch.Tensor
    cut: torch.Tensor
    low: torch.Tensor
    high: torch.Tensor
    path: torch.Tensor
    usual: torch.Tensor

    def __init__(self, features: int) -> None:
        super().__init__()
        self.register_buffer("split", torch.full((1, 1), -1))
        self.register_buffer("cut", torch.zeros(1, 1, dtype=torch.float64))
        for name in ("low", "high"):
            self.register_buffer(name, torch.zeros(1, 1, dtype=torch.int64))
        self.register_buffer("path", torch.zeros(1, 1, dtype=torch.float64))
        self.register_buffer("usual", torch.ones((), dtype=torch.float64))

    def fit(self, features: torch.Tensor, kinds: npt.NDArray[np.int64], seed: int) -> None:
        from sklearn.ensemble import IsolationForest  # as above

        values = features.float().cpu().numpy()
        forest = IsolationForest(n_estimators=TREES, random_state=seed % 2**32, n_jobs=1).fit(values)
        trees = [estimator.tree_ for estimator in forest.estimators_]
        nodes = max(tree.node_count for tree in trees)

        def table(columns: Iterable[npt.NDArray[Any]], blank: float) -> Floats:
            return np.stack([np.pad(column, (0, nodes - len(column)), constant_values=blank) for column in columns])

        depths = [tree.compute_node_depths() - 1 for tree in trees]
        further = [usual_path(tree.n_node_samples) for tree in trees]
        self._store(
            split=table((np.where(tree.children_left < 0, -1, tree.feature) for tree in trees), -1),
            cut=table((tree.threshold for tree in trees), 0),
            low=table((tree.children_left for tree in trees), 0),
            high=table((tree.children_right for tree in trees), 0),
            path=table((depth + more for depth, more in zip(depths, further, strict=True)), 0),
            usual=usual_path(np.array([forest.max_samples_]))[0],
        )
        self._refer(self.distances(features).double().cpu().numpy())

    def distances(self, features: torch.Tensor) -> torch.Tensor:
        trees = torch.arange(len(self.split), device=features.device)
        # The number of images from the shape, which stays free in an exported graph; `len` would fix it.
        at = torch.zeros(features.shape[0], len(trees), dtype=torch.int64, device=features.device)
        # The loop ends when every image is at a leaf of every tree; an exported graph takes as many steps as there may be.
        exported = torch.compiler.is_exporting()
        for _ in range(LEVELS if exported else self.split.shape[1]):
            split = self.split[trees, at]
            inner = split >= 0
            if not exported and not inner.any():
                break
            lower = features.gather(1, split.clamp(min=0)) <= self.cut[trees, at]
            at = torch.where(inner, torch.where(lower, self.low[trees, at], self.high[trees, at]), at)
        return (2.0 ** (-self.path[trees, at].mean(1) / self.usual)).to(features.dtype)


def usual_path(images: npt.NDArray[np.int64]) -> Floats:
    """Give how many random cuts isolate one of n images on average: 2 H(n - 1) - 2 (n - 1) / n (Liu et al., equation 1)."""
    many = np.maximum(images, 3)
    paths = 2 * (np.log(many - 1) + np.euler_gamma) - 2 * (many - 1) / many
    usual: Floats = np.where(images > 2, paths, np.where(images == 2, 1.0, 0.0))
    return usual


class Reconstruction(Detector):
    """The root of the mean squared error of a rebuilt image; its features are that error, `[images, 1]`."""

    def __init__(self, features: int) -> None:
        super().__init__()

    def fit(self, features: torch.Tensor, kinds: npt.NDArray[np.int64], seed: int) -> None:
        self._refer(self.distances(features).double().cpu().numpy())

    def distances(self, features: torch.Tensor) -> torch.Tensor:
        return features[:, 0].sqrt()


CLASSES: dict[str, type[Detector]] = {
    "mahalanobis": Mahalanobis,
    "neighbours": Neighbours,
    "forest": Forest,
    "autoencoder": Reconstruction,
}


def make_detector(name: str, features: int) -> Detector:
    """Make a detector, not yet fitted, of so many features."""
    kind: Any = CLASSES[name]
    detector: Detector = kind(features)
    return detector


def _apart(first: torch.Tensor, second: torch.Tensor) -> torch.Tensor:
    """Give Euclidean distances `[first, second]`, by differences: products would lose the digits of what lies close."""
    if torch.compiler.is_exporting():  # ONNX has no cdist
        return (first[:, None] - second).square().sum(-1).sqrt()
    return torch.cdist(first, second, compute_mode="donot_use_mm_for_euclid_dist")
