"""Turn a space into Optuna's suggestions: the one place where the two meet."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from spaces.axes import AXES, Range, Scalar
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
        domain = space.domain(key)
        if domain == ():  # left out, as the fitted space has it
            continue
        if not isinstance(domain, Range):
            taken[key] = domain[0] if len(domain) == 1 else trial.suggest_categorical(key, list(domain))
        elif domain.whole and axis.whole:
            taken[key] = trial.suggest_int(key, int(domain.low), int(domain.high), log=domain.log)
        else:
            taken[key] = trial.suggest_float(key, domain.low, domain.high, log=domain.log)
    return _config(taken, space.schemes)


def _config(taken: Mapping[str, Scalar], schemes: Mapping[str, Mapping[str, str]]) -> Config:
    parts: dict[str, dict[str, Any]] = {name: {} for name in PARTS}
    whole: dict[str, Any] = {}
    for key, value in taken.items():
        target = AXES[key].target or key
        table, _, name = target.rpartition(".")
        (parts[table] if table else whole)[name] = value
    if taken["labelling.scheme"] in schemes:
        parts["labelling"]["own"] = dict(schemes[str(taken["labelling.scheme"])])
    return Config(**{name: PARTS[name](**values) for name, values in parts.items()}, **whole)
