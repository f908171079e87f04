"""A study in which nothing learns says so in one sentence, with the likely cause; any that learned says nothing."""

from __future__ import annotations

from optuna.trial import FrozenTrial, TrialState, create_trial

from search.trials.nothing_learned import nothing_learned
from spaces import Config
from tests.support.trials import reached, recipe, written

LOOK = "; to see the pits: pitsearch check 'my foils' --sheet pits.png"


def trial(*verdicts: str, signals: int = 3, reseeds: int = 0) -> FrozenTrial:
    folds = len(verdicts)
    again = (reseeds, *(0,) * (folds - 1))
    result = reached(folds, signals=(signals,) * folds, accepted=(0,) * folds, verdicts=verdicts, reseeds=again)
    return create_trial(state=TrialState.PRUNED, user_attrs=written(recipe(Config()), result))


def sentence(*trials: FrozenTrial, epochs: int = 30) -> str | None:
    return nothing_learned(trials, 5, epochs, "my foils")


def test_few_signal_pits_are_the_likely_cause() -> None:
    assert sentence(trial("collapsed"), trial(*["collapsed"] * 4, "diverged")) == (
        "nothing has learned: none of 6 trainings in 2 trials tells signal from background (5 collapsed, 1 diverged); likely "
        f"too few signal pits (15 searched) or too small a crop{LOOK}"
    )


def test_where_there_are_enough_the_images_are() -> None:
    assert sentence(trial("collapsed", "unfinished", signals=40)) == (
        "nothing has learned: none of 1 training in 1 trial tells signal from background (1 collapsed); likely too small a "
        f"crop or labels that images do not tell apart{LOOK}"
    )
    short = sentence(trial("collapsed", signals=40), epochs=5)
    assert short is not None and "likely too few epochs (5) or too small a crop;" in short


def test_a_fold_that_was_started_again_counts_as_another_training() -> None:
    again = sentence(trial("collapsed", "collapsed", reseeds=1))
    assert again is not None and "none of 3 trainings in 1 trial tells signal from background (3 collapsed)" in again


def test_one_that_learned_or_none_that_ended_says_nothing() -> None:
    assert sentence() is None
    assert sentence(trial("unfinished", "unfinished")) is None
    assert sentence(trial("collapsed"), trial("collapsed", "learned")) is None
