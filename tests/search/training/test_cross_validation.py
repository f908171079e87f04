"""A configuration trained again: pit by pit, the same on any worker."""

from __future__ import annotations

import numpy as np
import pytest

from foils import Dataset
from foils.folds import fold_numbers
from search.training.cross_validation import CVRequest, cross_validate, splits, summarise_folds, train_repeat, train_repeats
from search.training.pool import parallel_map
from spaces import Config
from spaces.choices.networks import Network
from spaces.choices.optimisers import Optimiser

CONFIG = Config(network=Network("pitnet", depth=2, width=4), optimiser=Optimiser("adamw", 1e-2, batch_size=16))


def ask(data: Dataset, seed: int, **changes: object) -> CVRequest:
    given = {"config": CONFIG, "epochs": 3, "working_point": 0.1, "reseed": True, **changes}
    return CVRequest(data, given.pop("config"), splits(fold_numbers(data, 5, seed)), seed, **given)  # type: ignore[arg-type]


def test_each_pit_is_scored_by_the_fold_that_did_not_train_on_it(tiny: Dataset) -> None:
    validation = cross_validate(ask(tiny, 0))
    found = summarise_folds(validation)
    assert found.probabilities.shape == (len(tiny), 2)
    assert found.probabilities.sum(1) == pytest.approx(np.ones(len(tiny)), abs=1e-6)
    for fold, training in validation.trainings.items():
        assert np.array_equal(found.scores[validation.folds == fold], training.scores())
        assert found.accepted[fold] == training.score().accepted


@pytest.mark.slow
def test_workers_change_no_number(tiny: Dataset) -> None:
    asks = [ask(tiny, 0), ask(tiny, 1)]
    alone = [train_repeat(one) for one in asks]
    for number, found in train_repeats(asks, 2):
        assert np.array_equal(found.probabilities, alone[number].probabilities)
        assert found.verdicts == alone[number].verdicts


def test_without_reseeding_a_fold_stays_as_it_ends(tiny: Dataset) -> None:
    # A rate that is far too high breaks some folds.
    hot = Config(network=Network("pitnet", depth=2, width=4, norm="none"), optimiser=Optimiser("adamw", 0.3, batch_size=16))
    found = train_repeat(ask(tiny, 0, config=hot, reseed=False))
    assert sum(found.reseeds) == 0


def broken(number: int) -> int:
    if number == 2:
        raise ValueError("no two")
    return number


def test_results_come_as_they_end_and_an_error_passes_through() -> None:
    assert sorted(parallel_map(broken, [1, 3], 2)) == [1, 3]
    with pytest.raises(ValueError, match="no two"):
        list(parallel_map(broken, [2], 1))
