"""Turn a space into Optuna's suggestions: the one place where the two meet."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Protocol

from spaces.axes import AXES, Domain, Range, Scalar, holds
from spaces.choices.optimisers import kind_of
from spaces.config import PARTS, Config
from spaces.space import Space


class Suggests(Protocol):
    """What is used of optuna.trial.Trial."""

    def suggest_categorical(self, name: str, choices: Any, /) -> Any: ...
    def suggest_int(self, name: str, low: int, high: int, /, *, log: bool) -> int: ...
    def suggest_float(self, name: str, low: float, high: float, /, *, log: bool) -> float: ...


def suggest(trial: Suggests, space: Space) -> Config:
    """Ask a trial for one choice on every axis that applies. `space` must be fitted to a data set.

    An axis with one choice is set, not suggested, so that it adds nothing to the sampler's dimensions.
    """
    taken: dict[str, Scalar] = {}
    for key, axis in AXES.items():
        if not axis.applies(taken):
            continue
        name, domain = parameter(space, key, taken)
        if not isinstance(domain, Range):
            taken[key] = domain[0] if len(domain) == 1 else trial.suggest_categorical(name, list(domain))
        elif domain.whole and axis.whole:
            taken[key] = trial.suggest_int(name, int(domain.low), int(domain.high), log=domain.log)
        else:
            taken[key] = trial.suggest_float(name, domain.low, domain.high, log=domain.log)
    return configuration(taken, space.schemes)


def parameter(space: Space, key: str, taken: Mapping[str, Scalar]) -> tuple[str, Domain]:
    """Give the name under which Optuna knows an axis after these choices, and the domain that it has there.

    Optuna wants one domain for each name. Where not every choice goes with every choice of the axis beside it, the name says
    with which it goes, `network.name (volume)`; those of that axis with the same domain share a name, and what is learned. So
    it is with learning rates, `optimiser.learning_rate (adam, adamw)`, where each optimiser takes its part of the range.
    """
    domain, beside = space.domain(key), AXES[key].beside
    if isinstance(domain, Range) and domain.per_optimiser:
        return _rates(space, key, domain, taken)
    if beside is None or isinstance(domain, Range):
        return key, domain
    other, fits = beside
    known = space.domain(other)
    choices_of = {
        mode: tuple(choice for choice in domain if fits(str(choice), str(mode)))
        for mode in (() if isinstance(known, Range) else known)
    }
    mine = choices_of[taken[other]]
    alike = [str(mode) for mode, choices in choices_of.items() if choices == mine]
    return (key if len(alike) == len(choices_of) else f"{key} ({', '.join(alike)})"), mine


def _rates(space: Space, key: str, domain: Range, taken: Mapping[str, Scalar]) -> tuple[str, Domain]:
    """Give the name and the range of learning rates of the optimiser that was taken."""
    offered = space.domain("optimiser.name")
    part_of = {name: domain.within(*kind_of(str(name)).rates) for name in (() if isinstance(offered, Range) else offered)}
    mine = part_of.get(taken["optimiser.name"]) or domain.within(*kind_of(str(taken["optimiser.name"])).rates)
    alike = [str(name) for name, part in part_of.items() if part == mine]
    return (key if len(alike) == len(part_of) else f"{key} ({', '.join(alike)})"), mine


def axis_of(name: str) -> str:
    """Give the key of the axis that Optuna knows under this name."""
    return name.partition(" (")[0]


def parameters(space: Space, choices: Mapping[str, Scalar]) -> dict[str, Scalar]:
    """Translate choices on some axes into Optuna's parameters, as far as the space holds them."""
    params: dict[str, Scalar] = {}
    for key, value in choices.items():
        other = _axis_before(space, key)
        known = space.domain(other) if other else ()
        befores: list[dict[str, Scalar]] = [{other: choice} for choice in known] if other and isinstance(known, tuple) else [{}]
        for before in befores:
            name, domain = parameter(space, key, before)
            if holds(domain, value):
                params[name] = value
    return params


def _axis_before(space: Space, key: str) -> str | None:
    """Give the axis that the domain of another depends on; None where it does on none."""
    domain, beside = space.domain(key), AXES[key].beside
    if isinstance(domain, Range) and domain.per_optimiser:
        return "optimiser.name"
    return beside[0] if beside else None


def configuration(taken: Mapping[str, Scalar], schemes: Mapping[str, Mapping[str, str]] = MappingProxyType({})) -> Config:
    """Make a configuration of one choice on every axis that applies; `schemes`: a space's own labelling schemes."""
    parts: dict[str, dict[str, Any]] = {name: {} for name in PARTS}
    whole: dict[str, Any] = {}
    for key, value in taken.items():
        target = AXES[key].target or key
        table, _, name = target.rpartition(".")
        (parts[table] if table else whole)[name] = value
    if taken["labelling.scheme"] in schemes:
        parts["labelling"]["own"] = dict(schemes[str(taken["labelling.scheme"])])
    return Config(**{name: PARTS[name](**values) for name, values in parts.items()}, **whole)
