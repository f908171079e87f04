"""Known configurations: what a trial tried, as axis = value, and files of such to start a search from.

Such a file is TOML, an array of tables `[[trial]]`; an axis that a table leaves out is left to the sampler. Knows nothing of
trials.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import tomli_w

from spaces.axes import AXES, Range, Scalar, check_domain, holds, unknown_axis
from spaces.choices.networks import check_form
from spaces.choices.optimisers import kind_of
from spaces.config import Config
from spaces.errors import SpaceError
from spaces.space import Space, flatten
from spaces.toml_file import read_toml

TRIAL = "trial"


@dataclass(frozen=True)
class KnownConfig:
    """Choices on some axes, and the place that they were read from, for people."""

    choices: Mapping[str, Scalar]
    place: str = "a known configuration"

    def check(self, space: Space) -> None:
        """Raise SpaceError, saying the place, where a fitted space does not hold the choices."""
        try:
            for key, value in self.choices.items():
                check_domain(key, (value,), space.schemes)
                domain = space.domain(key)
                if isinstance(domain, Range) and domain.per_optimiser and "optimiser.name" in self.choices:
                    domain = domain.within(*kind_of(str(self.choices["optimiser.name"])).rates)
                if not holds(domain, value):
                    offered = ", ".join(map(str, domain)) if isinstance(domain, tuple) else f"{domain.low:g} to {domain.high:g}"
                    raise SpaceError(
                        f"`{key}` must be in the space ({offered}), but got {value!r}; widen it, or leave the axis out."
                    )
            network, mode = self.choices.get("network.name"), self.choices.get("channels.mode")
            for key, value in self.choices.items():
                if network is not None and key.startswith("network.") and not AXES[key].applies(self.choices):
                    raise SpaceError(f"`{key}` must not be set for {network}, which has none, but got {value!r}; leave it out.")
            if network is not None and mode is not None:
                check_form(str(network), str(mode))
        except SpaceError as error:
            raise SpaceError(f"{self.place}: {error}") from None


def choices_of(config: Config) -> dict[str, Scalar]:
    """Give a configuration's choice on every axis that applies."""
    values, taken = config.to_dict(), dict[str, Scalar]()
    for key, axis in AXES.items():
        if axis.applies(taken):
            table, _, name = (axis.target or key).rpartition(".")
            taken[key] = (values[table] if table else values)[name]
    return taken


def write_known(config: Config, remark: str) -> str:
    """Give a file of one configuration, below a line of remark."""
    lines = [f"{key} = {tomli_w.dumps({'v': value}).removeprefix('v = ').strip()}" for key, value in choices_of(config).items()]
    return "\n".join([f"# {remark}", f"[[{TRIAL}]]", *lines]) + "\n"


def read_known(path: str | Path) -> list[KnownConfig]:
    """Read a file of known configurations. Raises SpaceError naming the file and the trial."""
    path = Path(path)
    table = read_toml(path, "a file of known configurations").table
    trials = table.get(TRIAL)
    if set(table) != {TRIAL} or not isinstance(trials, list):
        raise SpaceError(
            f"{path}: a file of known configurations must hold [[{TRIAL}]] tables and nothing else, but has "
            f"{', '.join(table) or 'nothing'}; print one with `pitsearch status --trial NUMBER`."
        )
    return [_known(f"{path}: {TRIAL} {number}", values) for number, values in enumerate(trials, start=1)]


def _known(place: str, values: Mapping[str, Any]) -> KnownConfig:
    choices = flatten(values)
    for key, value in choices.items():
        if key not in AXES:
            raise SpaceError(f"{place}: {unknown_axis(key)}")
        if not isinstance(value, str | int | float) or isinstance(value, bool):
            raise SpaceError(f"{place}: `{key}` must be one name or number, but got {value!r}; correct it.")
    return KnownConfig(choices, place)
