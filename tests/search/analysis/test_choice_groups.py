"""Trials are grouped by their choices, and axes are read as trials chose from them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution
from optuna.trial import FrozenTrial, TrialState, create_trial

from search.analysis.choice_groups import (
    even_place,
    group_by,
    light_name,
    lights_name,
    outcomes,
    sampled_axes,
    scheme_name,
)
from search.analysis.importance import finished
from spaces import Config
from spaces.choices.channels import Channels
from spaces.choices.labelling import Labelling
from spaces.choices.networks import Network
from tests.support.trials import reached, recipe, written

DOMAINS: dict[str, BaseDistribution] = {
    "optimiser.name": CategoricalDistribution(["sgd", "adam", "lion"]),
    "rate": FloatDistribution(1e-4, 1.0, log=True),
}


def trial_of(
    number: int, accepted: int, config: Config | None = None, params: Mapping[str, Any] | None = None, *, pruned: bool = False
) -> FrozenTrial:
    folds, params = 1 if pruned else 5, dict(params or {})
    record = reached(folds, accepted=(accepted,) * folds, signals=(100,) * folds, rung="1x3" if pruned else "5x30")
    trial = create_trial(
        state=TrialState.PRUNED if pruned else TrialState.COMPLETE,
        value=None if pruned else accepted / 100,
        params=params,
        distributions={name: DOMAINS[name] for name in params},
        user_attrs=written(recipe(config), record),
    )
    trial.number = number
    return trial


def test_schemes_lie_side_by_side_best_median_first() -> None:
    two, four = Config(), Config(labelling=Labelling("four-way"))
    trials = [trial_of(0, 50, two), trial_of(1, 70, two), trial_of(2, 80, four), trial_of(3, 99, two, pruned=True)]
    first, second = group_by(outcomes(finished(trials)), scheme_name)
    assert (first.name, first.finished, first.median) == ("four-way", 1, 0.8)
    assert (second.name, second.finished) == ("binary", 3)
    assert second.median == pytest.approx(0.6)
    assert [one.number for one in second.complete] == [1, 0]
    # Five folds of each complete trial and one of the pruned one, none of which failed.
    assert second.sound.value == 1.0


def test_uses_of_the_lights_are_named_and_single_lights_apart() -> None:
    single, subset = Channels("single", light="9"), Channels("stacked", lights="rotating")
    configs = [Config(channels=channels, network=Network("minihip")) for channels in (single, subset)]
    trials = outcomes(finished([trial_of(number, 50, config) for number, config in enumerate(configs)]))
    assert [group.name for group in group_by(trials, lights_name)] == ["single", "stacked, rotating"]
    assert [group.name for group in group_by(trials, light_name)] == ["9"]


def test_axes_that_varied_are_read_with_their_places() -> None:
    trials = [
        trial_of(0, 50, params={"optimiser.name": "sgd", "rate": 1e-4}),
        trial_of(1, 50, params={"optimiser.name": "lion", "rate": 1e-2}),
        trial_of(2, 50, params={"rate": 1.0}),
        trial_of(3, 50, params={"optimiser.name": "adam", "rate": 0.5}),
    ]
    names, rates = sampled_axes(trials, [0, 1, 2])
    assert (names.name, names.names, names.values) == ("optimiser.name", ("sgd", "lion"), {0: 0.0, 1: 1.0})
    assert rates.is_log and rates.names is None
    assert [even_place(rates, rates.values[number]) for number in range(3)] == pytest.approx([0, 0.5, 1])
    assert sampled_axes(trials, [0]) == ()
