"""Every pruner on a ladder: the good go on, the bad end, and nobody is ended without a rival."""

from __future__ import annotations

import itertools

import optuna
import pytest

from search.errors import StudyError
from search.ladder import Ladder
from search.pruners import PRUNERS, make_pruner

LADDER = Ladder.parse("1x3,1x9,5x9,5x30")


def climb(study: optuna.Study, value: float) -> int:
    """Climb with one value on every rung; give the rungs reached."""
    trial = study.ask()
    for reached, rung in enumerate(LADDER.rungs, start=1):
        trial.report(value, rung.cost)
        if rung is not LADDER.rungs[-1] and trial.should_prune():
            study.tell(trial, state=optuna.trial.TrialState.PRUNED)
            return reached
    study.tell(trial, value)
    return len(LADDER.rungs)


@pytest.mark.parametrize("name", PRUNERS)
def test_the_best_so_far_always_climbs_to_the_top(name: str) -> None:
    study = optuna.create_study(direction="maximize", pruner=make_pruner(name, LADDER))
    assert [climb(study, value) for value in (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7)] == [4] * 7


@pytest.mark.parametrize(("name", "reached"), [("halving", 1), ("median", 1), ("none", 4)])
def test_the_worst_of_many_ends_on_the_first_rung(name: str, reached: int) -> None:
    study = optuna.create_study(direction="maximize", pruner=make_pruner(name, LADDER))
    for value in (0.5, 0.6, 0.7, 0.8, 0.9, 0.95):
        climb(study, value)
    assert climb(study, 0.1) == reached


def test_halving_keeps_about_a_third_of_each_rung() -> None:
    study = optuna.create_study(direction="maximize", pruner=make_pruner("halving", LADDER))
    generator = optuna.samplers.RandomSampler(seed=0)._rng.rng
    reached = [climb(study, float(generator.random())) for _ in range(300)]
    on_rung = [sum(height >= rung for height in reached) for rung in (1, 2, 3, 4)]
    for low, high in itertools.pairwise(on_rung):
        assert 0.25 < high / low < 0.5


def test_an_unknown_pruner_is_refused() -> None:
    with pytest.raises(StudyError, match=r"must be one of halving, median, none, but got 'hyperband'"):
        make_pruner("hyperband", LADDER)
