"""Samplers by name: what each is, and which spaces it can take. `search/workers/sampler.py` makes them.

To add a sampler, add one entry to SAMPLERS and its maker there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

from pitsearch.errors import did_you_mean
from search.errors import StudyError
from spaces import Range, Space
from spaces.suggest import axis_of, suggest


@dataclass(frozen=True)
class SamplerKind:
    """What a sampler is, and what it takes of a space."""

    # What it does, with its source.
    meaning: str
    # Whether a space may have axes that are choices of names.
    takes_names: bool = True
    # Whether it models such axes; if not, they are drawn at random.
    models_names: bool = True
    # Whether it models axes that apply to some configurations alone; if not, they are drawn at random.
    models_conditional: bool = True
    # Whether it takes two objectives.
    takes_two_objectives: bool = True


SAMPLERS: dict[str, SamplerKind] = {
    "tpe": SamplerKind("tree-structured Parzen estimator, multivariate (Bergstra et al. 2011; Falkner et al. 2018)"),
    "gp": SamplerKind("Gaussian process with expected improvement, by Optuna", models_conditional=False),
    "cmaes": SamplerKind(
        "covariance matrix adaptation (Hansen 2016, arXiv:1604.00772)",
        takes_names=False,
        takes_two_objectives=False,
    ),
    "random": SamplerKind("every axis independently, at random"),
    "qmc": SamplerKind("quasi-Monte Carlo: Sobol's sequence over the numbers", models_names=False, models_conditional=False),
}


def check_sampler(name: str) -> None:
    """Raise StudyError for an unknown name."""
    if name not in SAMPLERS:
        raise StudyError(f"a sampler must be one of {', '.join(SAMPLERS)}, but got {name!r}; {did_you_mean(name, SAMPLERS)}.")


def fit_sampler(name: str, space: Space, objectives: Sequence[str]) -> str | None:
    """Say what a sampler leaves to chance in a space, where it does; None where it models all of it.

    Raises StudyError where it cannot take the space, or the objectives.
    """
    kind, (always, conditional) = SAMPLERS[name], asked_axes(space)
    varied = always | conditional
    names = {key for key in varied if not isinstance(space.domain(key), Range)}
    if not kind.takes_two_objectives and len(objectives) > 1:
        raise StudyError(f"the sampler {name} takes one objective, but got {','.join(objectives)}; choose tpe, gp or random.")
    if not kind.takes_names and (names or len(varied) < 2):
        what = ", ".join(sorted(names)[:4]) + (", ..." if len(names) > 4 else "") if names else f"{len(varied)} axes"
        raise StudyError(
            f"the sampler {name} takes two or more axes, each a range of numbers, but got {what}; pin what is no range with "
            "--fix, or choose tpe."
        )
    drawn = (set() if kind.models_conditional else conditional) | (set() if kind.models_names else names)
    if not drawn:
        return None
    listed = ", ".join(sorted(drawn))
    return f"the sampler {name} draws {len(drawn)} of {len(varied)} axes at random, for it does not model them: {listed}"


def asked_axes(space: Space, draws: int = 256) -> tuple[set[str], set[str]]:
    """Give the axes that every configuration of a space chooses on, and those that only some do.

    As far as so many random configurations show.
    """
    configurations: list[set[str]] = []
    for seed in range(draws):
        recorder = _Random(seed)
        suggest(recorder, space)
        configurations.append(set(recorder.names))
    # An axis that Optuna knows under several names, by the choices before it, is one that only some choose on.
    always = {axis_of(name) for name in configurations[0].intersection(*configurations)}
    return always, {axis_of(name) for name in set[str]().union(*configurations)} - always


class _Random:
    """Draw at random what a space asks for, and record the names."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)
        self.names: list[str] = []

    def suggest_categorical(self, name: str, choices: Any, /) -> Any:
        self.names.append(name)
        return self.random.choice(choices)

    def suggest_int(self, name: str, low: int, high: int, /, *, log: bool) -> int:
        self.names.append(name)
        return self.random.randint(low, high)

    def suggest_float(self, name: str, low: float, high: float, /, *, log: bool) -> float:
        self.names.append(name)
        return self.random.uniform(low, high)
