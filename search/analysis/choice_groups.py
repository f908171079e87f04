"""Read the finished trials of a study by their choices: on every axis, by labelling scheme, by use of the lights.

Knows nothing of how they are drawn.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

import numpy as np
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.trial import FrozenTrial, TrialState

from search.analysis.importance import failures, trainings
from search.statistics.intervals import Share, reliability
from search.trials.configuration import config_of
from search.trials.records import RungResult
from spaces import Config
from spaces.choices.channels import Channels


@dataclass(frozen=True)
class Outcome:
    """A finished trial, as figures show it."""

    number: int
    config: Config
    params: Mapping[str, Any]
    # Pooled over the folds that it has trained.
    acceptance: Share
    rung: str
    # Whether it climbed the whole ladder: only then is its acceptance one to compare.
    is_complete: bool
    # Trainings that failed, of all.
    failed: int
    trainings: int


def outcomes(finished_trials: Sequence[tuple[FrozenTrial, RungResult]]) -> tuple[Outcome, ...]:
    """Give what figures show of complete, pruned and paused trials, as `search.analysis.importance.finished` gives them."""
    return tuple(_outcome(trial, reached) for trial, reached in finished_trials)


def _outcome(trial: FrozenTrial, reached: RungResult) -> Outcome:
    return Outcome(
        trial.number,
        config_of(trial),
        trial.params,
        reached.quoted.share,
        reached.rung,
        trial.state == TrialState.COMPLETE,
        failures(reached),
        trainings(reached),
    )


@dataclass(frozen=True)
class ChoiceGroup:
    """The finished trials that made one choice."""

    name: str
    finished: int
    # Those that climbed the whole ladder, best lower bound first.
    complete: tuple[Outcome, ...]
    # The median acceptance of these; None where there is none.
    median: float | None
    # The share of all trainings that did not fail.
    sound: Share


def group_by(trials: Sequence[Outcome], name_of: Callable[[Config], str | None]) -> tuple[ChoiceGroup, ...]:
    """Gather trials by a name of their configuration, best median first; those without a name are left out."""
    groups: dict[str, list[Outcome]] = defaultdict(list)
    for trial in trials:
        name = name_of(trial.config)
        if name is not None:
            groups[name].append(trial)
    summed = [_sum_up(name, members) for name, members in groups.items()]
    return tuple(sorted(summed, key=lambda group: (-1.0 if group.median is None else -group.median, group.name)))


def _sum_up(name: str, members: Sequence[Outcome]) -> ChoiceGroup:
    complete = sorted((one for one in members if one.is_complete), key=lambda one: (-one.acceptance.low, one.number))
    started, failed = sum(one.trainings for one in members), sum(one.failed for one in members)
    middle = median(one.acceptance.value for one in complete) if complete else None
    return ChoiceGroup(name, len(members), tuple(complete), middle, reliability(started - failed, started))


def scheme_name(config: Config) -> str:
    """Name the labelling scheme."""
    return config.labelling.scheme


def lights_name(config: Config) -> str:
    """Name the use of the lights: the mode, and the subset where it is not all."""
    lights = config.channels.lights
    return config.channels.mode if lights == Channels().lights else f"{config.channels.mode}, {lights}"


def light_name(config: Config) -> str | None:
    """Name the light of a configuration that sees one alone; None of others."""
    return None if config.channels.light is None else str(config.channels.light)


@dataclass(frozen=True)
class SampledAxis:
    """An axis that varied, with what each trial chose."""

    name: str
    # The names in order; None where it is of numbers.
    names: tuple[str, ...] | None
    # Whether numbers are even on a log axis.
    is_log: bool
    # By trial: the number, or the place of the name among `names`; trials where the axis does not apply are not there.
    values: Mapping[int, float]


def sampled_axes(trials: Sequence[FrozenTrial], numbers: Sequence[int]) -> tuple[SampledAxis, ...]:
    """Read every axis that varied among the trials of these numbers, in the order of first appearance."""
    wanted, chosen = set(numbers), defaultdict[str, dict[int, Any]](dict)
    domains: dict[str, Any] = {}
    for trial in trials:
        if trial.number in wanted:
            for axis, value in trial.params.items():
                chosen[axis][trial.number] = value
                domains.setdefault(axis, trial.distributions[axis])
    axes = []
    for axis, values in chosen.items():
        if len(set(values.values())) > 1:
            axes.append(_axis(axis, domains[axis], values))
    return tuple(axes)


def _axis(axis: str, domain: Any, values: Mapping[int, Any]) -> SampledAxis:
    if isinstance(domain, CategoricalDistribution):
        taken = {str(value) for value in values.values()}
        names = tuple(str(choice) for choice in domain.choices if str(choice) in taken)
        return SampledAxis(axis, names, False, {number: float(names.index(str(value))) for number, value in values.items()})
    assert isinstance(domain, FloatDistribution | IntDistribution)  # Optuna has no others
    return SampledAxis(axis, None, bool(domain.log), {number: float(value) for number, value in values.items()})


def even_place(axis: SampledAxis, value: float) -> float:
    """Place a value between 0 and 1, even along the axis, lowest chosen value 0."""
    low, high = min(axis.values.values()), max(axis.values.values())
    if axis.is_log:
        low, high, value = (float(np.log(number)) for number in (low, high, value))
    return (value - low) / (high - low)
