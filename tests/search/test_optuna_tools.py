"""A study of ours is one of Optuna's: its plots, its table and its command work on it."""

from __future__ import annotations

import json
import sys
import warnings
from collections.abc import Callable
from typing import Any

import optuna
import optuna.cli
import pytest
from optuna import visualization
from optuna.exceptions import ExperimentalWarning

from search.studies.study import Study
from search.trials.named_attributes import named_attributes
from search.trials.records import RungResult

# What every plot that asks for values is given of a study with two objectives.
FIRST: dict[str, Any] = {"target": lambda trial: trial.values[0], "target_name": "acceptance"}
OF_VALUES = ("contour", "edf", "optimization_history", "parallel_coordinate", "param_importances", "rank", "slice")
# Plots that Optuna draws of one objective, and of two.
ONE = {*OF_VALUES, "intermediate_values", "timeline"}
# Wants a parameter that all complete trials have: the network in use has none where the space does not hold it.
UNFIT = {"terminator_improvement"}
TWO = {*OF_VALUES, "pareto_front", "timeline", "hypervolume_history"}


def test_the_tests_below_name_every_plot_of_optuna() -> None:
    assert {name.removeprefix("plot_") for name in visualization.__all__ if name.startswith("plot_")} == ONE | TWO | UNFIT


def drawn(name: str, study: Study, **options: Any) -> Any:
    """Draw a plot as a user would who knows nothing of pitsearch."""
    opened = optuna.load_study(study_name=study.name, storage=study.storage)
    plot: Callable[..., Any] = getattr(visualization, f"plot_{name}")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ExperimentalWarning)
        warnings.simplefilter("ignore", UserWarning)  # of so few trials importances are rough
        return plot(opened, **options)


def marks(figure: Any) -> int:
    """Count the marks of a figure."""
    values = [trace.get(key) for trace in figure.to_plotly_json()["data"] for key in ("x", "y", "z", "dimensions")]
    return sum(len(list(value)) for value in values if value is not None)


@pytest.mark.parametrize("name", sorted(ONE))
def test_every_plot_of_one_objective_is_drawn(name: str, finished: Study) -> None:
    assert marks(drawn(name, finished)) > 2


@pytest.mark.parametrize("name", sorted(TWO))
def test_every_plot_of_two_objectives_is_drawn(name: str, two: Study) -> None:
    options = FIRST if name in OF_VALUES else {"reference_point": [0.0, 12.0]} if name == "hypervolume_history" else {}
    assert marks(drawn(name, two, **options)) > 2


def test_the_table_of_trials_says_by_name_how_each_stands(finished: Study) -> None:
    opened = optuna.load_study(study_name="tiny", storage=finished.storage)
    table = opened.trials_dataframe()
    for trial in opened.trials:
        reached = RungResult.demand(trial)
        row = {name: table.loc[trial.number, f"user_attrs_{name}"] for name in named_attributes(reached)}
        assert row == named_attributes(reached)
        assert row["acceptance_low"] <= row["acceptance"] <= row["acceptance_high"]
        assert row["acceptance"] == round(reached.quoted.share.value, 4)
        assert (row["rung"], row["verdicts"]) == (reached.rung, ", ".join(reached.verdicts))
    assert table["user_attrs_acceptance"].dtype == float
    assert table["user_attrs_trainings"].dtype == int


def test_the_command_of_optuna_reads_our_studies(finished: Study, two: Study, run: Runner) -> None:
    assert "tiny" in run(finished, "studies", "-f", "json")
    assert run(finished, "study-names") == "tiny\n"
    assert [trial["number"] for trial in json.loads(run(finished, "trials", "--study-name", "tiny", "-f", "json"))] == [0, 1, 2]
    best = json.loads(run(finished, "best-trial", "--study-name", "tiny", "-f", "json"))
    assert best["number"] == optuna.load_study(study_name="tiny", storage=finished.storage).best_trial.number
    assert json.loads(run(two, "best-trials", "--study-name", "two", "-f", "json"))


class Runner:
    """Runs Optuna's command in this process."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
        self.monkeypatch, self.capsys = monkeypatch, capsys

    def __call__(self, study: Study, *words: str) -> str:
        self.monkeypatch.setattr(sys, "argv", ["optuna", *words, "--storage", study.storage])
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ExperimentalWarning)
            assert optuna.cli.main() == 0
        return self.capsys.readouterr().out


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Runner:
    return Runner(monkeypatch, capsys)
