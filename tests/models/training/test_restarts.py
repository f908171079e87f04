"""Restarts: a training that starts slowly is left alone, one that has learned nothing for long enough is not."""

from __future__ import annotations

from dataclasses import replace

import pytest

from foils import Dataset
from foils.folds import fold_numbers
from models.training import cross_validation as crossvalidation
from models.training.cross_validation import CrossValidation, may_restart, was_slow
from models.training.fold_training import FoldTraining
from models.training.task import make_task
from models.training.verdicts import EARLIEST, LEAST_STEPS, Evidence, Verdict, is_stuck
from tests.support.cross_validations import SMALL

FLAT = Evidence([0.69] * 6, [0.69] * 6, 0.693, 0.693, 0.5, 20, 100, 0.0, 6, under_way=True)


def stuck(evidence: Evidence, epochs: int = 30, steps: int = 20, ended: bool = False) -> bool:
    return is_stuck(replace(evidence, planned=len(evidence.train_loss)), epochs=epochs, steps=steps, ended=ended)


def test_a_flat_training_is_stuck_after_a_fifth_of_its_epochs_and_enough_steps() -> None:
    assert stuck(FLAT)
    assert not stuck(FLAT, epochs=31), EARLIEST  # six are less than a fifth
    assert not stuck(FLAT, steps=LEAST_STEPS // 6)
    assert stuck(FLAT, epochs=60, steps=1, ended=True)  # there is nothing left to wait for


def test_a_training_that_learns_what_it_is_shown_is_left_alone() -> None:
    falling = replace(FLAT, train_loss=[0.69, 0.68, 0.67, 0.66, 0.64, 0.62])
    assert not stuck(falling)  # though its validation pits are ranked as by chance
    assert not stuck(replace(FLAT, auc=0.9, accepted=0.2))


def slow_cross_validation(data: Dataset, rate: float, epochs: int) -> CrossValidation:
    config = replace(SMALL, optimiser=replace(SMALL.optimiser, learning_rate=rate))
    task = make_task(data, config, epochs=epochs, working_point=0.1)
    return CrossValidation(task, fold_numbers(data, 5, 0), seed=1)


def test_slow_learners_are_not_restarted_at_their_first_rungs(tiny: Dataset) -> None:
    cross = slow_cross_validation(tiny, 3e-4, 40)
    for folds, epoch in ((1, 3), (5, 5), (5, 40)):
        cross.advance(folds, epoch, others_learned=lambda: True)
        if epoch == 5:
            # By their verdicts alone some had been started again here.
            assert Verdict.COLLAPSED in [training.verdict(planned=epoch) for training in cross.trainings.values()]
            assert not cross.reseeds
    results = cross.results()
    assert [result.verdict for result in results] == [Verdict.LEARNED] * 5
    assert [result.reseeds for result in results] == [0] * 5


def test_what_learns_nothing_is_started_again_and_counts(tiny: Dataset) -> None:
    cross = slow_cross_validation(tiny, 1e-8, 4)
    cross.advance(5, 4, others_learned=lambda: True)
    assert [(result.reseeds, result.needless, result.verdict) for result in cross.results()] == [(1, 0, "collapsed")] * 5


def test_a_restart_whose_second_start_was_as_slow_counts_as_nothing(tiny: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    cross = slow_cross_validation(tiny, 3e-4, 40)

    def at_first(training: FoldTraining, epoch: int) -> bool:
        return epoch == 1

    monkeypatch.setattr(crossvalidation, "may_restart", at_first)
    cross.advance(5, 1, others_learned=lambda: True)
    cross.advance(5, 40)
    assert cross.restarts == dict.fromkeys(range(5), 1)
    assert [(result.reseeds, result.needless, result.verdict) for result in cross.results()] == [(1, 1, "learned")] * 5
    assert was_slow(cross.trainings[0], 1) and not was_slow(cross.trainings[0], 40) and not may_restart(cross.trainings[0], 40)
