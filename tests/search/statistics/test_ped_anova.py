"""PED-ANOVA over many draws at once gives Optuna's numbers, for every kind of domain."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import optuna
import pytest
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.importance import PedAnovaImportanceEvaluator, get_param_importances
from optuna.trial import FrozenTrial, create_trial

from search.statistics.ped_anova import domains_of, measure

DOMAINS: dict[str, BaseDistribution] = {
    "name": CategoricalDistribution(["sgd", "adam", "adamw"]),
    "rate": FloatDistribution(1e-4, 1e-1, log=True),
    "share": FloatDistribution(0.0, 0.5),
    "step": FloatDistribution(0.0, 1.0, step=0.1),
    "depth": IntDistribution(2, 5),
    "width": IntDistribution(4, 256, log=True),
    "single": IntDistribution(3, 3),
}


def drawn(count: int, seed: int = 0) -> list[FrozenTrial]:
    generator = np.random.default_rng(seed)
    trials = []
    for number in range(count):
        params: dict[str, Any] = {
            "name": ["sgd", "adam", "adamw"][generator.integers(3)],
            "rate": float(10 ** generator.uniform(-4, -1)),
            "share": float(generator.uniform(0, 0.5)),
            "step": float(generator.integers(11) / 10),
            "depth": int(generator.integers(2, 6)),
            "width": int(4 * 2 ** generator.integers(7)),
            "single": 3,
        }
        own = DOMAINS if number % 3 else {**DOMAINS, "rate": FloatDistribution(1e-4, 3e-1, log=True)}
        loss = abs(np.log10(params["rate"]) + 2) + (params["name"] == "sgd") + generator.normal(0, 0.3)
        trials.append(create_trial(value=float(loss), params=params, distributions=own))
    return trials


def by_optuna(trials: list[FrozenTrial], counts: np.ndarray[Any, Any], top: int) -> dict[str, float]:
    study = optuna.create_study()
    study.add_trials([trial for trial, count in zip(trials, counts, strict=True) for _ in range(int(count))])
    evaluator = PedAnovaImportanceEvaluator(target_quantile=(top - 0.5) / counts.sum())
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        weights = get_param_importances(study, evaluator=evaluator, params=[*DOMAINS], normalize=False)
    return {axis: float(weight) for axis, weight in weights.items()}


@pytest.mark.parametrize(("count", "top"), [(40, 10), (7, 2), (3, 1)])
def test_the_numbers_are_those_of_optuna(count: int, top: int) -> None:
    trials = drawn(count)
    losses = np.array([trial.value for trial in trials])
    once, again = np.ones(count), np.bincount(np.random.default_rng(1).integers(count, size=count), minlength=count)
    held = np.array([once, again], np.float64)
    cuts = [np.sort(np.repeat(losses, counts.astype(int)))[top - 1] for counts in held]
    at_top = np.array([np.where(losses <= cut, counts, 0) for counts, cut in zip(held, cuts, strict=True)])
    expected = [by_optuna(trials, counts, top) for counts in held]
    for axis in DOMAINS:
        got = measure(domains_of(axis, trials), at_top, held)
        assert got == pytest.approx([weights[axis] for weights in expected], rel=1e-6, abs=1e-9), axis


def test_where_nothing_is_at_the_top_an_axis_tells_nothing() -> None:
    trials = drawn(20)
    assert measure(domains_of("rate", trials), np.zeros((1, 20)), np.ones((1, 20))) == [0.0]
    assert domains_of("absent", trials) == domains_of("single", trials) == []
