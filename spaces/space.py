"""A `Space`: the domain of every axis, written down by hand, in a TOML file, or left to the defaults.

Knows nothing of Optuna or of files of data; `fit` takes what a data set can carry.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import product
from pathlib import Path
from typing import Any

import tomli_w

from spaces.axes import AXES, MODES_OF, SHORT, Domain, Range, Scalar, check_domain
from spaces.choices.augmentation import allowed_turns
from spaces.choices.channels import SUBSETS, Channels, Light, check_subset, used_lights
from spaces.choices.features import check_features
from spaces.choices.labelling import SCHEMES, Scheme, own_scheme
from spaces.choices.networks import check_form, check_lights
from spaces.errors import SpaceError
from spaces.toml_file import read_toml

# Where a space file keeps labelling schemes of its own.
SCHEMES_KEY = "schemes"
# What a range of learning rates says of itself where each optimiser takes its own part of it.
PER_OPTIMISER = "per_optimiser"


@dataclass(frozen=True)
class Space:
    """What may vary. Raises SpaceError for an unknown axis or a value outside it."""

    # The domain of an axis by its key: a tuple of choices, or a Range. Other axes keep their defaults, as far as the data set
    # carries them.
    chosen: Mapping[str, Domain] = field(default_factory=dict)
    # Labelling schemes of its own, each a table label -> class.
    schemes: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    # The keys of `chosen` that are treated as defaults are, as those of a ready-made space.
    lenient: frozenset[str] = field(default=frozenset(), compare=False)

    def __post_init__(self) -> None:
        for name, table in self.schemes.items():
            _check_scheme(name, table)
        for key, domain in self.chosen.items():
            check_domain(key, domain, self.schemes)

    def __repr__(self) -> str:
        axes = [*self.chosen]
        return f"Space({len(axes)} axes chosen: {', '.join(axes[:3])}{', ...' if len(axes) > 3 else ''})"

    def domain(self, key: str) -> Domain:
        """Give the domain of an axis."""
        return self.chosen.get(key, AXES[key].domain)

    @classmethod
    def read(cls, path: str | Path) -> Space:
        """Read a space file. Raises SpaceError naming the file and the key's line."""
        path = Path(path)
        file = read_toml(path, "a space file")
        table = dict(file.table)
        chosen: dict[str, Domain] = {}
        schemes = table.pop(SCHEMES_KEY, {})
        own = schemes if isinstance(schemes, dict) else {SCHEMES_KEY: schemes}
        for key, value in {**{f"{SCHEMES_KEY}.{name}": kinds for name, kinds in own.items()}, **flatten(table)}.items():
            try:
                if key.startswith(f"{SCHEMES_KEY}."):
                    _check_scheme(key.removeprefix(f"{SCHEMES_KEY}."), value)
                    continue
                chosen[key] = _domain(key, value)
                check_domain(key, chosen[key], own)
            except SpaceError as error:
                raise SpaceError(f"{path}:{file.line(key)}: {error}") from None
        return cls(chosen, own)

    def write(self) -> str:
        """Give the text of a space file with every chosen axis."""
        table: dict[str, Any] = {}
        values = self.to_dict()
        schemes = values.pop(SCHEMES_KEY, None)
        for key, value in sorted(values.items(), key=lambda item: ("." in item[0], list(AXES).index(item[0]))):
            *tables, name = key.split(".")
            place = table.setdefault(tables[0], {}) if tables else table
            place[name] = value
        return tomli_w.dumps({**table, SCHEMES_KEY: schemes} if schemes else table)

    def to_dict(self) -> dict[str, Any]:
        """Give plain values of the chosen axes, ready for JSON; `from_dict` reads them."""
        plain: dict[str, Any] = {
            key: _plain_range(domain) if isinstance(domain, Range) else list(domain) for key, domain in self.chosen.items()
        }
        return {**plain, SCHEMES_KEY: {name: dict(own) for name, own in self.schemes.items()}} if self.schemes else plain

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Space:
        """Read what `to_dict` gave."""
        chosen = {key: _domain(key, value) for key, value in values.items() if key != SCHEMES_KEY}
        return cls(chosen, values.get(SCHEMES_KEY, {}))

    def fit(self, labels: Collection[str], lights: Sequence[Light]) -> Space:
        """Make every axis explicit for a data set with these labels and lights.

        A default choice that the data cannot carry, or that goes with no other, is dropped; one that was chosen raises
        SpaceError.
        """
        fitted: dict[str, Domain] = {key: self.domain(key) for key in AXES}
        for key, carries in (
            ("labelling.scheme", partial(self._carries_scheme, labels)),
            ("channels.mode", lambda name: name == "single" or used_lights(Channels(str(name)), lights)),
        ):
            fitted[key] = self._carried(key, fitted[key], carries)
        seen = _tuple(fitted["channels.mode"])
        fitted["network.name"] = self._carried(
            "network.name", fitted["network.name"], lambda name: _one_fits([name], seen, lights)
        )
        networks = _tuple(fitted["network.name"])
        modes = self._carried("channels.mode", seen, lambda name: _one_fits(networks, [name], lights))
        fitted["channels.mode"] = modes
        if "single" in modes:
            fitted["channels.light"] = self.chosen.get("channels.light", tuple(light.name for light in lights))
        together: list[Channels] = []
        for key in ("channels.lights", "channels.volume_lights"):
            takers = [str(mode) for mode in modes if mode in MODES_OF[key]]
            if takers:
                fitted[key] = self._carried(
                    key, fitted[key], partial(check_subset, list(map(str, _tuple(fitted[key]))), takers, lights)
                )
            together += [Channels(mode, lights=str(name)) for mode in takers for name in _tuple(fitted[key])]
        for key in ("channels.features", "channels.volume_features"):
            takes = [use for use in together if use.mode in MODES_OF[key]]
            featured = [use for use in takes if SUBSETS[use.lights].featured]
            if takes and not featured and self._insists(key):
                raise SpaceError(
                    f"`{key}` must not be set where every choice of `channels.lights` is {takes[0].lights}, of which it says "
                    "nothing more; remove it."
                )
            fitted[key] = self._carried(key, fitted[key], partial(_carries_features, featured, lights))
        uses = {
            "augmentation.lights": together,
            "augmentation.single": [
                Channels("single", str(light)) for light in _tuple(fitted["channels.light"]) if "single" in modes
            ],
        }
        for key, channels in uses.items():
            fitted[key] = self._carried(key, fitted[key], partial(_carries_turns, channels, lights))
        idle = {key: "channels.mode" for key, takers in MODES_OF.items() if not set(takers) & set(modes)}
        for key, of in (("augmentation.drop", "channels.mode"), ("labelling.detector", "labelling.scheme")):
            if not any(AXES[key].applies({of: choice}) for choice in _tuple(fitted[of])):
                idle[key] = of
        for key, of in idle.items():
            if self._insists(key):
                kind = of.rpartition(".")[2]
                raise SpaceError(
                    f"`{key}` must not be set where no `{of}` uses it, but the {kind}s are "
                    f"{', '.join(map(str, _tuple(fitted[of])))}; remove it, or add a {kind} that does."
                )
        return Space({key: domain for key, domain in fitted.items() if key not in idle}, self.schemes)

    def left_out(self, fitted: Space) -> str | None:
        """Say which choices that were chosen a data set could not carry, given the space fitted to it; None where all are."""
        gone = {
            key: [choice for choice in _tuple(self.domain(key)) if choice not in _tuple(fitted.domain(key))]
            for key in self.chosen
            if key in fitted.chosen
        }
        lists = [f"{key} {', '.join(map(str, choices))}" for key, choices in gone.items() if choices]
        return f"left out of the space, for the data set does not carry it: {'; '.join(lists)}" if lists else None

    def positive(self, signal: str) -> str:
        """Give the label that is scored as the signal, where `signal` is the data set's own.

        Raises SpaceError where the schemes do not score the same label.
        """
        positives = {scheme.positive or signal for scheme in map(self._scheme, _tuple(self.domain("labelling.scheme")))}
        if len(positives) > 1:
            raise SpaceError(
                "`labelling.scheme` must ask one question of all trials, but "
                f"{', '.join(map(str, _tuple(self.domain('labelling.scheme'))))} score different labels; search apart."
            )
        return next(iter(positives))

    @property
    def named(self) -> frozenset[str]:
        """The labels that the schemes name: all that is scored where the signal is not the data set's own."""
        return frozenset().union(*(self._scheme(name).needs for name in _tuple(self.domain("labelling.scheme"))))

    def _scheme(self, name: Scalar) -> Scheme:
        return own_scheme(str(name), self.schemes[str(name)]) if name in self.schemes else SCHEMES[str(name)]

    def _carries_scheme(self, labels: Collection[str], name: Scalar) -> None:
        needs = set(self.schemes[str(name)]) if name in self.schemes else SCHEMES[str(name)].needs
        missing = needs - set(labels)
        if missing:
            raise SpaceError(
                f"`labelling.scheme = {name}` needs the labels {', '.join(sorted(needs))}, but the data set has no "
                f"{', '.join(sorted(missing))}; leave it out."
            )

    def _insists(self, key: str) -> bool:
        return key in self.chosen and key not in self.lenient

    def _carried(self, key: str, domain: Domain, carries: Callable[[Scalar], object]) -> tuple[Scalar, ...]:
        choices: list[Scalar] = []
        refusal: SpaceError | None = None
        for choice in _tuple(domain):
            try:
                carries(choice)
            except SpaceError as error:
                if self._insists(key):
                    raise
                refusal = error
            else:
                choices.append(choice)
        if not choices and refusal is not None:
            raise refusal
        return tuple(choices)


