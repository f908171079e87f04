"""One order of trials: by the lower bound of pooled acceptance, not by the mean over the folds."""

from __future__ import annotations

import pytest
from optuna.trial import FrozenTrial, TrialState, create_trial

from search.analysis.status import of_trials
from search.errors import StudyError
from search.studies.study import Study
from search.trials.ranking import best_trial, find_trial, rank_trials
from spaces import Config
from spaces.choices.networks import Network
from tests.support.trials import PLAN, reached, recipe, written


def trial_of(number: int, accepted: tuple[int, ...], signals: tuple[int, ...], width: int, auc: float = 0.9) -> FrozenTrial:
    folds = tuple(hits / of for hits, of in zip(accepted, signals, strict=True))
    record = reached(acceptance=folds, accepted=accepted, signals=signals, auc=(auc,) * 5)
    config = Config(network=Network("pitnet", depth=3, width=width))
    trial = create_trial(value=sum(folds) / 5, user_attrs=written(recipe(config), record))
    trial.number = number
    return trial


# Trial 0 has the higher mean over its folds, trial 1 the higher pooled acceptance: 30 of 38 against 31 of 38.
UNEVEN = (2, 9, 9, 9, 9)
TRIALS = [trial_of(0, (2, 7, 7, 7, 7), UNEVEN, 4), trial_of(1, (1, 7, 7, 8, 8), UNEVEN, 8)]


def test_the_best_is_by_pooled_acceptance_everywhere() -> None:
    assert TRIALS[0].value is not None and TRIALS[1].value is not None
    assert TRIALS[0].value > TRIALS[1].value
    best = best_trial(TRIALS)
    assert best is TRIALS[1] is rank_trials(TRIALS)[0] is of_trials("a", PLAN, TRIALS).best


def test_equal_acceptance_is_told_apart_by_the_area_under_the_curve_then_by_number() -> None:
    even = (9,) * 5
    trials = [trial_of(number, even, (10,) * 5, 4 * (number + 1), auc) for number, auc in enumerate((0.8, 0.9, 0.9))]
    assert [trial.number for trial in rank_trials(trials)] == [1, 2, 0]
    assert best_trial(trials) is trials[1]


def test_only_complete_trials_are_ranked_and_each_configuration_once() -> None:
    twin = trial_of(2, (1, 6, 6, 6, 6), UNEVEN, 8)
    assert [trial.number for trial in rank_trials([*TRIALS, twin, create_trial(state=TrialState.PRUNED)])] == [1, 0]
    assert best_trial([create_trial(state=TrialState.FAIL)]) is None
    assert best_trial([]) is None


def test_a_trial_is_found_by_its_number(finished: Study) -> None:
    assert find_trial(TRIALS, 1) is TRIALS[1]
    assert find_trial(TRIALS, 2) is None
    assert finished.trial(2).number == 2
    with pytest.raises(
        StudyError, match=r"^a trial must be in its study, but 'tiny' has no trial 99; choose another number\.$"
    ):
        finished.trial(99)
