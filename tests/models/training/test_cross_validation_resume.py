"""Going on after an interruption: the numbers of a cross-validation that never stopped, whatever was kept of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import partial

import pytest

from foils import Dataset
from foils.folds import fold_numbers
from models.errors import CheckpointError
from models.training import cross_validation as crossvalidation
from models.training import probe
from models.training.checkpoint import pack_fold
from models.training.cross_validation import CrossValidation, start_fold
from models.training.fused import FusedFolds
from models.training.task import make_task
from spaces.choices.labelling import Labelling
from tests.support.cross_validations import RUNGS, SMALL, Kept, Stop, assert_same, climb, collapse_at_first, raising, validation
from tests.support.slow_cases import slow_after_first


@pytest.mark.slow
def test_going_on_from_any_epoch_gives_the_numbers_of_never_stopping(tiny: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = validation(tiny)
    collapse_at_first(monkeypatch, whole, 1)
    collapse_at_first(monkeypatch, whole, 3)
    kept: list[tuple[int, Kept]] = []
    for number, rung in enumerate(RUNGS):
        whole.check = lambda number=number: kept.append((number, Kept.of(whole)))  # type: ignore[misc]  # a default binds it
        whole.advance(*rung)
    assert (whole.reseeds, whole.abandoned, whole.epochs_run) == ({1: 1, 3: 1}, 6, 26)
    assert len(kept) == 26
    for number, found in kept:
        again = found.taken_up(tiny)
        assert again.seconds == found.seconds
        climb(again, RUNGS[number:])
        assert_same(again, whole)


def test_work_may_be_stopped_and_taken_up_again_and_again(tiny: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    whole, pieces = validation(tiny), validation(tiny)
    collapse_at_first(monkeypatch, whole, 2)
    climb(whole)
    rungs = iter(RUNGS)
    rung, stops = next(rungs), 0
    while True:
        pieces.check = raising(2)
        try:
            pieces.advance(*rung)
        except Stop:
            pieces, stops = Kept.of(pieces).taken_up(tiny), stops + 1
        else:
            if (following := next(rungs, None)) is None:
                break
            rung = following
    assert stops >= 10
    assert_same(pieces, whole)


@pytest.mark.parametrize("lost", [{0}, {1, 3}, {0, 1, 2, 3}], ids=str)
def test_folds_that_were_lost_are_trained_anew_to_the_same_numbers(
    tiny: Dataset, monkeypatch: pytest.MonkeyPatch, lost: set[int]
) -> None:
    whole = validation(tiny)
    collapse_at_first(monkeypatch, whole, 1)
    climb(whole, RUNGS[:2])
    kept = Kept.of(whole)
    climb(whole, RUNGS[2:])
    some = replace(kept, trainings={fold: packed for fold, packed in kept.trainings.items() if fold not in lost})
    again = some.taken_up(tiny)
    assert again.trainings.keys() == {0, 1, 2, 3} - lost
    climb(again, RUNGS[2:])
    assert_same(again, whole)


def test_a_line_tells_of_every_checkpoint_that_is_not_taken_up(tiny: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = validation(tiny)
    collapse_at_first(monkeypatch, whole, 1)
    climb(whole, RUNGS[:2])
    kept = Kept.of(whole)
    climb(whole, RUNGS[2:])
    first = start_fold(whole.task, whole.folds, 1, whole.seed, 0)
    first.advance(3)  # of the training that collapsed, not the one in its place
    again = validation(tiny)
    given = {**kept.trainings, 0: kept.trainings[0][:-1], 1: pack_fold(first), 2: kept.trainings[3]}
    faults = again.resume(given, reseeds=kept.reseeds, restarts=kept.restarts, abandoned=kept.abandoned, seconds=0.0)
    assert [fault.split(": a checkpoint must be ")[0] for fault in faults] == ["fold 0", "fold 1", "fold 2"]
    assert all(len(fault.splitlines()) == 1 for fault in faults)
    assert again.trainings.keys() == {3}
    again.replaced = dict(kept.replaced)
    climb(again, RUNGS[2:])
    assert_same(again, whole)


def steps_of(cross: CrossValidation) -> Iterator[int]:
    """Number the steps of the first rungs that are trained apart, in the first, second and third fold."""
    steps = start_fold(cross.task, cross.folds, 0, cross.seed, 0).steps
    yield from (1, steps, steps + 1, 3 * steps - 1, 3 * steps + 1, 6 * steps, 9 * steps + 2)


@pytest.mark.parametrize("scheme", slow_after_first(["binary", "anomaly"]))
def test_a_fold_that_is_interrupted_in_an_epoch_is_left_out(tiny: Dataset, scheme: str) -> None:
    config = replace(SMALL, labelling=Labelling(scheme))
    task = make_task(tiny, config, epochs=4, working_point=0.1)
    make = partial(CrossValidation, task, fold_numbers(tiny, 5, 0), 1)
    whole = make()
    climb(whole)
    for after in steps_of(whole):
        stopped = make(interrupt=raising(after))
        with pytest.raises(Stop):
            climb(stopped)
        steps = whole.trainings[0].steps
        done = (after - 1) // steps  # whole epochs: of the first fold to the first rung and the second, then of the others
        fold, epochs = (0, done) if done < 3 else divmod(done, 3)
        assert stopped.trainings.keys() == set(range(fold))
        assert stopped.epochs_run == done - epochs
        assert all(training.epoch in (1, 3) for training in stopped.trainings.values())
        again = make()
        kept = Kept.of(stopped)
        assert not again.resume(
            kept.trainings, reseeds=kept.reseeds, restarts=kept.restarts, abandoned=kept.abandoned, seconds=kept.seconds
        )
        for cross in (stopped, again):
            climb(cross, RUNGS if done == 0 else RUNGS[1:])
            assert_same(cross, whole)


def test_an_interruption_is_asked_for_after_every_step(tiny: Dataset) -> None:
    called: list[int] = []
    cross = validation(tiny)
    cross.interrupt = lambda: called.append(1)
    cross.advance(2, 2)
    assert len(called) == 4 * cross.trainings[0].steps


def test_a_fold_that_is_interrupted_after_a_reseed_stays_reseeded(tiny: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    whole, stopped = validation(tiny), validation(tiny)
    collapse_at_first(monkeypatch, whole, 1)
    climb(whole)
    steps = whole.trainings[0].steps
    stopped.interrupt = raising((3 * 4 + 1) * steps + 1)
    with pytest.raises(Stop):
        climb(stopped)
    assert stopped.trainings.keys() == {0, 2, 3}
    assert (stopped.reseeds, stopped.abandoned, stopped.epochs_run) == ({1: 1}, 3, 12)
    again = Kept.of(stopped).taken_up(tiny)
    climb(again, RUNGS[1:])
    assert_same(again, whole)


def test_fused_folds_go_on_to_the_numbers_of_never_stopping(tiny: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probe, "WORTH", float("inf"))
    whole = validation(tiny, fused=True)
    whole.advance(5, 4)
    for after in (1, 2, 3):
        stopped = validation(tiny, fused=True)
        stopped.check = raising(after)
        with pytest.raises(Stop):
            stopped.advance(5, 4)
        kept = Kept.of(stopped)
        assert kept.fused
        assert [training.epoch for training in stopped.trainings.values()] == [after] * 5
        with monkeypatch.context() as patch:
            patch.setattr(crossvalidation, "reason_not_to_fuse", None)  # what was found out is not asked again
            again = kept.taken_up(tiny, fused=True)
            again.advance(5, 4)
        assert_same(again, whole)


def test_fused_folds_are_not_packed_without_their_weights(tiny: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probe, "WORTH", float("inf"))
    cross = validation(tiny, fused=True)
    refused: list[str] = []

    def check() -> None:
        with pytest.raises(CheckpointError) as caught:
            Kept.of(cross)
        refused.append(str(caught.value))

    cross.check = check
    cross.advance(5, 2)
    assert len(refused) == 2
    assert refused[0].startswith("a training must have its weights when it is packed, but they are with the folds that it is ")
    assert len(Kept.of(cross).trainings) == 5


def test_fused_folds_that_are_interrupted_in_an_epoch_are_left_out(tiny: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probe, "WORTH", float("inf"))
    whole, cross = validation(tiny, fused=True), validation(tiny, fused=True)
    climb(whole)
    climb(cross, RUNGS[:2])
    with monkeypatch.context() as patch:
        patch.setattr(FusedFolds, "evaluate", lambda self, images: raising(1)())
        with pytest.raises(Stop):
            climb(cross, RUNGS[2:])
    assert cross.trainings.keys() == {4}
    assert not cross.trainings[4].weights_detached
    climb(cross, RUNGS[2:])
    assert cross.epochs_run == whole.epochs_run
    assert [result.verdict for result in cross.results()] == [result.verdict for result in whole.results()]