def _one_fits(networks: Iterable[Scalar], modes: Iterable[Scalar], lights: Sequence[Light]) -> None:
    """Raise SpaceError where none of the networks takes any of the modes under these lights."""
    refusal: SpaceError | None = None
    for network, mode in product(map(str, networks), map(str, modes)):
        try:
            check_form(network, mode)
            check_lights(network, Channels(mode), lights)
        except SpaceError as error:
            refusal = error
        else:
            return
    if refusal is not None:
        raise refusal


def _tuple(domain: Domain) -> tuple[Scalar, ...]:
    return () if isinstance(domain, Range) else domain


def _carries_features(uses: Sequence[Channels], lights: Sequence[Light], name: Scalar) -> None:
    for use in uses:
        check_features(replace(use, features=str(name)), lights)


def _carries_turns(uses: Sequence[Channels], lights: Sequence[Light], name: Scalar) -> None:
    for use in uses:
        allowed_turns(str(name), use, lights)


def _check_scheme(name: str, table: object) -> None:
    if not isinstance(table, Mapping) or not all(isinstance(kind, str) for kind in table.values()):
        raise SpaceError(f"`{SCHEMES_KEY}.{name}` must be a table label -> class, but got {table!r}; correct it.")
    if name in SCHEMES:
        raise SpaceError(f"`{SCHEMES_KEY}.{name}` must have a name of its own, but {name!r} is taken; rename it.")
    own_scheme(name, table)


