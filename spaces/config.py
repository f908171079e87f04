"""A `Config`: one choice on every axis, the whole recipe of a training but for data and seed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any

from spaces.augmentation import AUGMENTATIONS
from spaces.balance import BALANCES
from spaces.channels import MODES, Channels
from spaces.errors import SpaceError
from spaces.labelling import SCHEMES
from spaces.networks import (
    ACTIVATIONS,
    HEADS,
    NETWORKS,
    NORMS,
    OVER_LIGHTS,
    POOLINGS,
    SUFFIXES,
    WEIGHTS,
    Network,
    check_form,
    is_network,
    is_weights,
)
from spaces.normalisation import NORMALISATIONS
from spaces.optimisers import OPTIMISERS, SCHEDULES, Optimiser

# Where each name is looked up: the axis's key, and the table of its choices.
TABLES: dict[str, Mapping[str, Any]] = {
    "labelling": SCHEMES,
    "channels.mode": MODES,
    "network.name": NETWORKS,
    "network.activation": ACTIVATIONS,
    "network.norm": NORMS,
    "network.pooling": POOLINGS,
    "network.head": HEADS,
    "network.lights": OVER_LIGHTS,
    "network.weights": WEIGHTS,
    "optimiser.name": OPTIMISERS,
    "optimiser.schedule": SCHEDULES,
    "balance": BALANCES,
    "normalisation": NORMALISATIONS,
    "augmentation": AUGMENTATIONS,
}

# Names that are in no table and yet allowed, and how they are told of.
BEYOND: dict[str, tuple[Callable[[str], bool], str]] = {
    "network.name": (is_network, "timm:NAME for another of timm's"),
    "network.weights": (is_weights, f"a file *{', *'.join(SUFFIXES)}"),
}


def check_name(key: str, value: object, named: str | None = None) -> None:
    """Raise SpaceError where the table of a key does not offer this name; `named`: the key that people wrote, if another."""
    table = TABLES[key]
    beyond, told = BEYOND.get(key, (table.__contains__, ""))
    if not isinstance(value, str) or not (value in table or beyond(value)):
        offered = ", ".join((*table, told) if told else table)
        raise SpaceError(f"`{named or key}` must be one of {offered}, but got {value!r}; correct it.")


@dataclass(frozen=True)
class Config:
    """One choice on every axis. Raises SpaceError for a name in no table."""

    labelling: str = "binary"
    channels: Channels = field(default_factory=Channels)
    network: Network = field(default_factory=lambda: Network("pitnet", depth=3, width=16))
    optimiser: Optimiser = field(default_factory=Optimiser)
    balance: str = "none"
    normalisation: str = "dataset"
    augmentation: str = "none"

    def __post_init__(self) -> None:
        for key in TABLES:
            value: Any = self
            for part in key.split("."):
                value = getattr(value, part)
            check_name(key, value)
        check_form(self.network.name, self.channels.mode)

    def to_dict(self) -> dict[str, Any]:
        """Give plain values, ready for JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Config:
        """Read what `to_dict` gave. Raises SpaceError for unknown or missing fields."""
        parts = {"channels": Channels, "network": Network, "optimiser": Optimiser}
        names = {f.name for f in fields(cls)}
        if set(values) != names:
            odd = sorted(set(values) ^ names)
            raise SpaceError(f"a configuration must have the fields {', '.join(sorted(names))}, but {odd[0]!r} differs.")
        try:
            return cls(**{name: parts[name](**value) if name in parts else value for name, value in values.items()})
        except TypeError as error:
            raise SpaceError(f"a configuration must have the fields of this version, but: {error}.") from None

    def describe(self) -> str:
        """Say the configuration on one line, for tables and logs."""
        light = f" {self.channels.light}" if self.channels.light else ""
        optimiser = self.optimiser
        parts = [
            self.labelling,
            f"{self.channels.mode}{light}",
            self.network.describe(),
            f"{optimiser.name} {optimiser.learning_rate:.1e}/{optimiser.batch_size} {optimiser.schedule}",
            "raw" if self.normalisation == "raw" else f"per {self.normalisation}",
            *(name for name in (self.balance, self.augmentation) if name != "none"),
        ]
        return ", ".join(parts)
