"""How every training of a search went: what is read, which panels are chosen, and whether failures go with a fold."""

from __future__ import annotations

import numpy as np
import pytest
from optuna.trial import TrialState, create_trial

from search.analysis.trainings import BEST, choose_panels, outcomes_by_fold, p_of_folds, read_trainings
from search.trials.stored_curves import CURVES
from spaces import Config
from spaces.choices.networks import Network
from spaces.initial_configs import BASELINE
from tests.support.curves import trial_with_curves
from tests.support.trials import reached, recipe, written

FIRST_FAILS = ("collapsed", *("learned",) * 4)


def config(number: int) -> Config:
    return Config(network=Network("pitnet", depth=2, width=4 + number))


def test_every_training_is_read_and_what_cannot_be_is_told() -> None:
    damaged, old = trial_with_curves(1), create_trial(value=0.5, user_attrs=written(recipe(), reached()))
    damaged.user_attrs = {**damaged.user_attrs, CURVES: "lost"}
    old.number = 2
    queued = create_trial(state=TrialState.WAITING)
    read = read_trainings([trial_with_curves(0, reseeds=(1, 0, 0, 0, 0)), damaged, old, queued])
    assert [(one.trial, one.curve.fold, one.curve.start) for one in read.every[:2]] == [(0, 0, 0), (0, 0, 1)]
    assert (len(read.every), read.without) == (6, (2,))
    assert len(read.faults) == 1 and read.faults[0].startswith("the training curves of trial 1 must be")
    one = read.every[0]
    assert one.train_loss == pytest.approx([loss / one.curve.train_constant for loss in one.curve.train_loss])
    assert one.validation_loss == pytest.approx([loss / one.curve.validation_constant for loss in one.curve.validation_loss])


def test_panels_are_of_configurations_each_once_and_few() -> None:
    trials = [
        trial_with_curves(0, origin=BASELINE, config=config(0)),
        *(trial_with_curves(number, config=config(number)) for number in range(1, 8)),
        trial_with_curves(8, config=config(1)),  # as trial 1
        trial_with_curves(9, ("collapsed",) * 5, config=config(9)),
        trial_with_curves(10, ("unfinished",), config=config(10), state=TrialState.PRUNED, epochs=3),
        trial_with_curves(11, ("unfinished",), config=config(11), state=TrialState.PRUNED, epochs=1),
        trial_with_curves(12, ("unfinished",), config=config(12), state=TrialState.PRUNED, epochs=2),
    ]
    panels = choose_panels(trials, read_trainings(trials))
    assert [(panel.trials, panel.reason) for panel in panels] == [
        ((0,), "the network in use"),
        ((1, 8), "among the best"),
        *(((number,), "among the best") for number in range(2, BEST + 1)),
        ((9,), "most failures"),
        ((11,), "stopped early"),
        ((12,), "stopped early"),
    ]
    assert [one.trial for one in panels[1].trainings] == [1] * 5 + [8] * 5


def test_outcomes_are_counted_by_fold_as_the_reliability_counts_them() -> None:
    trials = [
        trial_with_curves(0, FIRST_FAILS, (1, 1, 0, 0, 0)),
        trial_with_curves(1),
        trial_with_curves(2, ("unfinished",), state=TrialState.PRUNED),
    ]
    assert [(one.learned, one.trainings) for one in outcomes_by_fold(trials)] == [(1, 3), (2, 3), (2, 2), (2, 2), (2, 2)]
    assert outcomes_by_fold(trials)[0].share.value == pytest.approx(1 / 3)


def test_failures_of_one_fold_are_told_from_failures_by_chance() -> None:
    assert p_of_folds([trial_with_curves(number) for number in range(9)]) is None
    in_first = [trial_with_curves(number, FIRST_FAILS) for number in range(6)]
    assert (p := p_of_folds(in_first)) is not None and p < 0.005
    generator = np.random.default_rng(1)
    by_chance = [trial_with_curves(number, list(generator.permuted(FIRST_FAILS))) for number in range(20)]
    assert (p := p_of_folds(by_chance)) is not None and p > 0.05
    # Trials that failed in every fold say nothing.
    assert p_of_folds([*by_chance, trial_with_curves(20, ("collapsed",) * 5)]) == p
