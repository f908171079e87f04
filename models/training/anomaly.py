"""Train a model of background on one fold: the network learns something about background, then a detector is fitted to it.

No signal pit is trained on, measured or fitted to; signal among the validation pits is scored, as in every scheme. What the
network learns, each as one answer: which label of background a pit has, where there are several, and by which of four quarter
turns its image was turned, its lights staying where they are (Gidaris et al. 2018, arXiv:1803.07728; for anomalies Golan &
El-Yaniv 2018, arXiv:1805.10917). Features of the two together separated signal better than those of either, on a synthetic set
apart from those of `benchmarks/search/anomaly.py`. The autoencoder learns to reproduce the image. Losses, and the verdicts from
them, refer to these answers, the validation's on background alone; the area under the curve is the anomaly score's. Knows
nothing of the other folds.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any, cast

import numpy as np
import numpy.typing as npt
import torch
from torch.nn import functional

from models.inputs import SCORED_AT_ONCE
from models.metrics import Floats
from models.networks.background import AnomalyClassifier
from models.training.fold_training import BY_HEART, FoldTraining
from models.training.perturbation import Batch
from models.training.task import QUARTERS, Task
from spaces.choices.augmentation import TURNINGS
from spaces.choices.channels import MODES
from spaces.choices.detectors import DETECTORS


class AnomalyTraining(FoldTraining):
    """One fold of a scheme of background alone, in training; the detector is fitted when a score is needed."""

    derived = frozenset({"detector"})

    def __init__(
        self, task: Task, train: npt.NDArray[np.int64], validate: npt.NDArray[np.int64], seed: int, shortest: int | None = None
    ) -> None:
        super().__init__(task, train, validate, seed, shortest)
        labelling, augmentation = task.config.labelling, task.config.augmentation
        self._stale = True
        self._reconstructs = DETECTORS[labelling.detector].reconstructs
        # Where images turn and their lights do not, a further turn could not be recognised.
        moves_lights = TURNINGS[augmentation.turns].moves_lights and not MODES[task.config.channels.mode].apart
        self._turned_before = moves_lights or self._reconstructs
        assert task.kinds is not None  # a scheme of background alone has kinds
        self._kinds = task.kinds.repeat_interleave(task.inputs.per_pit).to(task.inputs.device)
        background = torch.from_numpy(validate)
        self._background_images = task.inputs.of_pits(background[task.weights[background] > 0]).to(task.inputs.device)
        if self._reconstructs:
            self.loss = _weighted_error
        self.constant_loss, self.train_constant = self._constants()
        self._by_heart = BY_HEART * self.train_constant

    def _constants(self) -> tuple[float, float]:
        """Give what is lost by answering alike for every image, on the validation's and on the training's background."""
        if self._reconstructs:
            mean = self._values(self._images).mean(0)
            both = [(self._values(images) - mean).square().mean() for images in (self._background_images, self._images)]
            return float(both[0]), float(both[1])
        known, unseen = (self._kinds[images.to(self._kinds.device)] for images in (self._images, self._background_images))
        counts = torch.bincount(known, minlength=self.task.answers // QUARTERS)
        costs = math.log(QUARTERS) - (counts.clamp(min=0.5) / len(known)).log()
        return float(costs[unseen].mean()), float(costs[known].mean())

    @property
    def eval_model(self) -> AnomalyClassifier:
        """The classifier that is scored and kept, its detector fitted to the current features of the training background."""
        eval_model = cast(AnomalyClassifier, super().eval_model)
        if self._stale:
            self._stale = False
            self._fit(eval_model)
        return eval_model

    def advance(self, epoch: int, interrupt: Callable[[], None] = lambda: None) -> None:
        """Train until this epoch is done, or the training has ended: a loss that is not finite, or convergence."""
        while self.epoch < epoch and not self.ended:
            self.train_loss.append(self._train_epoch(interrupt)[0])
            self.validation_loss.append(self._validate())
            # What is learned is no class of pits, and a detector is not fitted for a curve alone.
            for shares in self.shares.values():
                shares.append(math.nan)
            self._stale, self._logits, self._score = True, None, None

    def take_progress(self, progress: Mapping[str, Any]) -> None:
        """Restore what `progress` gave; the detector is fitted anew."""
        super().take_progress(progress)
        self._stale = True

    def draw(self) -> tuple[torch.Tensor, torch.Tensor | None]:
        """Draw an epoch, as of a classifier, without turns that would hide the turn to recognise."""
        images, turned = super().draw()
        return images, turned if self._turned_before else None

    def batch(self, images: torch.Tensor, turned: torch.Tensor | None) -> Batch:
        """Read a batch of images, each turned by quarters that are drawn anew, and its targets."""
        batch = super().batch(images, turned)
        if self._reconstructs:
            return batch
        ways = torch.randint(QUARTERS, (len(images),), generator=self._generator).to(images.device)
        targets = functional.one_hot(self._answers(images, ways), self.task.answers).float()
        return Batch(turn_quarters(batch.pixels, ways), targets, batch.weights)

    def _answers(self, images: torch.Tensor, ways: torch.Tensor) -> torch.Tensor:
        """Number the right answer about each image, turned by so many quarters, `[images]`."""
        return self._kinds[images] * QUARTERS + ways

    @torch.no_grad()
    def _validate(self) -> float:
        """Give the mean loss on the validation's background, over all turns."""
        classifier = cast(AnomalyClassifier, super().eval_model).eval()
        total = torch.zeros((), device=self.task.inputs.device)
        for part in self._background_images.split(SCORED_AT_ONCE):
            pixels = self.task.inputs.pick(part)
            if self._reconstructs:
                total += classifier.answers(pixels).sum()
                continue
            for way in range(QUARTERS):
                ways = torch.full((len(part),), way, device=part.device)
                answers = classifier.answers(turn_quarters(pixels, ways))
                total += functional.cross_entropy(answers, self._answers(part, ways), reduction="sum") / QUARTERS
        return float(total) / max(len(self._background_images), 1)

    @torch.no_grad()
    def _fit(self, eval_model: AnomalyClassifier) -> None:
        eval_model.eval()
        images = self._images.to(self.task.inputs.device)
        features = torch.cat([eval_model.embed(self.task.inputs.pick(part)) for part in images.split(SCORED_AT_ONCE)])
        if not bool(features.isfinite().all()):
            # The losses or the scores are not finite either; an earlier fit of the detector does not make them meaningful.
            eval_model.detector.reference.fill_(math.nan)
            return
        eval_model.detector.fit(features, self._kinds[images].cpu().numpy(), self.seed)
        if eval_model is not self.classifier:
            # What is averaged step by step must have the shapes of the average.
            cast(AnomalyClassifier, self.classifier).detector.load_state_dict(eval_model.detector.state_dict())

    def _validation_logits(self) -> torch.Tensor:
        """Give the logits of the validation pits' images, `[pits, images, 2]`, computed on first use."""
        if self._logits is None:
            logits = self.evaluate(self.validation_images()).cpu().view(len(self.validate), self.task.inputs.per_pit, -1)
            if not bool(logits.isfinite().all()):
                self.validation_loss[-1] = math.nan  # the training has diverged, though its loss has not yet
            self._logits = logits
        return self._logits

    def probabilities(self) -> Floats:
        """Give the validation pits' scores and the rest to 1, `[validation pits, 2]`; after a divergence all are 0."""
        self._validation_logits()
        return super().probabilities()

    def _probabilities(self) -> torch.Tensor:
        self._validation_logits()
        return super()._probabilities()

    def _values(self, images: torch.Tensor) -> torch.Tensor:
        inputs = self.task.inputs
        return torch.cat([self.classifier.values(inputs.pick(part)) for part in images.to(inputs.device).split(SCORED_AT_ONCE)])


def turn_quarters(pixels: torch.Tensor, ways: torch.Tensor) -> torch.Tensor:
    """Turn each image `[images, channels, y, x]` counter-clockwise by so many quarters, `[images]`, its lights as they are."""
    turned = pixels.clone()
    for way in range(1, QUARTERS):
        turned[ways == way] = torch.rot90(pixels[ways == way], way, (2, 3))
    return turned


def _weighted_error(errors: torch.Tensor, targets: torch.Tensor, weights: torch.Tensor) -> torch.Tensor:
    """Give the weighted mean of the images' errors, `[images, 1]`."""
    return (errors[:, 0] * weights).sum() / weights.sum()