def flatten(table: Mapping[str, Any]) -> dict[str, Any]:
    """Give a TOML table's values by the keys of their axes."""
    flat: dict[str, Any] = {}
    for key, value in table.items():
        if isinstance(value, dict) and not set(value) & {"low", "high", "log"}:
            flat.update({f"{key}.{name}": inner for name, inner in value.items()})
        else:
            flat[SHORT.get(key, key)] = value
    return flat


def _plain_range(domain: Range) -> dict[str, Any]:
    """Give a range as plain values; what an older pitsearch did not know is named only where it is set."""
    plain = {"low": domain.low, "high": domain.high, "log": domain.log}
    return {**plain, PER_OPTIMISER: True} if domain.per_optimiser else plain


def _domain(key: str, value: Any) -> Domain:
    if isinstance(value, dict):
        odd = set(value) - {"low", "high", "log", PER_OPTIMISER}
        if odd or not {"low", "high"} <= set(value):
            raise SpaceError(f"`{key}` must be written {{low = ..., high = ..., log = true}}, but got {value}; correct it.")
        low, high, log, own = value["low"], value["high"], value.get("log", False), value.get(PER_OPTIMISER, False)
        numbers = all(isinstance(end, int | float) and not isinstance(end, bool) for end in (low, high))
        if not numbers or not isinstance(log, bool) or not isinstance(own, bool):
            raise SpaceError(f"`{key}` must have numbers as low and high, true or false as log, but got {value}; correct it.")
        return Range(low, high, log, own)
    values = value if isinstance(value, list) else [value]
    if not all(isinstance(item, str | int | float) and not isinstance(item, bool) for item in values):
        raise SpaceError(f"`{key}` must be a name, a number, a list of them, or a range, but got {value!r}; correct it.")
    return tuple(values)
