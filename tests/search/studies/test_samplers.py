"""Samplers by name: which spaces each takes, and that a study runs with each of them."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import optuna
import pytest
from optuna.samplers import CmaEsSampler
from optuna.trial import TrialState

from foils import Dataset
from search.errors import StudyError
from search.studies.samplers import SAMPLERS, asked_axes, fit_sampler
from search.workers.cmaes_sampler import JsonCmaEsSampler
from search.workers.sampler import MAKERS
from spaces import Range, Space
from tests.support.studies import SMALL_SPACE, start

ONE = ("acceptance",)
NUMBERS = Space(
    {
        **SMALL_SPACE.chosen,
        "network.width": Range(4, 8),
        "optimiser.name": ("adam",),
        "balance.name": ("none",),
        "optimiser.schedule": ("constant",),
        "augmentation.lights": ("none",),
        "loss.name": ("cross-entropy",),
    }
)


def fitted(space: Space, data: Dataset) -> Space:
    return space.fit(["candidate", "top", "bottom", "misc"], data.description.channels)


def test_every_sampler_has_a_maker() -> None:
    assert set(MAKERS) == set(SAMPLERS)


@pytest.mark.parametrize("name", ["tpe", "random"])
def test_these_take_every_space(name: str, tiny: Dataset) -> None:
    assert fit_sampler(name, fitted(Space(), tiny), ("acceptance", "cost")) is None


@pytest.mark.parametrize("name", ["gp", "qmc"])
def test_what_is_left_to_chance_is_said(name: str, tiny: Dataset) -> None:
    space = fitted(Space(), tiny)
    note = fit_sampler(name, space, ONE)
    assert note is not None
    assert note.startswith(f"the sampler {name} draws ")
    assert asked_axes(space)[1]
    assert ("labelling.scheme" in note) == (name == "qmc")


def test_cmaes_refuses_what_is_no_range(tiny: Dataset) -> None:
    with pytest.raises(StudyError, match=r"the sampler cmaes takes two or more axes, each a range of numbers, but got .*; pin"):
        fit_sampler("cmaes", fitted(Space(), tiny), ONE)
    with pytest.raises(StudyError, match="the sampler cmaes takes one objective, but got acceptance,cost; choose tpe"):
        fit_sampler("cmaes", fitted(NUMBERS, tiny), ("acceptance", "cost"))
    assert fit_sampler("cmaes", fitted(NUMBERS, tiny), ONE) is None


@pytest.mark.parametrize("name", SAMPLERS)
def test_a_study_runs_with_every_sampler(name: str, tiny: Dataset, tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp(name)
    study = start(tiny, folder, space=NUMBERS, sampler=name, trials=4, ladder="5x1", audit=0.0)
    assert study.plan.options.sampler == name
    trials = study.optuna.trials
    assert [trial.state for trial in trials] == [TrialState.COMPLETE] * 4
    rates = {trial.params["optimiser.learning_rate"] for trial in trials[2:]}
    assert len(rates) == 2
    with pytest.raises(StudyError, match=r"was made with another sampler \("):
        start(tiny, folder, space=NUMBERS, sampler="tpe" if name != "tpe" else "random", trials=5, ladder="5x1", audit=0.0)


def test_an_unknown_sampler_is_refused(tiny: Dataset, tmp_path_factory: pytest.TempPathFactory) -> None:
    with pytest.raises(StudyError, match="a sampler must be one of tpe, gp, cmaes, random, qmc, but got 'magic'; correct it"):
        start(tiny, tmp_path_factory.mktemp("magic"), sampler="magic")


def optimizer_text(attributes: dict[str, Any]) -> str:
    """Give the state of an optimiser, of which Optuna keeps so many characters in an attribute."""
    parts = {key: value for key, value in attributes.items() if "optimizer" in key}
    return "".join(parts[key] for key in sorted(parts, key=lambda key: int(key.rpartition(":")[2])))


def optimise(sampler: optuna.samplers.BaseSampler) -> list[dict[str, float]]:
    study = optuna.create_study(sampler=sampler)

    def bowl(trial: optuna.Trial) -> float:
        x, y = (trial.suggest_float(name, -5, 5) for name in ("x", "y"))
        return (x - 1) ** 2 + 10 * (y + 2) ** 2

    study.optimize(bowl, n_trials=40)
    kept = [optimizer_text(trial.system_attrs) for trial in study.trials]
    if isinstance(sampler, JsonCmaEsSampler):
        assert any(kept)
        assert all(json.loads(text) for text in kept if text)
    return [trial.params for trial in study.trials]


def test_cmaes_chooses_what_optunas_own_would_and_keeps_no_pickle() -> None:
    ours, optunas = (optimise(kind(seed=3, warn_independent_sampling=False)) for kind in (JsonCmaEsSampler, CmaEsSampler))
    assert ours == optunas


def test_the_state_of_an_optimiser_comes_back() -> None:
    from cmaes import CMA

    optimizer = CMA(mean=np.zeros(3), sigma=1.3, seed=1)
    optimizer.tell([(optimizer.ask(), float(number)) for number in range(optimizer.population_size)])
    sampler = JsonCmaEsSampler()
    again = sampler.decode(sampler.encode(optimizer))
    for name, value in optimizer.__getstate__().items():
        assert np.array_equal(np.asarray(again.__getstate__()[name]), np.asarray(value)), name
