"""Cross-validate a configuration: five trainings that advance together, fold by fold and epoch by epoch.

Reseeds a fold that collapses where others learn. Knows nothing of Optuna, of rungs or of pruning.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch

from foils.dataset import Dataset
from models.inputs import lay_out
from models.metrics import Score
from models.training import LEFT_OUT, FoldTraining, Task
from models.verdicts import Verdict
from spaces.config import Config
from spaces.labelling import SCHEMES


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


def make_task(data: Dataset, config: Config, *, epochs: int, working_point: float) -> Task:
    """Say what a configuration asks of a data set's pits. Raises SpaceError where the data cannot carry it."""
    description = data.description
    scheme = SCHEMES[config.labelling]
    classes = [scheme.class_of(pit.label, description.signal, description.ignore) for pit in data.pits]
    return Task(
        config=config,
        inputs=lay_out(data.crops(), config.channels, description.channels),
        classes=torch.tensor([LEFT_OUT if number is None else number for number in classes]),
        is_signal=data.is_signal,
        is_scored=data.is_scored,
        lights=description.channels,
        epochs=epochs,
        working_point=working_point,
    )


class CrossValidation:
    """The trainings of one configuration over the folds of a data set.

    `folds`: `[pits]`, the fold of each pit; `seed`: everything random follows from it. `check` is called after every epoch
    and may raise to stop the work; the trainings stay as they are.
    """

    def __init__(self, task: Task, folds: npt.NDArray[np.int64], seed: int, check: Callable[[], None] = lambda: None) -> None:
        self.task = task
        self.folds = folds
        self.seed = seed
        self.check = check
        self.trainings: dict[int, FoldTraining] = {}
        self.reseeds: dict[int, int] = {}
        self.epochs_run = 0
        self.seconds = 0.0

    @property
    def count(self) -> int:
        """The number of folds."""
        return int(self.folds.max()) + 1

    def advance(self, folds: int, epoch: int, *, others_learned: bool = False) -> None:
        """Bring the first `folds` folds to this epoch, then start again, once, those that collapsed while others learned.

        `others_learned`: other configurations have learned by this epoch, so a collapse here is bad luck or a bad choice;
        the second training tells which.
        """
        for fold in range(folds):
            self._bring(fold, epoch)
        verdicts = {fold: self.trainings[fold].verdict(planned=epoch) for fold in range(folds)}
        siblings_learned = any(verdict in (Verdict.LEARNED, Verdict.OVERTRAINED) for verdict in verdicts.values())
        if siblings_learned or others_learned:
            for fold, verdict in verdicts.items():
                if verdict is Verdict.COLLAPSED and not self.reseeds.get(fold):
                    self.reseeds[fold] = 1
                    del self.trainings[fold]
                    self._bring(fold, epoch)

    def _bring(self, fold: int, epoch: int) -> None:
        if fold not in self.trainings:
            self.trainings[fold] = start_fold(self.task, self.folds, fold, self.seed, self.reseeds.get(fold, 0))
        training = self.trainings[fold]
        while training.epoch < epoch and not training.diverged:
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
    return FoldTraining(task, np.flatnonzero(folds != fold), np.flatnonzero(folds == fold), int(state[0]))
