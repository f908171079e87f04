"""Cross-validate a configuration: five trainings that advance together, fold by fold or fused, epoch by epoch.

Reseeds a fold that collapses where others learn. Knows nothing of Optuna, of rungs or of pruning.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from models.anomaly import AnomalyTraining
from models.balance import count_shown, is_signal
from models.fused import advance_together
from models.metrics import Score
from models.probe import why_apart
from models.task import Task
from models.training import FoldTraining
from models.verdicts import Verdict


@dataclass(frozen=True)
class FoldResult:
    """How one fold stands: its score at the working point, its verdict so far, and what it took.

    `reseeds`: how often it had collapsed and was started again; `epochs`: trained since the last start.
    """

    score: Score
    accuracy: float
    verdict: Verdict
    reseeds: int
    epochs: int


class CrossValidation:
    """The trainings of one configuration over the folds of a data set.

    `folds`: `[pits]`, the fold of each pit; `seed`: everything random follows from it. `check` is called after every epoch
    and may raise to stop the work; the trainings stay as they are. `fused`: train folds that stand at the same epoch together
    where a short probe finds that better; where it does not, `note` says why. A fold that was started again catches up alone;
    with `reseed` False none is.
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
    ) -> None:
        self.task = task
        self.folds = folds
        self.seed = seed
        self.check = check
        self.reseed = reseed
        self.trainings: dict[int, FoldTraining] = {}
        self.reseeds: dict[int, int] = {}
        self.epochs_run = 0
        self.seconds = 0.0
        self.note: str | None = None
        self._fused: bool | None = None if fused else False  # None: to be probed

    @property
    def count(self) -> int:
        """The number of folds."""
        return int(self.folds.max()) + 1

    def advance(self, folds: int, epoch: int, *, others_learned: Callable[[], bool] = lambda: False) -> None:
        """Bring the first `folds` folds to this epoch, then start again, once, those that collapsed while others learned.

        `others_learned` tells, when asked, whether other configurations have learned by this epoch, so that a collapse here is
        bad luck or a bad choice; the second training tells which.
        """
        self._bring_together(folds, epoch)
        for fold in range(folds):
            self._bring(fold, epoch)
        verdicts = {fold: self.trainings[fold].verdict(planned=epoch) for fold in range(folds)}
        collapsed = [fold for fold in range(folds) if verdicts[fold] is Verdict.COLLAPSED and not self.reseeds.get(fold)]
        siblings_learned = any(verdict in (Verdict.LEARNED, Verdict.OVERTRAINED) for verdict in verdicts.values())
        if self.reseed and collapsed and (siblings_learned or others_learned()):
            for fold in collapsed:
                self.reseeds[fold] = 1
                del self.trainings[fold]
                self._bring(fold, epoch)

    def _bring_together(self, folds: int, epoch: int) -> None:
        """Bring those of the first folds that stand at the same epoch to this one fused; what is left to do is left."""
        if self._fused is False:
            return
        behind = [training for training in map(self._started, range(folds)) if training.epoch < epoch and not training.ended]
        for start in sorted({training.epoch for training in behind}):
            together = [training for training in behind if training.epoch == start]
            if len(together) > 1 and self._pays(together):
                self._advance_together(together, epoch)

    def _pays(self, trainings: list[FoldTraining]) -> bool:
        """Tell whether fusing pays, by a probe the first time."""
        if self._fused is None:
            started = time.perf_counter()
            self.note = why_apart(trainings)
            self._fused = self.note is None
            self.seconds += time.perf_counter() - started
        return self._fused

    def _advance_together(self, trainings: list[FoldTraining], epoch: int) -> None:
        started = time.perf_counter()

        def done(folds: int) -> None:
            nonlocal started
            self.seconds += time.perf_counter() - started
            self.epochs_run += folds
            self.check()
            started = time.perf_counter()

        advance_together(trainings, epoch, done)

    def _started(self, fold: int) -> FoldTraining:
        if fold not in self.trainings:
            self.trainings[fold] = start_fold(self.task, self.folds, fold, self.seed, self.reseeds.get(fold, 0))
        return self.trainings[fold]

    def _bring(self, fold: int, epoch: int) -> None:
        training = self._started(fold)
        while training.epoch < epoch and not training.ended:
            started = time.perf_counter()
            training.advance(training.epoch + 1)
            self.seconds += time.perf_counter() - started
            self.epochs_run += 1
            self.check()

    def results(self) -> list[FoldResult]:
        """Give how every started fold stands, judged as a training of the whole length."""
        return [
            FoldResult(training.score(), training.accuracy(), training.verdict(), self.reseeds.get(fold, 0), training.epoch)
            for fold, training in sorted(self.trainings.items())
        ]


def start_fold(task: Task, folds: npt.NDArray[np.int64], fold: int, seed: int, reseeds: int) -> FoldTraining:
    """Set up the training of one fold, after so many reseeds; the same arguments give the same training."""
    state = np.random.SeedSequence([seed, fold, reseeds]).generate_state(1)
    trained, signal = task.weights.numpy() > 0, is_signal(task.targets).numpy()
    shown = []
    for left_out in range(int(folds.max()) + 1):
        here = trained & (folds != left_out)
        signals, images = int((here & signal).sum()) * task.inputs.per_pit, int(here.sum()) * task.inputs.per_pit
        shown.append(count_shown(task.config.balance, signals, images - signals))
    return make_training(task, np.flatnonzero(folds != fold), np.flatnonzero(folds == fold), int(state[0]), min(shown))


def make_training(
    task: Task, train: npt.NDArray[np.int64], validate: npt.NDArray[np.int64], seed: int, shortest: int | None = None
) -> FoldTraining:
    """Set up the training that a task asks for: of a classifier, or of a model of background alone."""
    kind = AnomalyTraining if task.config.labelling.rule.background_only else FoldTraining
    return kind(task, train, validate, seed, shortest)
