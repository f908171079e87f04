"""Five trainings that advance together, and the one reseed of a fold that collapses."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import numpy as np
import pytest

from foils import Dataset
from models.training import cross_validation as crossvalidation
from models.training import probe
from models.training.cross_validation import CrossValidation, start_fold
from models.training.fold_training import FoldTraining
from models.training.fused import advance_together
from models.training.training_curve import VALUES
from models.training.verdicts import Verdict
from tests.support.cross_validations import collapse_at_first, validation


@pytest.fixture(params=[False, True], ids=["apart", "fused"])
def cross(tiny: Dataset, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> CrossValidation:
    """Give a cross-validation whose folds are trained either way, whichever is faster here."""
    monkeypatch.setattr(probe, "WORTH", float("inf"))
    return validation(tiny, fused=request.param)


def test_folds_climb_rung_by_rung_and_are_trained_once(cross: CrossValidation) -> None:
    for folds, epoch, epochs_run in ((1, 1, 1), (1, 3, 3), (5, 3, 15), (5, 4, 20)):
        cross.advance(folds, epoch)
        assert [result.epochs for result in cross.results()] == [epoch] * folds
        assert cross.epochs_run == epochs_run
    assert [result.verdict for result in cross.results()] == [Verdict.LEARNED] * 5


def test_a_fold_of_a_trial_is_the_same_training_as_alone(tiny: Dataset) -> None:
    cross = validation(tiny)
    cross.advance(5, 2)
    alone = start_fold(cross.task, cross.folds, 3, 1, 0)
    alone.advance(2)
    assert alone.train_loss == cross.trainings[3].train_loss


def test_a_collapsed_fold_is_started_again_where_its_siblings_learned(
    cross: CrossValidation, monkeypatch: pytest.MonkeyPatch
) -> None:
    collapse_at_first(monkeypatch, cross, 2)
    cross.advance(5, 4)
    results = cross.results()
    assert [result.reseeds for result in results] == [0, 0, 1, 0, 0]
    assert results[2].verdict is Verdict.LEARNED
    assert cross.epochs_run == 24
    curves = cross.curves()
    assert [(curve.fold, curve.start) for curve in curves] == [(0, 0), (1, 0), (2, 0), (2, 1), (3, 0), (4, 0)]
    assert all(curve.epochs == (1, 2, 3, 4) for curve in curves)
    assert curves[2].train_loss != curves[3].train_loss
    for curve, result in zip(curves[:2] + curves[3:], results, strict=True):
        assert curve.train_loss == tuple(cross.trainings[curve.fold].train_loss)
        assert (curve.validation_accuracy[-1], curve.acceptance[-1]) == (result.accuracy, result.score.acceptance)
        assert len({len(getattr(curve, name)) for name in VALUES}) == 1


def test_a_fold_is_started_again_only_once(cross: CrossValidation, monkeypatch: pytest.MonkeyPatch) -> None:
    collapse_at_first(monkeypatch, cross, 2, always=True)
    cross.advance(5, 3)
    cross.advance(5, 4)
    assert cross.results()[2].reseeds == 1
    assert cross.results()[2].verdict is Verdict.COLLAPSED


def test_a_first_fold_is_started_again_only_where_other_configurations_learned(
    tiny: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    for others_learned in (False, True):
        cross = validation(tiny)
        collapse_at_first(monkeypatch, cross, 0)
        cross.advance(1, 2, others_learned=partial(bool, others_learned))
        assert cross.results()[0].reseeds == int(others_learned)


def test_a_check_that_raises_stops_between_epochs_and_work_can_go_on(tiny: Dataset) -> None:
    class Enough(Exception):
        pass

    cross = validation(tiny)

    def check() -> None:
        if cross.epochs_run == 2:
            raise Enough

    cross.check = check
    with pytest.raises(Enough):
        cross.advance(1, 4)
    cross.check = lambda: None
    cross.advance(1, 4)
    undisturbed = validation(tiny)
    undisturbed.advance(1, 4)
    assert cross.trainings[0].train_loss == undisturbed.trainings[0].train_loss


def test_fused_gives_the_results_of_training_apart(tiny: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probe, "WORTH", float("inf"))
    together, apart = validation(tiny, fused=True), validation(tiny)
    for cross in (together, apart):
        for folds, epoch in ((1, 1), (1, 2), (5, 2), (5, 4)):
            cross.advance(folds, epoch)
    assert together.note is None
    assert together.epochs_run == apart.epochs_run == 20
    assert (together.latest, apart.latest) == ((0, 1, 2, 3, 4), (4,))
    assert together.seconds > 0
    for fused, alone in zip(together.results(), apart.results(), strict=True):
        assert (fused.verdict, fused.reseeds, fused.epochs) == (alone.verdict, alone.reseeds, alone.epochs)
        assert fused.score.acceptance == alone.score.acceptance
        assert fused.score.auc == pytest.approx(alone.score.auc, abs=1e-3)
        assert fused.accuracy == alone.accuracy
    for fused_curve, curve in zip(together.curves(), apart.curves(), strict=True):
        assert (fused_curve.fold, fused_curve.epochs) == (curve.fold, curve.epochs)
        for name in VALUES:
            assert getattr(fused_curve, name) == pytest.approx(getattr(curve, name), abs=0.02), name
        assert np.mean(curve.train_accuracy) > 0.5


def test_folds_that_stand_at_one_epoch_are_trained_in_one_go(tiny: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probe, "WORTH", float("inf"))
    together: list[list[int]] = []

    def recorded(trainings: Sequence[FoldTraining], epoch: int, done: Callable[[int], None]) -> None:
        together.append([len(trainings), trainings[0].epoch, epoch])
        advance_together(trainings, epoch, done)

    monkeypatch.setattr(crossvalidation, "advance_together", recorded)
    cross = validation(tiny, fused=True)
    collapse_at_first(monkeypatch, cross, 2)
    for folds, epoch in ((1, 1), (5, 3), (5, 4)):
        cross.advance(folds, epoch)
    # The first fold climbs the first rung alone and waits there; the fold that was started again catches up alone.
    assert together == [[4, 0, 3], [5, 3, 4]]
    assert cross.epochs_run == 23


def test_folds_that_are_better_trained_apart_are_and_a_note_says_why(tiny: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []

    def reason_not_to_fuse(trainings: Sequence[FoldTraining]) -> str:
        asked.append(len(trainings))
        return "folds trained apart: a test says so"

    monkeypatch.setattr(crossvalidation, "reason_not_to_fuse", reason_not_to_fuse)
    refused, apart = validation(tiny, fused=True), validation(tiny)
    for cross in (refused, apart):
        cross.advance(5, 1)
        cross.advance(5, 2)
    assert refused.note == "folds trained apart: a test says so"
    assert asked == [5]
    assert apart.note is None
    for fold in range(5):
        assert refused.trainings[fold].train_loss == apart.trainings[fold].train_loss
