"""Parts of one's own beside ours: what a plugin is, and the tables that its parts are added to.

A plugin is a Python file, or a module of an installed package, that defines `plugin = Plugin(...)`. Its parts stand in the same
tables as ours from when it is registered. Loading one runs its code: `spaces/plugin_files.py` says from where. Knows no torch.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Any

from spaces.choices.features import FEATURES, Feature
from spaces.choices.labelling import SCHEMES, Scheme
from spaces.choices.losses import LOSSES, LossKind
from spaces.choices.networks import NETWORKS, NetworkKind
from spaces.choices.optimisers import OPTIMISERS, OptimiserKind
from spaces.errors import SpaceError


@dataclass(frozen=True)
class NetworkPlugin:
    """A network by name."""

    name: str
    # What it is, for `pitsearch spaces`.
    meaning: str
    # Gives a module from (network, channels, classes, size, dims): the Network of the configuration, the channels of an image,
    # the classes, the crop's edge in pixels, and 2, or 3 where the lights are an axis. The module takes float32 images
    # `[batch, channels, y, x]` and gives logits `[batch, classes]`.
    build: Callable[[Any, int, int, int, int], Any]
    # Which fields of Network vary for it: depth, width, kernel and so on.
    varies: tuple[str, ...] = ()
    # Whether it takes the lights as an axis (`volume`), and whether it takes flat images (every other mode).
    volume: bool = False
    flat: bool = True


@dataclass(frozen=True)
class LossPlugin:
    """A loss by name."""

    name: str
    meaning: str
    # Gives one number from logits and targets `[batch, classes]`, the targets summing to 1, and weights `[batch]`.
    compute: Callable[[Any, Any, Any], Any]


@dataclass(frozen=True)
class OptimiserPlugin:
    """An optimiser by name."""

    name: str
    meaning: str
    # Gives a torch optimiser from (parameters, optimiser): groups of parameters with their weight decay, and the Optimiser of
    # the configuration.
    build: Callable[[Any, Any], Any]


@dataclass(frozen=True)
class SchemePlugin:
    """A labelling scheme by name."""

    name: str
    scheme: Scheme


@dataclass(frozen=True)
class FeaturePlugin:
    """A per-pixel feature of the rotating lights by name."""

    name: str
    meaning: str
    # Gives weights `[features, lights]` from the azimuths of the rotating lights, in degrees.
    weights: Callable[[Sequence[float]], Any]
    # The channel modes that it has a meaning for: stacked, and volume where it gives as many features as lights.
    modes: tuple[str, ...] = ("stacked",)


@dataclass(frozen=True)
class Plugin:
    """What one file or package adds."""

    networks: Sequence[NetworkPlugin] = ()
    losses: Sequence[LossPlugin] = ()
    optimisers: Sequence[OptimiserPlugin] = ()
    schemes: Sequence[SchemePlugin] = ()
    features: Sequence[FeaturePlugin] = ()


@dataclass(frozen=True)
class PluginRef:
    """Which plugin it is, as a plan and a bundle record it."""

    # The file's stem, or the entry point's name.
    name: str
    # Of the file's content.
    sha256: str
    # Where it was loaded from: the file, or the entry point as `package:NAME`.
    source: str

    def __str__(self) -> str:
        return f"{self.name} (sha256 {self.sha256[:12]})"


# By the field of Plugin: the axis that its parts are choices of, their table, and what a part's entry in it is.
KINDS: dict[str, tuple[str, dict[str, Any], Callable[[Any], object]]] = {
    "networks": (
        "network.name",
        NETWORKS,
        lambda part: NetworkKind(part.meaning, part.varies, volume=part.volume, flat=part.flat),
    ),
    "losses": ("loss.name", LOSSES, lambda part: LossKind(part.meaning, ())),
    "optimisers": (
        "optimiser.name",
        OPTIMISERS,
        lambda part: OptimiserKind(part.meaning, part.name, momentum="own", elementwise=False),
    ),
    "schemes": ("labelling.scheme", SCHEMES, lambda part: part.scheme),
    "features": ("channels.features", FEATURES, lambda part: Feature(part.meaning, tuple(part.modes))),
}
_REGISTERED: dict[str, tuple[PluginRef, Plugin]] = {}


def register(ref: PluginRef, plugin: Plugin) -> None:
    """Add a plugin's parts to the tables; the same plugin again changes nothing.

    Raises SpaceError for a name that is taken, and for another plugin of the same name.
    """
    known = _REGISTERED.get(ref.name)
    if known is not None:
        if known[0].sha256 != ref.sha256:
            raise SpaceError(f"a plugin's name must be its own, but {ref} is not the {known[0]} in use; rename one of them.")
        return
    entries = []
    for kind, (axis, table, entry) in KINDS.items():
        for part in getattr(plugin, kind):
            if part.name in table or part.name.startswith("timm:"):
                raise SpaceError(
                    f"`{axis}` must offer each name once, but the plugin {ref.name} adds {part.name!r}, which is taken; "
                    "rename it."
                )
            entries.append((table, part.name, entry(part)))
    for table, name, value in entries:
        table[name] = value
    _REGISTERED[ref.name] = ref, plugin


def unregister(name: str) -> None:
    """Take a plugin's parts out of the tables again, for tests and notebooks."""
    _, plugin = _REGISTERED.pop(name)
    for kind, (_, table, _) in KINDS.items():
        for part in getattr(plugin, kind):
            del table[part.name]


def registered() -> tuple[PluginRef, ...]:
    """Give the plugins in use."""
    return tuple(ref for ref, _ in _REGISTERED.values())


def registered_plugin(ref: PluginRef) -> Plugin:
    """Give a plugin in use."""
    return _REGISTERED[ref.name][1]


def find_part(kind: str, name: str) -> Any:
    """Give the part of this name that a plugin added, by the field of Plugin; None where no plugin did."""
    parts = (part for _, plugin in _REGISTERED.values() for part in getattr(plugin, kind))
    return next((part for part in parts if part.name == name), None)


def plugins_of(choices: Mapping[str, Sequence[object]]) -> tuple[PluginRef, ...]:
    """Give the plugins in use that some choices need, by axis."""
    needed = []
    for ref, plugin in _REGISTERED.values():
        for kind, (axis, _, _) in KINDS.items():
            if any(part.name in choices.get(axis, ()) for part in getattr(plugin, kind)):
                needed.append(ref)
                break
    return tuple(needed)


def plugins_of_config(config: Any) -> tuple[PluginRef, ...]:
    """Give the plugins in use that a configuration needs."""
    return plugins_of({axis: (reduce(getattr, axis.split("."), config),) for axis, _, _ in KINDS.values()})
