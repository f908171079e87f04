"""Pruning with two objectives: as with one among rivals, and never for trailing those that are worse in the other."""

from __future__ import annotations

from collections.abc import Sequence

import optuna
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from optuna.trial import TrialState

from search.pruning.multi_objective import is_pruned
from search.pruning.promotion import PROMOTION
from search.pruning.pruners import PRUNERS, make_pruner
from search.trials.ladder import Ladder
from search.trials.objectives import OBJECTIVES, on_path
from tests.support.trials import reached

LADDER = Ladder.parse("1x3,1x9,5x9,5x30")
PRUNING = [name for name in PRUNERS if name not in ("none", PROMOTION)]


def study_of(pruner: str, second: str | None) -> optuna.Study:
    directions = [OBJECTIVES[name].direction for name in ("acceptance", second) if name]
    return optuna.create_study(directions=directions, pruner=make_pruner(pruner, LADDER))


def climb(study: optuna.Study, acceptance: Sequence[float], second: str | None, values: Sequence[float] = (0.0,) * 4) -> int:
    """Climb with these values on the rungs; give the rungs reached."""
    trial = study.ask()
    steps: tuple[int, ...] = ()
    path: dict[str, list[float]] = {}
    for height, (rung, value, other) in enumerate(zip(LADDER.rungs, acceptance, values, strict=True), start=1):
        if second is None:
            trial.report(value, rung.cost)
        else:
            steps, path = (*steps, rung.cost), on_path(path, {"acceptance": value, second: other})
        folds = rung.folds
        counts = {"accepted": (round(50 * value),) * folds, "signals": (50,) * folds}
        reached(folds, **counts, steps=steps, path=path).write(trial)
        if height < len(LADDER.rungs) and (trial.should_prune() if second is None else is_pruned(trial, steps, path)):
            study.tell(trial, state=TrialState.PRUNED)
            return height
    study.tell(trial, acceptance[-1] if second is None else [acceptance[-1], values[-1]])
    return len(LADDER.rungs)


def cheap_and_dear(pruner: str) -> optuna.Study:
    """Make a study of cheap trials with an acceptance of about 0.5, and dear ones of about 0.9."""
    study = study_of(pruner, "cost")
    for level, cost in ((0.5, 1e5), (0.9, 1e8)):
        for number in range(6):
            assert climb(study, (level + number / 1000,) * 4, "cost", (cost,) * 4) == 4
    return study


@settings(max_examples=15, deadline=None, derandomize=True)
@pytest.mark.parametrize("pruner", PRUNERS)
@given(finals=st.lists(st.integers(0, 20), min_size=1, max_size=12))
def test_where_all_cost_the_same_it_is_the_pruning_of_one_objective(pruner: str, finals: list[int]) -> None:
    one, two = study_of(pruner, None), study_of(pruner, "cost")
    for final in finals:
        values = (final / 40, final / 25, final / 20, final / 20)
        assert climb(one, values, None) == climb(two, values, "cost", (1e6,) * 4)


@pytest.mark.parametrize("pruner", PRUNING)
def test_a_trial_is_pruned_for_trailing_those_as_cheap_and_not_those_that_are_dearer(pruner: str) -> None:
    assert climb(cheap_and_dear(pruner), (0.1,) * 4, "cost", (1e5,) * 4) < 4  # as cheap, and worse
    assert climb(cheap_and_dear(pruner), (0.1,) * 4, "cost", (1e4,) * 4) == 4  # the cheapest has no rivals
    assert climb(cheap_and_dear(pruner), (0.6,) * 4, "cost", (1e6,) * 4) == 4  # between the two, on the front
    assert climb(cheap_and_dear(pruner), (0.6,) * 4, "cost", (1e9,) * 4) < 4  # dearer than all, and worse than most


@pytest.mark.parametrize("pruner", PRUNING)
def test_what_lies_between_the_ends_of_a_front_is_held_against_neither(pruner: str) -> None:
    def ends() -> optuna.Study:
        study = study_of(pruner, "rejection")
        for number in range(6):
            more, less = 0.9 + number / 100, 0.4 + number / 100
            climb(study, (more,) * 4, "rejection", (less,) * 4)
            climb(study, (less,) * 4, "rejection", (more,) * 4)
        return study

    assert climb(ends(), (0.7,) * 4, "rejection", (0.7,) * 4) == 4
    assert climb(ends(), (0.1,) * 4, "rejection", (0.3,) * 4) < 4


def test_rivals_are_those_with_as_much_rejection_on_the_same_rung() -> None:
    study = study_of("trailing", "rejection")
    for _ in range(4):  # little rejection on the first two rungs, much in the end
        climb(study, (0.9,) * 4, "rejection", (0.3, 0.3, 0.9, 0.9))
    assert climb(study, (0.2,) * 4, "rejection", (0.5,) * 4) == 3


def test_a_trial_is_no_rival_of_itself_and_of_none_that_wrote_nothing() -> None:
    study = study_of("median", "cost")
    for _ in range(6):
        study.add_trial(optuna.trial.create_trial(values=[1.0, 1.0]))
    assert climb(study, (0.1,) * 4, "cost", (2.0,) * 4) == 4
