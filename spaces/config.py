"""A `Config`: one choice on every axis, the whole recipe of a training but for data and seed."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any

from cattrs import Converter

from pitsearch.errors import CORRECT, did_you_mean
from pitsearch.typed_values import MISFITS, brief, cause_of, reason_of, strict
from spaces.bounds import BOUNDS
from spaces.choices.augmentation import TURNINGS, Augmentation, check_drop
from spaces.choices.balance import BALANCES, Balance
from spaces.choices.channels import MODES, SCORES, SUBSETS, Channels
from spaces.choices.detectors import DETECTORS
from spaces.choices.features import FEATURES, check_mode
from spaces.choices.labelling import DETECTOR, MAYBES, SCHEMES, STYLES, Labelling
from spaces.choices.losses import LOSSES, Loss
from spaces.choices.networks import (
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
from spaces.choices.normalisation import NORMALISATIONS
from spaces.choices.optimisers import OPTIMISERS, SCHEDULES, Optimiser, is_optimiser
from spaces.errors import SpaceError

# Where each name is looked up: the axis's key, and the table of its choices.
TABLES: dict[str, Mapping[str, Any]] = {
    "labelling.scheme": SCHEMES,
    "labelling.maybe": MAYBES,
    "labelling.style": STYLES,
    "labelling.detector": DETECTORS,
    "channels.mode": MODES,
    "channels.lights": SUBSETS,
    "channels.scores": SCORES,
    "channels.features": FEATURES,
    "network.name": NETWORKS,
    "network.activation": ACTIVATIONS,
    "network.norm": NORMS,
    "network.pooling": POOLINGS,
    "network.head": HEADS,
    "network.lights": OVER_LIGHTS,
    "network.weights": WEIGHTS,
    "optimiser.name": OPTIMISERS,
    "optimiser.schedule": SCHEDULES,
    "loss.name": LOSSES,
    "balance.name": BALANCES,
    "normalisation": NORMALISATIONS,
    "augmentation.turns": TURNINGS,
}

# The parts of a Config that are more than a name.
PARTS: dict[str, Any] = {
    "labelling": Labelling,
    "channels": Channels,
    "network": Network,
    "optimiser": Optimiser,
    "loss": Loss,
    "balance": Balance,
    "augmentation": Augmentation,
}

# Names that are in no table and yet allowed, and how messages name them.
BEYOND: dict[str, tuple[Callable[[str], bool], str]] = {
    "network.name": (is_network, "timm:NAME for another of timm's"),
    "network.weights": (is_weights, f"a file *{', *'.join(SUFFIXES)}"),
    "optimiser.name": (is_optimiser, "timm:NAME for another of timm's"),
}

# Reads configurations that another process, or another person, wrote down.
_CONVERTER = strict(Converter(detailed_validation=True), forbid_extra_keys=True)


def check_name(key: str, value: object, *, named: str | None = None, own: Collection[str] = ()) -> None:
    """Raise SpaceError where the table of a key does not offer this name.

    `named`: the key that people wrote, if another; `own`: names that a space adds.
    """
    table = (*TABLES[key], *own)
    beyond, described = BEYOND.get(key, (table.__contains__, ""))
    if not isinstance(value, str) or not (value in table or beyond(value)):
        offered = ", ".join((*table, described) if described else table)
        remedy = did_you_mean(value, table) if isinstance(value, str) else CORRECT
        raise SpaceError(f"`{named or key}` must be one of {offered}, but got {value!r}; {remedy}.")


@dataclass(frozen=True)
class Config:
    """One choice on every axis. Raises SpaceError for a name in no table."""

    labelling: Labelling = field(default_factory=Labelling)
    channels: Channels = field(default_factory=Channels)
    network: Network = field(default_factory=lambda: Network("pitnet", depth=3, width=16))
    optimiser: Optimiser = field(default_factory=Optimiser)
    loss: Loss = field(default_factory=Loss)
    balance: Balance = field(default_factory=Balance)
    normalisation: str = "dataset"
    augmentation: Augmentation = field(default_factory=Augmentation)

    def __post_init__(self) -> None:
        for key in TABLES:
            value: Any = self
            for part in key.split("."):
                value = getattr(value, part)
            check_name(key, value, own=(self.labelling.scheme,) if key == "labelling.scheme" and self.labelling.own else ())
        check_form(self.network.name, self.channels.mode)
        check_drop(self.augmentation.drop, self.channels.mode)
        check_mode(self.channels)
        self._check_background_only()

    def _check_background_only(self) -> None:
        """Raise SpaceError for a choice about signal where none is trained on, and for a detector where it is."""
        if not self.labelling.rule.background_only:
            if self.labelling.detector != DETECTOR:
                raise SpaceError(
                    f"`labelling.detector` must not be set where `labelling.scheme = {self.labelling.scheme}`, which has none, "
                    f"but got {self.labelling.detector!r}; leave it out."
                )
            return
        for key, value, default in (
            ("labelling.maybe", self.labelling.maybe, Labelling().maybe),
            ("loss", self.loss, Loss()),
            ("balance.name", self.balance.name, Balance().name),
            ("augmentation.mixup", self.augmentation.mixup, 0.0),
        ):
            if value != default:
                raise SpaceError(
                    f"`{key}` must not be set where `labelling.scheme = {self.labelling.scheme}`, which trains on background "
                    f"alone, but got {value.name if isinstance(value, Loss) else value!r}; leave it out."
                )

    def to_dict(self) -> dict[str, Any]:
        """Give plain values, ready for JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Config:
        """Read what `to_dict` gave. Raises SpaceError for unknown or missing fields, and for values of other types."""
        names = {f.name for f in fields(cls)}
        if not isinstance(values, Mapping) or set(values) != names:
            odd = sorted(map(str, set(values) ^ names)) if isinstance(values, Mapping) else [brief(values)]
            raise SpaceError(f"a configuration must have the fields {', '.join(sorted(names))}, but {odd[0]!r} differs.")
        for key in TABLES:
            value: Any = values
            for name in key.split("."):
                value = value.get(name, "") if isinstance(value, Mapping) else ""
            if not isinstance(value, str):
                check_name(key, value)
        try:
            config = _CONVERTER.structure(values, cls)
        except MISFITS as error:
            refusal = cause_of(error, SpaceError)
            if refusal is not None:
                raise SpaceError(str(refusal)) from None
            raise SpaceError(f"a configuration must have the fields of this version, but: {reason_of(error)}.") from None
        _check_bounds(config)
        return config

    def describe(self) -> str:
        """Say the configuration on one line, for tables and logs."""
        parts = [
            self.labelling.describe(),
            self.channels.describe(),
            self.network.describe(),
            self.optimiser.describe(),
            NORMALISATIONS[self.normalisation].words,
            *self.loss.describe(),
            *self.balance.describe(),
            *self.augmentation.describe(),
        ]
        return ", ".join(parts)


def _check_bounds(config: Config) -> None:
    """Raise SpaceError for a number that no space may offer: a huge one takes all memory, or for ever."""
    for key, (least, most) in BOUNDS.items():
        part, name = key.split(".")
        value = getattr(getattr(config, part), name)
        if value is not None and not least <= value <= most:
            raise SpaceError(f"`{least:g} <= {key} <= {most:g}` must hold, but got {brief(value)}; correct it.")
