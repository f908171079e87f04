"""Every pruner on a ladder: the good go on, the bad end, and nobody is ended without a rival."""

from __future__ import annotations

import itertools

import optuna
import pytest

from search.errors import StudyError
from search.pruning.pruners import PRUNERS, make_pruner
from search.trials.ladder import Ladder
from tests.support.trials import reached

LADDER = Ladder.parse("1x3,1x9,5x9,5x30")


def climb(study: optuna.Study, value: float) -> int:
    """Climb with one value on every rung; give the rungs reached."""
    trial = study.ask()
    for height, rung in enumerate(LADDER.rungs, start=1):
        trial.report(value, rung.cost)
        reached(rung.folds, accepted=(round(50 * value),) * rung.folds, signals=(50,) * rung.folds).write(trial)
        if rung is not LADDER.rungs[-1] and trial.should_prune():
            study.tell(trial, state=optuna.trial.TrialState.PRUNED)
            return height
    study.tell(trial, value)
    return len(LADDER.rungs)


@pytest.mark.parametrize("name", PRUNERS)
def test_the_best_so_far_always_climbs_to_the_top(name: str) -> None:
    study = optuna.create_study(direction="maximize", pruner=make_pruner(name, LADDER))
    assert [climb(study, value) for value in (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7)] == [4] * 7


@pytest.mark.parametrize(("name", "rungs"), [("trailing", 1), ("halving", 1), ("median", 1), ("none", 4)])
def test_the_worst_of_many_ends_on_the_first_rung(name: str, rungs: int) -> None:
    study = optuna.create_study(direction="maximize", pruner=make_pruner(name, LADDER))
    for value in (0.5, 0.6, 0.7, 0.8, 0.9, 0.95):
        climb(study, value)
    assert climb(study, 0.1) == rungs


def test_halving_keeps_about_a_third_of_each_rung() -> None:
    study = optuna.create_study(direction="maximize", pruner=make_pruner("halving", LADDER))
    generator = optuna.samplers.RandomSampler(seed=0)._rng.rng
    heights = [climb(study, float(generator.random())) for _ in range(300)]
    on_rung = [sum(height >= rung for height in heights) for rung in (1, 2, 3, 4)]
    for low, high in itertools.pairwise(on_rung):
        assert 0.25 < high / low < 0.5


def test_an_unknown_pruner_is_refused() -> None:
    with pytest.raises(StudyError, match=r"must be one of promotion, trailing, halving, median, none, but got 'hyperband'"):
        make_pruner("hyperband", LADDER)


def test_the_median_is_over_trials_that_pruning_would_have_let_through() -> None:
    study = optuna.create_study(direction="maximize", pruner=make_pruner("median", LADDER))
    for value in (0.5, 0.6, 0.7, 0.8, 0.9):
        climb(study, value)
    for _ in range(9):
        doomed = study.ask()
        reached(would_prune="1x3").write(doomed)
        for rung in LADDER.rungs:
            doomed.report(0.1, rung.cost)
        study.tell(doomed, 0.1)
    assert [climb(study, 0.6), climb(study, 0.8)] == [1, 4]
