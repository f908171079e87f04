"""Cross-validate a configuration: five trainings that advance together, fold by fold or fused, epoch by epoch.

Reseeds a fold that collapses where others learn. A training that only starts slowly is left alone (`is_stuck` of
`models/training/verdicts.py`); where one was started again all the same, the second looks as the first did, and learns, and the
restart counts as nothing. Knows nothing of Optuna, of rungs or of pruning.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
import numpy.typing as npt

from models.errors import CheckpointError
from models.metrics import Score
from models.seeds import derive_seed
from models.training.anomaly import AnomalyTraining
from models.training.balance import count_shown, is_signal
from models.training.checkpoint import restore_fold
from models.training.fold_training import FoldTraining
from models.training.fused import advance_together
from models.training.probe import reason_not_to_fuse
from models.training.task import Task
from models.training.training_curve import TrainingCurve
from models.training.verdicts import Verdict, is_stuck, learned_nothing


@dataclass(frozen=True)
class FoldResult:
    """State of one fold."""

    # At the working point.
    score: Score
    accuracy: float
    # So far.
    verdict: Verdict
    # How often it collapsed and started again.
    reseeds: int
    # Those of them that were not needed: the training in its place looked the same then, and learned after all.
    needless: int
    # Trained since the last start.
    epochs: int


class CrossValidation:
    """The trainings of one configuration over the folds of a data set.

    `folds`: `[pits]`, the fold of each pit; `seed`: everything random follows from it. `check` is called after every epoch
    and may raise to stop the work; the trainings stay as they are. `interrupt` is called after every step of a fold that is
    trained apart, and may raise too; the fold is left out then, and is trained anew if the work goes on. `fused`: train folds
    that stand at the same epoch together where a short probe finds that better; where it does not, `note` says why. A fold that
    was started again catches up alone; with `reseed` False none is. `abandoned`: epochs of trainings in whose place another was
    started; `replaced`: the curves of those that were trained here, by fold.
    """

    def __init__(
        self,
        task: Task,
        folds: npt.NDArray[np.int64],
        seed: int,
        check: Callable[[], None] = lambda: None,
        *,
        fused: bool = False,
        reseed: bool = True,
        interrupt: Callable[[], None] = lambda: None,
    ) -> None:
        self.task = task
        self.folds = folds
        self.seed = seed
        self.check = check
        self.interrupt = interrupt
        self.reseed = reseed
        self.trainings: dict[int, FoldTraining] = {}
        self.reseeds: dict[int, int] = {}
        self.restarts: dict[int, int] = {}  # by fold, the epoch at which it was started again
        self.abandoned = 0
        self.replaced: dict[int, TrainingCurve] = {}
        self.seconds = 0.0
        self.note: str | None = None
        self.latest: tuple[int, ...] = ()  # the folds whose epoch ended last
        self.fused: bool | None = None if fused else False  # None: not probed yet

    @property
    def count(self) -> int:
        """The number of folds."""
        return int(self.folds.max()) + 1

    @property
    def epochs_run(self) -> int:
        """How many epochs were trained, those of folds that were started again too."""
        return self.abandoned + sum(training.epoch for training in self.trainings.values())

    def resume(
        self,
        trainings: Mapping[int, bytes],
        *,
        reseeds: Mapping[int, int],
        abandoned: int,
        seconds: float,
        fused: bool | None = None,
        note: str | None = None,
        restarts: Mapping[int, int] = MappingProxyType({}),
    ) -> tuple[str, ...]:
        """Go on from packed trainings, by fold, to the numbers of a cross-validation that was never stopped.

        The rest is what stood in the attributes of these names, which the trainings do not tell; without `fused` fusing is
        probed again. A fold that is not among the trainings is trained anew when it is needed. So is one that cannot be
        restored; a line gives the reason.
        """
        self.trainings, self.reseeds, self.restarts, self.replaced = {}, dict(reseeds), dict(restarts), {}
        self.abandoned, self.seconds = abandoned, seconds
        if self.fused is None:
            self.fused, self.note = fused, note
        faults = []
        for fold, packed in sorted(trainings.items()):
            training = start_fold(self.task, self.folds, fold, self.seed, self.reseeds.get(fold, 0))
            try:
                restore_fold(training, packed)
            except CheckpointError as error:
                faults.append(f"fold {fold}: {error}")
            else:
                self.trainings[fold] = training
        return tuple(faults)

    def advance(self, folds: int, epoch: int, *, others_learned: Callable[[], bool] = lambda: False) -> None:
        """Bring the first `folds` folds to this epoch, then start again, once, those that are stuck while others learned.

        `others_learned` says whether other configurations have learned by this epoch, so that a collapse here is
        due to the seed or to the configuration; the second training decides between them.
        """
        self.bring(folds, epoch)
        verdicts = {fold: self.trainings[fold].verdict(planned=epoch) for fold in range(folds)}
        stuck = [fold for fold in range(folds) if not self.reseeds.get(fold) and may_restart(self.trainings[fold], epoch)]
        siblings_learned = any(verdict in (Verdict.LEARNED, Verdict.OVERTRAINED) for verdict in verdicts.values())
        if self.reseed and stuck and (siblings_learned or others_learned()):
            for fold in stuck:
                training = self.trainings.pop(fold)
                self.reseeds[fold], self.restarts[fold], self.replaced[fold] = 1, training.epoch, curve_of(training, fold, 0)
                self.abandoned += training.epoch
                self._bring(fold, epoch)

    def bring(self, folds: int, epoch: int) -> None:
        """Bring the first `folds` folds to this epoch, and judge none."""
        self._bring_together(folds, epoch)
        for fold in range(folds):
            self._bring(fold, epoch)

    def _bring_together(self, folds: int, epoch: int) -> None:
        """Bring those of the first folds that stand at the same epoch to this one fused; the rest is trained later."""
        if self.fused is False:
            return
        behind = [training for training in map(self._started, range(folds)) if training.epoch < epoch and not training.ended]
        for start in sorted({training.epoch for training in behind}):
            together = [training for training in behind if training.epoch == start]
            if len(together) > 1 and self._pays(together):
                self._advance_together(together, epoch)

    def _pays(self, trainings: list[FoldTraining]) -> bool:
        """Tell whether fusing pays, by a probe the first time."""
        if self.fused is None:
            started = time.perf_counter()
            self.note = reason_not_to_fuse(trainings)
            self.fused = self.note is None
            self.seconds += time.perf_counter() - started
        return self.fused

    def _advance_together(self, trainings: list[FoldTraining], epoch: int) -> None:
        started, torn = time.perf_counter(), True

        def on_epoch(folds: int) -> None:
            nonlocal started, torn
            self.seconds += time.perf_counter() - started
            torn = False
            self.latest = together
            self.check()
            started, torn = time.perf_counter(), True

        together = tuple(fold for fold, training in self.trainings.items() if training in trainings)
        for training in trainings:
            training.weights_detached = True
        try:
            advance_together(trainings, epoch, on_epoch)
        except BaseException:
            if torn:
                self._leave_out(trainings)
            raise
        finally:
            for training in trainings:
                training.weights_detached = False

    def _leave_out(self, torn: list[FoldTraining]) -> None:
        """Leave out trainings that were stopped in the middle of an epoch, so that they are neither stored nor continued."""
        self.trainings = {fold: training for fold, training in self.trainings.items() if training not in torn}

    def _started(self, fold: int) -> FoldTraining:
        if fold not in self.trainings:
            self.trainings[fold] = start_fold(self.task, self.folds, fold, self.seed, self.reseeds.get(fold, 0))
        return self.trainings[fold]

    def _bring(self, fold: int, epoch: int) -> None:
        training = self._started(fold)
        while training.epoch < epoch and not training.ended:
            started = time.perf_counter()
            try:
                training.advance(training.epoch + 1, self.interrupt)
            except BaseException:  # a second Ctrl-C, too
                self._leave_out([training])
                raise
            self.seconds += time.perf_counter() - started
            self.latest = (fold,)
            self.check()

    def results(self) -> list[FoldResult]:
        """Give the state of every started fold, judged as a training of the whole length."""
        return [
            FoldResult(
                training.score(),
                training.accuracy(),
                training.verdict(),
                self.reseeds.get(fold, 0),
                int(fold in self.restarts and was_slow(training, self.restarts[fold])),
                training.epoch,
            )
            for fold, training in sorted(self.trainings.items())
        ]

    def curves(self) -> tuple[TrainingCurve, ...]:
        """Give the curve of every training so far, by fold, those first in whose place another was started."""
        own = [curve_of(training, fold, self.reseeds.get(fold, 0)) for fold, training in self.trainings.items()]
        return tuple(sorted((*self.replaced.values(), *own), key=lambda curve: (curve.fold, curve.start)))


def curve_of(training: FoldTraining, fold: int, start: int) -> TrainingCurve:
    """Give the curve of a fold's training as it stands; `start`: how often the fold was started again before."""
    values = {"train_loss": training.train_loss, "validation_loss": training.validation_loss, **training.shares}
    return TrainingCurve(
        fold,
        start,
        training.train_constant,
        training.constant_loss,
        tuple(range(1, training.epoch + 1)),
        **{name: tuple(each) for name, each in values.items()},
    )


