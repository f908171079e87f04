"""Five trainings that advance together, the one reseed of a fold that collapses, and going on after an interruption."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import pytest

from foils import Dataset
from foils.folds import fold_numbers
from models.errors import CheckpointError
from models.training import cross_validation as crossvalidation
from models.training import probe
from models.training.checkpoint import pack_fold
from models.training.cross_validation import CrossValidation, start_fold
from models.training.fold_training import FoldTraining
from models.training.fused import FusedFolds, advance_together
from models.training.task import make_task
from models.training.verdicts import Verdict
from spaces.choices.labelling import Labelling
from spaces.choices.networks import Network
from spaces.choices.optimisers import Optimiser
from spaces.config import Config

SMALL = Config(network=Network("pitnet", depth=2, width=8), optimiser=Optimiser("adamw", 1e-2, batch_size=16))


def validation(data: Dataset, epochs: int = 4, fused: bool = False) -> CrossValidation:
    task = make_task(data, SMALL, epochs=epochs, working_point=0.1)
    return CrossValidation(task, fold_numbers(data, 5, 0), seed=1, fused=fused)


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


def collapse_at_first(monkeypatch: pytest.MonkeyPatch, cross: CrossValidation, fold: int, always: bool = False) -> None:
    """Let one fold's first training, or each of them, be judged collapsed."""
    first = start_fold(cross.task, cross.folds, fold, cross.seed, 0)
    eval_model = FoldTraining.verdict

    def verdict(self: FoldTraining, planned: int | None = None) -> Verdict:
        hit = self.seed == first.seed or (always and (self.validate == first.validate).all())
        return Verdict.COLLAPSED if hit else eval_model(self, planned)

    monkeypatch.setattr(FoldTraining, "verdict", verdict)


def test_a_collapsed_fold_is_started_again_where_its_siblings_learned(
    cross: CrossValidation, monkeypatch: pytest.MonkeyPatch
) -> None:
    collapse_at_first(monkeypatch, cross, 2)
    cross.advance(5, 4)
    results = cross.results()
    assert [result.reseeds for result in results] == [0, 0, 1, 0, 0]
    assert results[2].verdict is Verdict.LEARNED
    assert cross.epochs_run == 24


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
    assert together.seconds > 0
    for fused, alone in zip(together.results(), apart.results(), strict=True):
        assert (fused.verdict, fused.reseeds, fused.epochs) == (alone.verdict, alone.reseeds, alone.epochs)
        assert fused.score.acceptance == alone.score.acceptance
        assert fused.score.auc == pytest.approx(alone.score.auc, abs=1e-3)
        assert fused.accuracy == alone.accuracy


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


class Stop(Exception):
    """What a callback raises."""


def raising(after: int) -> Callable[[], None]:
    """Make a callback that raises when it is called for the last of so many times."""
    left = iter(range(after - 1, -1, -1))

    def callback() -> None:
        if not next(left, 1):
            raise Stop

    return callback


# The folds and the epoch of each rung; a fold that collapses is found out on the second.
RUNGS = ((1, 1), (4, 3), (5, 4))


def climb(cross: CrossValidation, rungs: Sequence[tuple[int, int]] = RUNGS) -> None:
    for folds, epoch in rungs:
        cross.advance(folds, epoch)


def assert_same(got: CrossValidation, expected: CrossValidation) -> None:
    """Check that two cross-validations have come to the very same numbers."""
    assert got.results() == expected.results()
    assert (got.reseeds, got.epochs_run, got.abandoned) == (expected.reseeds, expected.epochs_run, expected.abandoned)
    for fold, training in expected.trainings.items():
        assert got.trainings[fold].train_loss == training.train_loss
        assert got.trainings[fold].validation_loss == training.validation_loss
        assert np.array_equal(got.trainings[fold].scores(), training.scores())


@dataclass(frozen=True)
class Kept:
    """What a worker may keep of a cross-validation, to go on elsewhere."""

    trainings: dict[int, bytes]
    reseeds: dict[int, int]
    abandoned: int
    seconds: float
    fused: bool | None

    @classmethod
    def of(cls, cross: CrossValidation) -> Kept:
        trainings = {fold: pack_fold(training) for fold, training in cross.trainings.items()}
        return cls(trainings, dict(cross.reseeds), cross.abandoned, cross.seconds, cross.fused)

    def taken_up(self, data: Dataset, fused: bool = False) -> CrossValidation:
        cross = validation(data, fused=fused)
        faults = cross.resume(
            self.trainings, reseeds=self.reseeds, abandoned=self.abandoned, seconds=self.seconds, fused=self.fused
        )
        assert faults == ()
        return cross


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
    faults = again.resume(given, reseeds=kept.reseeds, abandoned=kept.abandoned, seconds=0.0)
    assert [fault.split(": a checkpoint must be ")[0] for fault in faults] == ["fold 0", "fold 1", "fold 2"]
    assert all(len(fault.splitlines()) == 1 for fault in faults)
    assert again.trainings.keys() == {3}
    climb(again, RUNGS[2:])
    assert_same(again, whole)


def steps_of(cross: CrossValidation) -> Iterator[int]:
    """Number the steps of the first rungs that are trained apart, in the first, second and third fold."""
    steps = start_fold(cross.task, cross.folds, 0, cross.seed, 0).steps
    yield from (1, steps, steps + 1, 3 * steps - 1, 3 * steps + 1, 6 * steps, 9 * steps + 2)


@pytest.mark.parametrize("scheme", ["binary", "anomaly"])
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
        assert not again.resume(kept.trainings, reseeds=kept.reseeds, abandoned=kept.abandoned, seconds=kept.seconds)
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
