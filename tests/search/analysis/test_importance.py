"""What mattered: planted truths come out first, conditions and ties are handled, and what people see of it."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
import pytest
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.trial import FrozenTrial, TrialState, create_trial

from search.analysis.importance import LEAST, Importance, Weight, failures, finished, importance, of_trials, trainings
from search.analysis.light_usage import Use, uses
from search.errors import StudyError
from search.report.importance_tables import importance_table
from search.statistics.intervals import reliability
from search.studies.study import Study
from search.trials.ladder import Ladder
from search.trials.records import PAUSED, STOPPED
from spaces import Config
from spaces.choices.channels import Channels
from spaces.choices.networks import Network
from tests.support.golden import assert_golden, render
from tests.support.trials import reached, recipe, written

LADDER = Ladder.parse("1x3,5x9,5x30")
SPACE: dict[str, BaseDistribution] = {
    "optimiser.name": CategoricalDistribution(["sgd", "adam", "adamw"]),
    "optimiser.learning_rate": FloatDistribution(1e-4, 1e-1, log=True),
    "network.name": CategoricalDistribution(["pitnet", "minihip"]),
    "network.depth": IntDistribution(2, 5),
    "balance": CategoricalDistribution(["none", "weighted"]),
}


def trial_of(
    number: int, params: dict[str, Any], config: Config | None = None, pruned: bool = False, **height: Any
) -> FrozenTrial:
    given = {name: value for name, value in height.items() if isinstance(value, tuple)}
    folds = max(1 if pruned else 5, *(len(value) for value in given.values()), 1)
    # Counts of one fold stand for all: the others have no pits.
    whole = {name: value + (0,) * (folds - len(value)) for name, value in given.items()}
    record = reached(folds, **{"rung": "1x3" if pruned else "5x30", **height, **whole})
    trial = create_trial(
        state=TrialState.PRUNED if pruned else TrialState.COMPLETE,
        value=sum(record.accepted) / sum(record.signals),
        params=params,
        distributions={name: SPACE[name] for name in params},
        user_attrs=written(recipe(config), record),
    )
    trial.number = number
    return trial


def planted(count: int = 160, seed: int = 0) -> list[FrozenTrial]:
    """Draw trials whose acceptance follows the learning rate alone, and whose trainings fail by the optimiser alone."""
    generator = np.random.default_rng(seed)
    trials = []
    for number in range(count):
        rate = float(10 ** generator.uniform(-4, -1))
        params: dict[str, Any] = {
            "optimiser.name": str(generator.choice(["sgd", "adam", "adamw"])),
            "optimiser.learning_rate": rate,
            "network.name": str(generator.choice(["pitnet", "minihip"])),
            "balance": "none",
        }
        if params["network.name"] == "pitnet":
            params["network.depth"] = int(generator.integers(2, 6))
        accepted = int(np.clip(90 - 25 * abs(np.log10(rate) + 2) + generator.normal(0, 2), 0, 100))
        fails = int(generator.binomial(5, 0.6 if params["optimiser.name"] == "sgd" else 0.02))
        trials.append(
            trial_of(
                number,
                params,
                pruned=accepted < 60,
                accepted=(accepted,),
                signals=(100,),
                verdicts=("collapsed",) * fails + ("learned",) * (5 - fails),
            )
        )
    return trials


@pytest.fixture(scope="module")
def found() -> Importance:
    return of_trials("planted", planted(), LADDER, resamples=50, shuffles=40)


@pytest.mark.parametrize(("question", "truth"), [("acceptance", "optimiser.learning_rate"), ("failure", "optimiser.name")])
def test_the_planted_axis_comes_first_and_lies_above_all_others(found: Importance, question: str, truth: str) -> None:
    first, *others = getattr(found, question)
    assert first.axis == truth
    assert first.matters
    assert first.low > max(other.high for other in others if other.high is not None)
    assert not any(other.matters for other in others)


def test_a_conditional_axis_is_measured_where_it_applies_and_one_that_never_varied_is_not_listed(found: Importance) -> None:
    trials = {weight.axis: weight.trials for weight in found.acceptance}
    assert trials["network.name"] == found.finished == 160
    assert LEAST <= trials["network.depth"] < 160
    assert "balance" not in trials


def test_the_same_trials_give_the_same_numbers(found: Importance) -> None:
    assert of_trials("planted", planted(), LADDER, resamples=50, shuffles=40) == found


def test_too_few_trials_are_refused_with_a_remedy() -> None:
    with pytest.raises(StudyError, match=r"needs at least 20 finished trials.* study 'few' has 19; launch more trials\.$"):
        of_trials("few", planted(19), LADDER)


def test_trials_that_broke_or_were_stopped_do_not_count() -> None:
    broken = create_trial(state=TrialState.FAIL)
    with pytest.raises(StudyError, match="has 19"):
        of_trials("few", [*planted(19), broken, broken], LADDER)


def test_a_study_in_a_storage_is_too_small(finished: Study) -> None:
    with pytest.raises(StudyError, match="study 'tiny' has 3;"):
        importance(finished)


def test_where_hardly_anything_fails_nothing_is_said_of_failing() -> None:
    trials = [
        trial_of(n, {"optimiser.name": ["sgd", "adam"][n % 2]}, accepted=(50 + n,), signals=(100,), reseeds=(int(n < 4),))
        for n in range(30)
    ]
    found = of_trials("sound", trials, LADDER, resamples=5, shuffles=5)
    assert found.failing == 4
    assert found.failure == (Weight("optimiser.name", 30),)
    assert found.acceptance[0].value is not None


def test_equal_trials_give_no_axis_a_weight() -> None:
    trials = [trial_of(n, {"optimiser.name": ["sgd", "adam"][n % 2]}) for n in range(30)]
    assert of_trials("equal", trials, LADDER, 5, 5).acceptance == (Weight("optimiser.name", 30),)


def test_a_pruned_trial_stands_below_those_that_went_on_whatever_its_rung_showed() -> None:
    """Those pruned accept all on their rung; were rungs compared, their optimiser would be the best."""
    trials = [
        trial_of(
            n,
            {"optimiser.name": ["sgd", "adam"][n % 2], "balance": ["none", "weighted"][n // 20]},
            pruned=n % 2 == 0,
            accepted=(100 if n % 2 == 0 else 40 + n,),
            signals=(100,),
        )
        for n in range(40)
    ]
    first, *_ = of_trials("pruned", trials, LADDER, 20, 20).acceptance
    swapped = of_trials("pruned", [t for t in trials if t.state == TrialState.COMPLETE], LADDER, 20, 20).acceptance
    assert {weight.axis for weight in swapped} == {"balance"}  # among the complete ones the optimiser never varied
    assert first.value is not None
    assert first.value > 0


def test_reseeds_and_verdicts_are_counted_once_each() -> None:
    record = reached(5, verdicts=("learned", "unfinished", "collapsed", "overtrained", "diverged"), reseeds=(0, 1, 1, 0, 0))
    assert trainings(record) == 7
    assert failures(record) == 5


def lit(number: int, mode: str, accepted: int, network: str = "minihip", pruned: bool = False, **channels: Any) -> FrozenTrial:
    config = Config(channels=Channels(mode, **channels), network=Network(network))
    return trial_of(number, {}, config, pruned, accepted=(accepted,), signals=(100,), reseeds=(number % 2,))


LIT = [
    lit(0, "stacked", 90),
    lit(1, "stacked", 80),
    lit(2, "stacked", 84),
    lit(3, "single", 70, light="9"),
    lit(4, "single", 75, light="1"),
    lit(5, "volume", 30, pruned=True),
]


def test_uses_of_the_lights_are_summed_up_best_first() -> None:
    stacked, single, volume = uses(LIT)
    assert (stacked.mode, stacked.trials, stacked.complete, stacked.best_trial, stacked.median) == ("stacked", 3, 3, 0, 0.84)
    # Wider than 90 of 100 at a fixed threshold, [0.840, 0.939]: a hundred background pits fixed it.
    assert stacked.best is not None
    assert (stacked.best.value, stacked.best.low, stacked.best.high) == pytest.approx((0.9, 0.791, 0.955), abs=1e-3)
    assert stacked.sound == reliability(15, 16)
    assert (single.mode, single.best_trial, single.light) == ("single", 4, "1")
    assert (volume.trials, volume.complete, volume.best, volume.median) == (1, 0, None, None)


def test_subsets_and_networks_are_uses_of_their_own() -> None:
    trials = [lit(0, "stacked", 90), lit(1, "stacked", 90, "timm:resnet10t"), lit(2, "stacked", 80)]
    recipe_ = trials[2].user_attrs["recipe"]
    recipe_["config"] = {**recipe_["config"], "channels": {**recipe_["config"]["channels"], "lights": "rotating"}}
    assert [(use.lights, use.network) for use in uses(trials)] == [
        (None, "minihip"),
        (None, "timm:resnet10t"),
        ("rotating", "minihip"),
    ]


def test_the_tables_of_a_study() -> None:
    found = Importance(
        finished=80,
        pruned=31,
        failing=24,
        acceptance=(
            Weight("optimiser.learning_rate", 80, 0.412, 0.301, 0.523, 0.081),
            Weight("network.name", 80, 0.021, 0.002, 0.092, 0.044),
            Weight("network.depth", 17),
        ),
        failure=(Weight("optimiser.name", 80, 0.2, 0.15, 0.25, 0.05), Weight("network.depth", 17)),
    )
    several: list[Use] = [*uses(LIT)]
    assert_golden("importance", render(importance_table("planted", found, several)))


def test_one_use_of_the_lights_needs_no_table_and_few_failures_are_said() -> None:
    shown = render(importance_table("planted", Importance(20, 0, 0, (), ()), uses(LIT[:2])))
    assert "how important is angle" not in shown
    assert "none of 20 trials had a training that failed: too few to tell" in shown


def test_a_paused_trial_counts_and_one_that_was_interrupted_does_not() -> None:
    paused, interrupted = (copy.copy(LIT[0]) for _ in range(2))
    for trial in (paused, interrupted):
        trial.state = TrialState.WAITING
    paused.user_attrs = {**LIT[0].user_attrs, PAUSED.name: "1x3"}
    interrupted.user_attrs = {**LIT[0].user_attrs, STOPPED.name: "time is up", PAUSED.name: ""}
    assert [trial for trial, _ in finished([paused, interrupted])] == [paused]