def may_restart(training: FoldTraining, epoch: int) -> bool:
    """Tell whether a training that is due at this epoch is stuck, so that another start is worth its cost."""
    evidence = training.evidence(planned=epoch)
    return is_stuck(evidence, epochs=training.task.epochs, steps=training.steps, ended=training.ended)


def was_slow(training: FoldTraining, epoch: int) -> bool:
    """Tell whether a training that learned looked, after this many epochs, as the one that it took the place of."""
    at_epoch = training.train_loss[epoch - 1 : epoch]
    return bool(at_epoch) and learned_nothing(at_epoch[0], training.train_constant) and training.verdict() is Verdict.LEARNED


def start_fold(task: Task, folds: npt.NDArray[np.int64], fold: int, seed: int, reseeds: int) -> FoldTraining:
    """Set up the training of one fold, after so many reseeds; the same arguments give the same training."""
    trained, signal = task.weights.numpy() > 0, is_signal(task.targets).numpy()
    counts = []
    for left_out in range(int(folds.max()) + 1):
        here = trained & (folds != left_out)
        signals, images = int((here & signal).sum()) * task.shown, int(here.sum()) * task.shown
        counts.append(count_shown(task.config.balance, signals, images - signals))
    return make_training(
        task, np.flatnonzero(folds != fold), np.flatnonzero(folds == fold), derive_seed(seed, fold, reseeds), min(counts)
    )


def make_training(
    task: Task, train: npt.NDArray[np.int64], validate: npt.NDArray[np.int64], seed: int, shortest: int | None = None
) -> FoldTraining:
    """Set up the training of a task: of a classifier, or of a model of background alone."""
    kind = AnomalyTraining if task.config.labelling.rule.background_only else FoldTraining
    return kind(task, train, validate, seed, shortest)
