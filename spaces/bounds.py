"""The bounds of every number that may vary: of what a space may search, and of what a configuration may hold."""

from __future__ import annotations

# The least and the most of a number, by the key of its axis.
BOUNDS: dict[str, tuple[float, float]] = {
    "labelling.soft_target": (0.0, 1.0),
    "labelling.soft_weight": (0.0, 1.0),
    "channels.shown": (0, 64),
    "network.depth": (1, 6),
    "network.width": (1, 512),
    "network.dropout": (0.0, 0.7),
    "optimiser.learning_rate": (1e-8, 100.0),
    "optimiser.weight_decay": (0.0, 1.0),
    "optimiser.batch_size": (2, 65536),
    "optimiser.momentum": (0.0, 0.999),
    "optimiser.warmup": (0.0, 0.5),
    "optimiser.clip": (0.0, 1000.0),
    "optimiser.average": (0.0, 0.9999),
    "loss.smoothing": (0.0, 0.5),
    "loss.focus": (0.0, 5.0),
    "loss.rate": (0.1, 20.0),
    "loss.share": (0.0, 1.0),
    "balance.ratio": (0.5, 20.0),
    "augmentation.shift": (0, 8),
    "augmentation.gain": (0.0, 1.0),
    "augmentation.noise": (0.0, 0.5),
    "augmentation.drop": (0.0, 0.9),
    "augmentation.mixup": (0.0, 10.0),
}
