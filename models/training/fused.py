"""Train folds of one trial together: their weights stacked, every step one computation for all of them.

torch.func.vmap runs one network over the stacked weights and buffers. Its rule for a convolution whose weights differ between
folds is a grouped convolution, so this is that way of fusing too. Every fold draws its images from its own generator, as
apart; the pixels are looked up where they are, and nothing is fetched from the device before an epoch is over. Written for any
device and tested on CPU against training apart; CUDA graphs are not used. Knows nothing of rungs, reseeds, or whether fusing
pays: `models/training/probe.py` decides that.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from copy import deepcopy

import torch
from timm.scheduler.scheduler import Scheduler
from torch.func import functional_call, vmap

from models.inputs import SCORED_AT_ONCE
from models.training.epoch_values import right_share
from models.training.fold_training import FoldTraining
from models.training.perturbation import Batch

# What optimisers keep one number of, for all weights: steps, and what NAdam multiplies up step by step.
ONE_FOR_ALL = frozenset({"step", "mu_product"})


def advance_together(
    trainings: Sequence[FoldTraining], epoch: int, on_epoch: Callable[[int], None] = lambda folds: None
) -> None:
    """Train folds, all at the same epoch, until this epoch is done or each has ended.

    A fold that ends goes no further, and the others go on as they would alone. After every epoch `on_epoch` receives the number
    of folds that it trained, and may raise to stop the work; the trainings stay as they are.
    """
    while going := [training for training in trainings if training.epoch < epoch and not training.ended]:
        with stacked(going) as folds:
            while all(training.epoch < epoch and not training.ended for training in going):
                folds.train_epoch()
                on_epoch(len(going))


@contextmanager
def stacked(trainings: Sequence[FoldTraining]) -> Iterator[FusedFolds]:
    """Stack trainings for a while, and return weights, buffers and optimiser's state to each, also after an error."""
    folds = FusedFolds(trainings)
    try:
        yield folds
    finally:
        folds.give_back()


