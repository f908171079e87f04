"""Train one fold, as far as asked: a resumable training that stops at any epoch and goes on from there.

Reads top to bottom: set up, advance, score, judge. Knows nothing of Optuna, of the other folds, or of pruning.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch.nn import functional

from models.inputs import SCORED_AT_ONCE, Inputs, turn_table
from models.metrics import Floats, Score, score
from models.networks import build
from models.optimisers import build_optimiser
from models.verdicts import Evidence, Verdict, judge
from spaces.balance import class_weights
from spaces.channels import Light
from spaces.config import Config
from spaces.labelling import SCHEMES

LEFT_OUT = -1


@dataclass(frozen=True)
class Task:
    """What the pits are to be learned as.

    `inputs`: the images of all pits; `classes`: `[pits]`, the class of each, LEFT_OUT for those not trained on;
    `is_signal`, `is_scored`: `[pits]`; `lights`: the data set's channels; `epochs`: the length of a whole training.
    """

    config: Config
    inputs: Inputs
    classes: torch.Tensor
    is_signal: npt.NDArray[np.bool_]
    is_scored: npt.NDArray[np.bool_]
    lights: Sequence[Light]
    epochs: int
    working_point: float


class FoldTraining:
    """One fold in training.

    `train`, `validate`: indices of pits. The same task, pits and seed give the same numbers on one thread, however the
    epochs are cut into calls of `advance`.
    """

    def __init__(self, task: Task, train: npt.NDArray[np.int64], validate: npt.NDArray[np.int64], seed: int) -> None:
        self.task = task
        self.seed = seed
        self.validate = validate
        self.train_loss: list[float] = []
        self.validation_loss: list[float] = []
        pits = torch.from_numpy(train)
        pits = pits[task.classes[pits] != LEFT_OUT]
        config, inputs = task.config, task.inputs
        self._images = inputs.of_pits(pits)
        self._targets = task.classes.repeat_interleave(inputs.per_pit)
        self._table = turn_table(config.augmentation, config.channels, task.lights, inputs.size)
        counts = torch.bincount(task.classes[pits], minlength=len(SCHEMES[config.labelling].classes)).tolist()
        self._weights = torch.tensor(class_weights(config.balance, counts))
        self._classed = task.classes[validate] != LEFT_OUT
        self._validate_classes = task.classes[validate][self._classed]
        self.constant_loss = _constant_loss(counts, self._validate_classes)
        self._kept_logits: tuple[int, torch.Tensor] | None = None
        self._generator = torch.Generator().manual_seed(seed)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self.classifier = build(config, inputs.channels, inputs.size, inputs.full_scale)
        self.classifier.normalise.measure(inputs.images[self._images])
        self._batch = min(config.optimiser.batch_size, len(self._images))
        self._steps = len(self._images) // self._batch
        self._optimiser, self._schedule = build_optimiser(config.optimiser, self.classifier.network, self._steps * task.epochs)

    @property
    def epoch(self) -> int:
        """How many epochs were trained."""
        return len(self.train_loss)

    @property
    def diverged(self) -> bool:
        """Tell whether a loss was not finite; such a training goes no further."""
        return not all(map(math.isfinite, (*self.train_loss[-1:], *self.validation_loss[-1:])))

    def advance(self, epoch: int) -> None:
        """Train until this epoch is done. A loss that is not finite ends the training early, with its verdict."""
        while self.epoch < min(epoch, self.task.epochs) and not self.diverged:
            self.train_loss.append(self._train_epoch())
            self.validation_loss.append(self._validation_loss() if not self.diverged else math.nan)

    def _train_epoch(self) -> float:
        self.classifier.train()
        order = self._images[torch.randperm(len(self._images), generator=self._generator)]
        total = torch.zeros(())
        for step in range(self._steps):
            batch = order[step * self._batch : (step + 1) * self._batch]
            logits = self.classifier(self._turned(batch))
            loss = functional.cross_entropy(logits, self._targets[batch], weight=self._weights)
            self._optimiser.zero_grad(set_to_none=True)
            loss.backward()
            self._optimiser.step()
            if self._schedule is not None:
                self._schedule.step_update(self.epoch * self._steps + step + 1)
            total += loss.detach()
        return float(total) / self._steps

    def _turned(self, batch: torch.Tensor) -> torch.Tensor:
        images = self.task.inputs.images[batch]
        if len(self._table) == 1:
            return images
        draws = torch.randint(len(self._table), (len(batch),), generator=self._generator)
        return images.flatten(1).gather(1, self._table[draws]).view_as(images)

    @torch.no_grad()
    def _logits(self) -> torch.Tensor:
        """Give the validation pits' logits, `[pits, images, classes]`: one pass an epoch serves loss, scores and verdict."""
        if self._kept_logits is None or self._kept_logits[0] != self.epoch:
            self.classifier.eval()
            inputs = self.task.inputs
            images = inputs.of_pits(torch.from_numpy(self.validate))
            logits = torch.cat([self.classifier(inputs.images[part]) for part in images.split(SCORED_AT_ONCE)])
            self._kept_logits = self.epoch, logits.view(len(self.validate), inputs.per_pit, -1)
        return self._kept_logits[1]

    def _validation_loss(self) -> float:
        targets = self._validate_classes.repeat_interleave(self.task.inputs.per_pit)
        return float(functional.cross_entropy(self._logits()[self._classed].flatten(0, 1), targets))

    def scores(self) -> Floats:
        """Score the validation pits by P(signal), the mean over a pit's images, `[validation pits]`.

        After a divergence every score is 0: nothing is accepted.
        """
        if self.diverged:
            return np.zeros(len(self.validate))
        return self._logits().softmax(2)[..., 0].mean(1).double().numpy()

    def _predicted(self) -> torch.Tensor:
        """Give the class of highest probability of each validation pit that has a class."""
        return self._logits()[self._classed].softmax(2).mean(1).argmax(1)

    def accuracy(self) -> float:
        """The share of validation pits in a class whose class has the highest probability."""
        if self.diverged:
            return 0.0
        return float((self._predicted() == self._validate_classes).double().mean())

    def score(self) -> Score:
        """Score the validation pits at the task's working point."""
        scored = self.task.is_scored[self.validate]
        is_signal = self.task.is_signal[self.validate][scored]
        return score(self.scores()[scored], is_signal, working_point=self.task.working_point)

    def verdict(self, planned: int | None = None) -> Verdict:
        """Judge the training as one of `planned` epochs, by default of its whole length."""
        result = self.score()
        return judge(
            Evidence(
                self.train_loss,
                self.validation_loss,
                self.constant_loss,
                result.auc,
                result.signals,
                result.backgrounds,
                self.diverged or len(self._predicted().unique()) == 1,
                self.task.epochs if planned is None else planned,
            )
        )


def _constant_loss(counts: Sequence[int], targets: torch.Tensor) -> float:
    """Cross-entropy, on these targets, of predicting the training classes' shares for every pit."""
    shares = torch.tensor(counts, dtype=torch.float64).clamp(min=0.5) / sum(counts)
    return float(-shares.log()[targets].mean())
