"""The median pruner decides on the rung at hand, alone, in audits, and with two objectives."""

from __future__ import annotations

from collections.abc import Sequence

import optuna
import pytest
from optuna.trial import FrozenTrial, TrialState, create_trial

from search.pruning.multi_objective import is_pruned
from search.pruning.pruners import make_pruner
from search.trials.ladder import Ladder
from search.trials.objectives import OBJECTIVES, on_path
from tests.support.trials import reached, written

LADDER = Ladder.parse("1x3,1x9,5x9,5x30")
COSTS = [rung.cost for rung in LADDER.rungs]
# Fold 0 is easy: on it alone every trial stands higher than on all five.
EASY = (0.9, 0.9, 0.5, 0.6)


def complete(values: Sequence[float], would_prune: str | None = None) -> FrozenTrial:
    attributes = written(reached(would_prune=would_prune))
    return create_trial(value=values[-1], intermediate_values=dict(zip(COSTS, values, strict=True)), user_attrs=attributes)


def study_of(*trials: FrozenTrial) -> optuna.Study:
    study = optuna.create_study(direction="maximize", pruner=make_pruner("median", LADDER))
    study.add_trials(trials)
    return study


def heights(study: optuna.Study, values: Sequence[float]) -> int:
    """Climb with these values; give the rung on which the pruner first says no, or that after the last."""
    trial = study.ask()
    for height, (cost, value) in enumerate(zip(COSTS, values, strict=False), start=1):
        trial.report(value, cost)
        if trial.should_prune():
            study.tell(trial, state=TrialState.PRUNED)
            return height
    return len(values) + 1


def test_an_easy_fold_spares_no_trial_that_is_bad_on_all_folds() -> None:
    study = study_of(*[complete(EASY) for _ in range(5)])
    assert heights(study, (0.95, 0.95, 0.02)) == 3
    assert heights(study, (0.95, 0.95, 0.55)) == 4


def test_a_bad_start_is_not_held_against_a_trial_that_is_good_now() -> None:
    study = study_of(*[complete((0.1, 0.9, 0.5, 0.6)) for _ in range(5)])
    assert heights(study, (0.2, 0.95, 0.5)) == 4
    assert heights(study, (0.2, 0.8, 0.5)) == 2


def test_too_few_trials_and_audited_ones_that_would_have_ended_make_no_median() -> None:
    doomed = complete((0.9,) * 4, would_prune="1x3")
    assert heights(study_of(*[complete(EASY) for _ in range(4)], doomed, doomed), (0.1, 0.1, 0.1)) == 4
    low = complete((0.05,) * 4, would_prune="1x3")
    assert heights(study_of(*[complete(EASY) for _ in range(5)], *[low] * 9), (0.6, 0.6, 0.6)) == 1


def test_what_is_no_number_ends() -> None:
    assert heights(study_of(*[complete(EASY) for _ in range(5)]), (0.95, float("nan"))) == 2


@pytest.mark.parametrize("second", ["cost", "rejection"])
def test_with_two_objectives_an_easy_fold_spares_no_trial_either(second: str) -> None:
    directions = [OBJECTIVES[name].direction for name in ("acceptance", second)]
    study = optuna.create_study(directions=directions, pruner=make_pruner("median", LADDER))
    for _ in range(6):
        path = {"acceptance": EASY, second: (0.5,) * 4}
        record = reached(steps=tuple(COSTS), path={name: list(values) for name, values in path.items()})
        study.add_trial(create_trial(values=[EASY[-1], 0.5], user_attrs=written(record)))
    trial = study.ask()
    path_so_far: dict[str, list[float]] = {}
    said = []
    for height, value in enumerate((0.95, 0.95, 0.02), start=1):
        path_so_far = on_path(path_so_far, {"acceptance": value, second: 0.5})
        said.append(is_pruned(trial, COSTS[:height], path_so_far))
    assert said == [False, False, True]
