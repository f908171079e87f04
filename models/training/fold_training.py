"""Train one fold up to a given epoch: a resumable training that stops at any epoch and goes on from there.

Reads top to bottom: set up, advance, score, judge. Knows nothing of Optuna, of the other folds, or of pruning.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from copy import copy, deepcopy
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
import torch

from models.inputs import SCORED_AT_ONCE
from models.metrics import Floats, Score, accepted_share, score
from models.networks.blocks import generators
from models.networks.build import Classifier, build
from models.scores import over_images
from models.training.balance import count_shown, draw_of_pits, draw_shown, is_signal, shown_shares
from models.training.epoch_values import constant_logits, right_share, signal_loss
from models.training.losses import make_loss
from models.training.optimisers import build_average, build_optimiser
from models.training.perturbation import Batch, channel_means, draw_partners, draw_shares, mix, perturb
from models.training.task import LEFT_OUT, Task
from models.training.training_curve import SHARES
from models.training.verdicts import Evidence, Verdict, judge
from spaces.choices.balance import class_weights

# A training has converged when its loss, over so many epochs, stayed under this share of the constant predictor's: every pit
# is fitted, gradients have vanished, and further epochs only raise confidence. The training half alone
# decides, so that stopping selects nothing by the validation pits. `benchmarks/README.md` has what it saves and costs.
BY_HEART, FOR_EPOCHS = 0.005, 3
# The score from which a pit counts as accepted in a verdict.
ACCEPTED = 0.5


class FoldTraining:
    """One fold in training.

    `train`, `validate`: indices of pits; `shortest`: the images that an epoch of the fold with the fewest shows, so that all
    folds make the same steps. The same task, pits and seed give the same numbers on one thread, however the epochs are cut into
    calls of `advance`, or restored from a checkpoint. Computes where the task's images are; what is random is drawn on CPU, the
    same for every device. `weights_detached`: its weights are with those of other folds for now, trained fused; `derived`:
    parts of the classifier that follow from the others, and that no checkpoint holds.
    """

    derived: ClassVar[frozenset[str]] = frozenset()

    def __init__(
        self, task: Task, train: npt.NDArray[np.int64], validate: npt.NDArray[np.int64], seed: int, shortest: int | None = None
    ) -> None:
        self.task = task
        self.seed = seed
        self.validate = validate
        self.weights_detached = False
        self.train_loss: list[float] = []
        self.validation_loss: list[float] = []
        self.shares: dict[str, list[float]] = {name: [] for name in SHARES}
        pits = torch.from_numpy(train)
        pits = pits[task.weights[pits] > 0]
        config, inputs = task.config, task.inputs
        self._images = inputs.of_pits(pits)
        self.loss = make_loss(config.loss, task.working_point)
        counts = (task.targets[pits] * task.weights[pits, None]).sum(0)
        # A pit weighs what its labelling says, times what the balance gives its class, or its classes by their shares.
        weights = task.weights * (task.targets @ torch.tensor(class_weights(config.balance.name, counts.tolist())))
        self.targets = task.targets.repeat_interleave(inputs.per_pit, 0).to(inputs.device)
        self.weights = weights.repeat_interleave(inputs.per_pit).to(inputs.device)
        self._classed = task.classes[validate] != LEFT_OUT
        self._validate_classes = task.classes[validate][self._classed]
        self._scored = torch.from_numpy(task.is_scored[validate])
        self._signal = torch.from_numpy(task.is_signal[validate])[self._scored]
        # Likelihoods refer to the trained mixture: signal has the share that the loss was shown, not that of the pits.
        shares = shown_shares(config.balance, counts)
        self._share = float(shares[0])
        self.constant_loss = -math.log(self._share) * self._share - math.log1p(-self._share) * (1 - self._share)
        as_shown = task.weights[pits] * (task.targets[pits] @ (shares / counts.clamp(min=0.5)))
        self.train_constant = float(self.loss(constant_logits(shares, len(pits)), task.targets[pits], as_shown))
        shares = counts.clamp(min=0.5) / counts.sum()
        self._by_heart = BY_HEART * float(self.loss(constant_logits(shares, len(pits)), task.targets[pits], weights[pits]))
        self._logits: torch.Tensor | None = None
        self._score: Score | None = None
        self._generator = torch.Generator().manual_seed(seed)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self.classifier = build(
                config, inputs.channels, inputs.size, inputs.full_scale, lights=task.lights, answers=task.answers
            ).to(inputs.device)
        self.classifier.measure(inputs.pick(part) for part in self._images.to(inputs.device).split(SCORED_AT_ONCE))
        # Values of a dropped light.
        parts = self._images.to(inputs.device).split(SCORED_AT_ONCE) if config.augmentation.drop else ()
        self._means = channel_means(inputs.pick(part) for part in parts) if parts else None
        # What an epoch shows where it does not show every image once; drawn by the target of each.
        self._drawn_by = task.targets[pits].repeat_interleave(task.shown, 0)
        signals = int(is_signal(self._drawn_by).sum())
        available = shortest or count_shown(config.balance, signals, len(self._drawn_by) - signals)
        self._batch = min(config.optimiser.batch_size, available)
        self.steps = available // self._batch
        self.optimiser, self.schedule = build_optimiser(config.optimiser, self.classifier.network, self.steps * task.epochs)
        self.average = build_average(config.optimiser, self.classifier)

    @property
    def epoch(self) -> int:
        """How many epochs were trained."""
        return len(self.train_loss)

    @property
    def eval_model(self) -> Classifier:
        """The classifier that is scored and kept: the one of averaged weights, where weights are averaged."""
        if self.average is None:
            return self.classifier
        averaged: Classifier = self.average.module
        return averaged

    def averages(self) -> dict[str, torch.Tensor]:
        """Give the averages of weights and buffers by name, none where nothing is averaged."""
        return {} if self.average is None else dict(self.average.module.state_dict())

    @property
    def diverged(self) -> bool:
        """Tell whether a loss was not finite; such a training goes no further."""
        return not all(map(math.isfinite, (*self.train_loss[-1:], *self.validation_loss[-1:])))

    @property
    def converged(self) -> bool:
        """Tell whether the training pits are fitted; such a training needs no further epochs."""
        last = self.train_loss[-FOR_EPOCHS:]
        return len(last) == FOR_EPOCHS and max(last) < self._by_heart

    @property
    def ended(self) -> bool:
        """Tell whether there is nothing left to train."""
        return self.epoch == self.task.epochs or self.diverged or self.converged

    def advance(self, epoch: int, interrupt: Callable[[], None] = lambda: None) -> None:
        """Train until this epoch is done, or the training has ended: a loss that is not finite, or convergence.

        `interrupt` is called after every step and may raise: the training is then in the middle of an epoch and unusable.
        """
        while self.epoch < epoch and not self.ended:
            self.record(*self._train_epoch(interrupt), self.evaluate(self.validation_images()).cpu())

    def draw(self) -> tuple[torch.Tensor, torch.Tensor | None]:
        """Draw an epoch: the images of each step and the way each is turned, `[steps, batch]`, None where none is turned."""
        size = self.steps, self._batch
        images = draw_of_pits(self._images.view(-1, self.task.inputs.per_pit), self.task.shown, self._generator)
        order = images[draw_shown(self.task.config.balance, self._drawn_by, self._generator)]
        images = order[: self.steps * self._batch].view(size)
        ways = len(self.task.inputs.turns)
        return images, torch.randint(ways, size, generator=self._generator) if ways > 1 else None

    def record(self, train_loss: float, train_accuracy: float, logits: torch.Tensor) -> None:
        """Record the end of an epoch; `logits`: of the validation pits' images, `[images, classes]`, kept for later scores."""
        self.train_loss.append(train_loss)
        self._logits = logits.view(len(self.validate), self.task.inputs.per_pit, -1)
        self._score = None
        chances = self._probabilities().double()[self._scored, 0]
        self.validation_loss.append(signal_loss(chances, self._signal, self._share))
        accepted = accepted_share(chances.numpy(), self._signal.numpy(), self.task.working_point)
        for name, share in zip(SHARES, (train_accuracy, self.accuracy(), 0.0 if self.diverged else accepted), strict=True):
            self.shares[name].append(share)

    def batch(self, images: torch.Tensor, turned: torch.Tensor | None) -> Batch:
        """Read a batch of images, perturbed as the configuration says; what is random is drawn anew every time."""
        inputs, augmentation = self.task.inputs, self.task.config.augmentation
        batch = Batch(inputs.pick(images, turned), self.targets[images], self.weights[images])
        if not augmentation.perturbs:
            return batch
        if augmentation.mixup:
            partners = images[draw_partners(images.cpu() % inputs.per_pit, self._generator).to(images.device)]
            # A partner is turned as the image is, so that the two are lit alike.
            others = Batch(inputs.pick(partners, turned), self.targets[partners], self.weights[partners])
            shares = draw_shares(augmentation.mixup, len(images), self._generator).to(images.device)
            batch = mix(batch, others, shares)
        pixels = perturb(batch.pixels, augmentation, full_scale=inputs.full_scale, means=self._means, generator=self._generator)
        return batch._replace(pixels=pixels)

    def step(self, number: int, images: torch.Tensor, turned: torch.Tensor | None) -> tuple[torch.Tensor, torch.Tensor]:
        """Take one step, the epoch's `number`, with a batch of images; its loss and accuracy stay on the device."""
        pixels, targets, weights = self.batch(images, turned)
        logits = self.classifier(pixels)
        loss = self.loss(logits, targets, weights)
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()
        if self.task.config.optimiser.clip:
            torch.nn.utils.clip_grad_norm_(self.classifier.parameters(), self.task.config.optimiser.clip)
        self.optimiser.step()
        steps = self.epoch * self.steps + number + 1
        if self.schedule is not None:
            self.schedule.step_update(steps)
        if self.average is not None:
            self.average.update(self.classifier, steps)
        return loss.detach(), right_share(logits.detach(), targets)

    def validation_images(self) -> torch.Tensor:
        """Number the images of the validation pits, pit by pit, on the device."""
        return self.task.inputs.of_pits(torch.from_numpy(self.validate)).to(self.task.inputs.device)

    @torch.no_grad()
    def evaluate(self, images: torch.Tensor) -> torch.Tensor:
        """Give the logits of some images, `[images, classes]`, on the device."""
        eval_model = self.eval_model.eval()
        return torch.cat([eval_model(self.task.inputs.pick(part)) for part in images.split(SCORED_AT_ONCE)])

    def twin(self) -> FoldTraining:
        """Give a copy that shares the pits alone: its steps leave this training as it is."""
        clone = copy(self)
        clone.train_loss, clone.validation_loss = [*self.train_loss], [*self.validation_loss]
        clone.shares = deepcopy(self.shares)
        clone._generator = self._generator.clone_state()
        # Copied in one go, so that the copied optimiser holds the copied weights.
        parts = self.classifier, self.optimiser, self.schedule, self.average
        clone.classifier, clone.optimiser, clone.schedule, clone.average = deepcopy(parts)
        return clone

    def progress(self) -> dict[str, Any]:
        """Give the state of a training, except weights, averages and the optimiser's state, for `take_progress`."""
        states = [generator.get_state() for generator in (self._generator, *generators(self.classifier))]  # averages draw none
        losses = {"train_loss": self.train_loss, "validation_loss": self.validation_loss}
        return {**losses, "shares": self.shares, "logits": self._logits, "drawn": states}

    def take_progress(self, progress: Mapping[str, Any]) -> None:
        """Restore what `progress` gave; an older pitsearch kept no shares."""
        self.train_loss, self.validation_loss = progress["train_loss"], progress["validation_loss"]
        self.shares = progress.get("shares") or {name: [math.nan] * self.epoch for name in SHARES}
        self._logits, self._score = progress["logits"], None
        for generator, state in zip((self._generator, *generators(self.classifier)), progress["drawn"], strict=True):
            generator.set_state(state)

    def _train_epoch(self, interrupt: Callable[[], None]) -> tuple[float, float]:
        self.classifier.train()
        device = self.task.inputs.device
        totals = torch.zeros(2, device=device)
        order, turned = self.draw()
        turned = None if turned is None else turned.to(device)
        for number, images in enumerate(order.to(device)):
            totals += torch.stack(self.step(number, images, None if turned is None else turned[number]))
            interrupt()
        loss, accuracy = totals.tolist()
        return loss / self.steps, accuracy / self.steps

    def probabilities(self) -> Floats:
        """Give the validation pits' probabilities, taken over a pit's images, `[validation pits, classes]`.

        After a divergence all are 0.
        """
        if self.diverged:
            return np.zeros((len(self.validate), len(self.task.config.labelling.classes)))
        return self._probabilities().double().numpy()

    def _probabilities(self) -> torch.Tensor:
        assert self._logits is not None  # a training is scored after its first epoch
        return over_images(self.task.config.channels.scores, self._logits.double().softmax(2))

    def scores(self) -> Floats:
        """Score the validation pits by P(signal), `[validation pits]`.

        After a divergence every score is 0: nothing is accepted.
        """
        signal: Floats = self.probabilities()[:, 0]
        return signal

    def accuracy(self) -> float:
        """The share of validation pits in a class whose class has the highest probability."""
        if self.diverged:
            return 0.0
        predicted = self._probabilities()[self._classed].argmax(1)
        return float((predicted == self._validate_classes).double().mean())

    def score(self) -> Score:
        """Score the validation pits at the task's working point."""
        if self._score is None:
            scored = self.task.is_scored[self.validate]
            is_signal = self.task.is_signal[self.validate][scored]
            self._score = score(self.scores()[scored], is_signal, working_point=self.task.working_point)
        return self._score

    def evidence(self, planned: int | None = None) -> Evidence:
        """Give what a verdict rests on, of its whole length, or of a training under way of which `planned` epochs are due."""
        result, under_way = self.score(), planned is not None
        planned = self.task.epochs if planned is None else planned
        return Evidence(
            train_loss=tuple(self.train_loss),
            validation_loss=tuple(self.validation_loss),
            train_constant=self.train_constant,
            constant_loss=self.constant_loss,
            auc=result.auc,
            signals=result.signals,
            backgrounds=result.backgrounds,
            accepted=float((self.scores()[self._scored.numpy()] >= ACCEPTED).mean()),
            planned=min(planned, self.epoch) if self.converged else planned,
            under_way=under_way,
        )

    def verdict(self, planned: int | None = None) -> Verdict:
        """Judge the training as one of its whole length, or as one under way of which `planned` epochs are due."""
        return judge(self.evidence(planned))
