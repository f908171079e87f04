"""The trailing pruner ends what no good trial has ever looked like, and spares what may still be good."""

from __future__ import annotations

from collections.abc import Sequence

import optuna
from hypothesis import given, settings
from hypothesis import strategies as st
from optuna.trial import TrialState

from search.pruning.pruners import make_pruner
from search.trials.ladder import Ladder
from tests.support.trials import reached

LADDER = Ladder.parse("1x3,1x9,5x9,5x30")
GOOD = (0.5, 0.8, 0.85, 0.9)


def climb(study: optuna.Study, values: Sequence[float], verdict: str = "learned", backgrounds: int = 5000) -> int:
    """Climb with a value for each rung; give the rungs reached. So many background pits leave no chance to thresholds."""
    trial = study.ask()
    for height, (rung, value) in enumerate(zip(LADDER.rungs, values, strict=True), start=1):
        trial.report(value, rung.cost)
        folds = rung.folds
        counts = {"accepted": (round(50 * value),) * folds, "signals": (50,) * folds, "verdicts": (verdict,) * folds}
        reached(folds, **counts, backgrounds=(backgrounds,) * folds).write(trial)
        if rung is not LADDER.rungs[-1] and trial.should_prune():
            study.tell(trial, state=TrialState.PRUNED)
            return height
    study.tell(trial, values[-1])
    return len(LADDER.rungs)


def started(*climbs: Sequence[float]) -> optuna.Study:
    study = optuna.create_study(direction="maximize", pruner=make_pruner("trailing", LADDER))
    for values in climbs:
        assert climb(study, values) == 4
    return study


def test_nothing_is_ended_before_a_trial_has_been_good() -> None:
    assert climb(started(), (0.0, 0.0, 0.0, 0.0)) == 4
    study = started()
    assert climb(study, (0.9, 0.9, 0.9, 0.9), verdict="overtrained") == 4
    assert climb(study, (0.1, 0.1, 0.1, 0.1)) == 4


def test_few_good_trials_end_only_what_has_less_than_half_of_theirs() -> None:
    assert climb(started(GOOD), (0.9, 0.5, 0.5, 0.5)) == 4
    assert climb(started(GOOD), (0.9, 0.3, 0.5, 0.5)) == 2


def test_several_good_trials_end_what_lies_below_the_least_of_them() -> None:
    # One fold of 50 signal pits: a standard error of 0.06 at 0.7.
    study = started(GOOD, (0.5, 0.9, 0.9, 0.9), (0.5, 0.9, 0.9, 0.9))
    assert climb(study, (0.5, 0.70, 0.9, 0.9)) == 2
    assert climb(study, (0.5, 0.76, 0.9, 0.9)) == 4


def test_where_few_background_pits_fix_the_threshold_more_is_left_to_chance() -> None:
    study = optuna.create_study(direction="maximize", pruner=make_pruner("trailing", LADDER))
    for values in (GOOD, GOOD, GOOD):
        climb(study, values, backgrounds=40)
    # As the trial that is ended above; 40 pits add a standard error of 0.12 at 5 % false positives.
    assert climb(study, (0.5, 0.68, 0.9, 0.9), backgrounds=40) == 4
    assert climb(started(GOOD, GOOD, GOOD), (0.5, 0.68, 0.9, 0.9)) == 2


def test_the_first_epochs_are_judged_leniently() -> None:
    study = started(GOOD, GOOD, GOOD)
    assert climb(study, (0.3, 0.9, 0.9, 0.9)) == 4
    assert climb(study, (0.1, 0.9, 0.9, 0.9)) == 1


def test_five_folds_are_judged_more_closely_than_one() -> None:
    study = started(GOOD, GOOD, GOOD)
    assert climb(study, (0.5, 0.8, 0.80, 0.9)) == 3


@settings(max_examples=30, deadline=None)
@given(st.lists(st.floats(0.0, 1.0), min_size=1, max_size=12))
def test_what_stands_above_every_good_trial_is_never_ended(finals: list[float]) -> None:
    study = optuna.create_study(direction="maximize", pruner=make_pruner("trailing", LADDER))
    for final in finals:
        climb(study, (final / 2, final, final, final))
    best = max(finals)
    assert climb(study, (best / 2, best, best, best)) == 4