class FusedFolds:
    """The stacked weights, buffers and optimiser's state of some folds at the same epoch; the trainings' own rest meanwhile.

    `weights`, `buffers`: by name, `[folds, ...]`; `averages`: of both, where weights are averaged. What is random, recorded and
    judged stays with the trainings.
    """

    def __init__(self, trainings: Sequence[FoldTraining]) -> None:
        self.trainings = trainings
        first = trainings[0]
        self._inputs = first.task.inputs
        self._network = deepcopy(first.classifier)
        self._network.memory_format = torch.contiguous_format  # vmap supports no other
        self._example_weights = torch.stack([training.weights for training in trainings])
        self.weights = {name: _stack(own).requires_grad_() for name, own in _by_name(trainings, "named_parameters").items()}
        self.buffers = {name: _stack(own) for name, own in _by_name(trainings, "named_buffers").items()}
        self.averages = {name: _stack(own) for name, own in _averages(trainings).items()}
        self._optimiser, self._schedule = self._one_optimiser()

    def _one_optimiser(self) -> tuple[torch.optim.Optimizer, Scheduler | None]:
        """Make one optimiser of the folds' own, with their states.

        The first fold's is copied, a stacked weight in place of each of its own: which weights decay was decided by the shapes
        of one fold's (vectors do not), and a stack of vectors is none.
        """
        own = _by_name(self.trainings, "named_parameters")
        in_place_of = {id(weights[0]): self.weights[name] for name, weights in own.items()}
        optimiser, schedule = deepcopy((self.trainings[0].optimiser, self.trainings[0].schedule), in_place_of)
        for name, weights in own.items():
            states = [training.optimiser.state[weight] for training, weight in zip(self.trainings, weights, strict=True)]
            optimiser.state[self.weights[name]] = {
                key: _stack([state[key] for state in states]) if _is_per_weight(key, value) else deepcopy(value)
                for key, value in states[0].items()
            }
        return optimiser, schedule

    @torch.no_grad()
    def give_back(self) -> None:
        """Give each training its weights, buffers and optimiser's state, in the order in memory that it keeps them in."""
        for number, training in enumerate(self.trainings):
            for name, buffer in training.classifier.named_buffers():
                buffer.copy_(self.buffers[name][number])
            for name, weight in training.classifier.named_parameters():
                weight.copy_(self.weights[name][number])
                training.optimiser.state[weight] = {
                    key: torch.empty_like(weight).copy_(value[number]) if _is_per_weight(key, value) else deepcopy(value)
                    for key, value in self._optimiser.state[self.weights[name]].items()
                }
            for name, averaged in training.averages().items():
                averaged.copy_(self.averages[name][number])
            for own, group in zip(training.optimiser.param_groups, self._optimiser.param_groups, strict=True):
                own["lr"] = group["lr"]
            training.classifier.eval()

    def train_epoch(self) -> None:
        """Train every fold for one epoch and record how it ended. Waits for the device once, at the end."""
        first, device = self.trainings[0], self._inputs.device
        epochs = [training.draw() for training in self.trainings]
        order = torch.stack([images for images, _ in epochs], 1).to(device)
        ways = [turned for _, turned in epochs if turned is not None]
        turned = torch.stack(ways, 1).to(device) if ways else None
        validation_images = [training.validation_images() for training in self.trainings]
        totals = torch.zeros(2, len(self.trainings), device=device)
        for number, images in enumerate(order):
            totals += torch.stack(self.step(number, images, None if turned is None else turned[number]))
        fold_logits = self.evaluate(validation_images)
        for training, loss, accuracy, logits in zip(self.trainings, *totals.tolist(), fold_logits, strict=True):
            training.record(loss / first.steps, accuracy / first.steps, logits.cpu())

    def step(self, number: int, images: torch.Tensor, turned: torch.Tensor | None) -> tuple[torch.Tensor, torch.Tensor]:
        """Take one step of every fold, the epoch's `number`; losses and accuracies, `[folds]` each, stay on the device.

        `images`, `turned`: `[folds, batch]`.
        """
        first = self.trainings[0]
        self._network.train()
        losses, accuracies = vmap(self._loss)(self.weights, self.buffers, *self._batch(images, turned))
        self._optimiser.zero_grad(set_to_none=True)
        losses.sum().backward()  # a fold's weights touch its own loss alone
        if first.task.config.optimiser.clip:
            _clip([weight.grad for weight in self.weights.values()], first.task.config.optimiser.clip)
        self._optimiser.step()
        steps = first.epoch * first.steps + number + 1
        if self._schedule is not None:
            self._schedule.step_update(steps)
        if first.average is not None:
            self._average(first.average.get_decay(steps))
        return losses.detach(), accuracies

    @torch.no_grad()
    def _average(self, decay: float) -> None:
        """Move the averages towards the weights and buffers, as the trainings' own do."""
        trained = {**self.weights, **self.buffers}
        for name, averaged in self.averages.items():
            if averaged.is_floating_point():
                averaged.lerp_(trained[name], 1 - decay)
            else:  # counts of batches
                averaged.copy_(trained[name])

    @torch.no_grad()
    def evaluate(self, images: Sequence[torch.Tensor]) -> list[torch.Tensor]:
        """Give the logits of each fold's images, `[images, classes]` a fold, on the device."""
        self._network.eval()
        # Folds of unequal size are filled up with image 0; what it scores is cut off again.
        even = torch.nn.utils.rnn.pad_sequence(list(images), batch_first=True)
        weights, buffers = (
            {name: self.averages.get(name, own) for name, own in trained.items()} for trained in (self.weights, self.buffers)
        )
        parts = [vmap(self._logits)(weights, buffers, self._pick(part)) for part in even.split(SCORED_AT_ONCE, 1)]
        logits = torch.cat(parts, 1)
        return [logits[number, : len(own)] for number, own in enumerate(images)]

    def _batch(self, images: torch.Tensor, turned: torch.Tensor | None) -> Batch:
        """Read a batch of every fold; perturbed images are drawn by each fold's own training, as apart."""
        first = self.trainings[0]
        if not first.task.config.augmentation.perturbs:
            return Batch(self._pick(images, turned), first.targets[images], self._example_weights.gather(1, images))
        ways = [None] * len(images) if turned is None else list(turned)
        batches = [training.batch(*step) for training, *step in zip(self.trainings, images, ways, strict=True)]
        return Batch(*map(torch.stack, zip(*batches, strict=True)))

    def _pick(self, images: torch.Tensor, turned: torch.Tensor | None = None) -> torch.Tensor:
        """Read images, `[folds, images, channels, y, x]`."""
        picked = self._inputs.pick(images.flatten(), None if turned is None else turned.flatten())
        return picked.view(*images.shape, *picked.shape[1:])

    def _logits(self, weights: dict[str, torch.Tensor], buffers: dict[str, torch.Tensor], pixels: torch.Tensor) -> torch.Tensor:
        logits: torch.Tensor = functional_call(self._network, (weights, buffers), (pixels,))
        return logits

    def _loss(
        self,
        weights: dict[str, torch.Tensor],
        buffers: dict[str, torch.Tensor],
        pixels: torch.Tensor,
        targets: torch.Tensor,
        example_weights: torch.Tensor,
    ) -> tuple[torch.Tensor, torch.Tensor]:
        logits = self._logits(weights, buffers, pixels)
        return self.trainings[0].loss(logits, targets, example_weights), right_share(logits.detach(), targets)


def _by_name(trainings: Sequence[FoldTraining], kind: str) -> dict[str, list[torch.Tensor]]:
    """Collect the folds' weights or buffers by name."""
    folds = [dict(getattr(training.classifier, kind)()) for training in trainings]
    return {name: [fold[name] for fold in folds] for name in folds[0]}


def _averages(trainings: Sequence[FoldTraining]) -> dict[str, list[torch.Tensor]]:
    """Collect the folds' averages of weights and buffers by name."""
    folds = [training.averages() for training in trainings]
    return {name: [fold[name] for fold in folds] for name in folds[0]}


def _clip(gradients: Sequence[torch.Tensor | None], norm: float) -> None:
    """Scale each fold's gradient down to a norm, as torch.nn.utils.clip_grad_norm_ does; `gradients`: `[folds, ...]` each."""
    stacked = [gradient for gradient in gradients if gradient is not None]
    norms = torch.stack([torch.linalg.vector_norm(gradient.flatten(1), dim=1) for gradient in stacked])
    scale = (norm / (torch.linalg.vector_norm(norms, dim=0) + 1e-6)).clamp(max=1)
    for gradient in stacked:
        gradient.mul_(scale.view(-1, *[1] * (gradient.ndim - 1)))


def _stack(tensors: Sequence[torch.Tensor]) -> torch.Tensor:
    # In one order in memory for weights and states alike, which the optimisers' own kernels rely on.
    return torch.stack([tensor.detach() for tensor in tensors]).contiguous()


def _is_per_weight(key: str, value: object) -> bool:
    """Tell whether an entry of an optimiser's state has a number for every weight."""
    return isinstance(value, torch.Tensor) and key not in ONE_FOR_ALL
