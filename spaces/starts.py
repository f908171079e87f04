"""Where a search starts: two recipes that a physicist would try before any search, as far as a space holds them.

The first is the baseline that every search must beat; the second what practice with small convolutional networks suggests.
Neither was tuned on the project's synthetic foils. Knows nothing of Optuna.
"""

from __future__ import annotations

from collections.abc import Mapping

from spaces.axes import Domain, Range, Scalar
from spaces.space import Space

# Keys are those of the table of axes.
STARTS: dict[str, Mapping[str, Scalar]] = {
    "the network in use, as it is trained today": {
        "labelling.scheme": "binary",
        "channels.mode": "stacked",
        "network.name": "minihip",
        "optimiser.name": "adam",
        "optimiser.learning_rate": 2e-4,
        "optimiser.batch_size": 64,
        "optimiser.schedule": "constant",
        "balance.name": "none",
        "normalisation": "dataset",
        "augmentation.lights": "none",
    },
    "a network with batch norm, a rate that decays, and every symmetry of the lights": {
        "labelling.scheme": "binary",
        "channels.mode": "stacked",
        "network.name": "pitnet",
        "network.depth": 3,
        "network.width": 32,
        "optimiser.name": "adamw",
        "optimiser.learning_rate": 3e-3,
        "optimiser.weight_decay": 1e-4,
        "optimiser.batch_size": 32,
        "optimiser.schedule": "cosine",
        "balance.name": "none",
        "normalisation": "dataset",
        "augmentation.lights": "symmetries",
    },
}


def starts(space: Space) -> list[dict[str, Scalar]]:
    """Give each start as the choices that a fitted space holds; what it does not hold is left to the sampler."""
    return [{key: value for key, value in start.items() if _holds(space.domain(key), value)} for start in STARTS.values()]


def _holds(domain: Domain, value: Scalar) -> bool:
    if not isinstance(domain, Range):
        return value in domain
    return isinstance(value, int | float) and domain.low <= value <= domain.high
