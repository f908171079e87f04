"""Tell whether the folds of a trial are better trained fused: equal to training apart, and faster.

A few steps are taken both ways on copies; the trainings and their randomness stay as they are. A network is not equal when it
holds state outside its weights and buffers, or when rounding decides its output; one that vmap has no rule for, or that
draws random numbers on the way, does not run fused at all.
"""

from __future__ import annotations

import math
import textwrap
import time
from collections.abc import Callable, Iterable, Sequence

import torch

from models.inputs import SCORED_AT_ONCE
from models.training.fold_training import FoldTraining
from models.training.fused import FusedFolds
from spaces.choices.optimisers import ELEMENTWISE

# Number of steps for the comparison, and again for the timing.
STEPS = 3
# How much may differ, as a share of the norm, or of LEAST where that is smaller. On CPU the networks of the space differ by
# 5e-6, but their gradients by up to 2e-3: rounding decides which of two nearly equal pixels max pooling takes. Trained apart
# from weights changed in their last digit, gradients differ by as much.
TOLERANCES = {"losses": 1e-3, "gradients": 1e-2, "buffers": 1e-3, "scores": 1e-3}
LEAST = 1e-2
# Fused must take less than this many times the time of training apart.
WORTH = 1.0


def reason_not_to_fuse(trainings: Sequence[FoldTraining]) -> str | None:
    """Give the reason to train these folds, all at the same epoch, one after another; None where fused is better."""
    config = trainings[0].task.config
    if config.optimiser.name not in ELEMENTWISE:
        return f"folds trained apart: {config.optimiser.name} is not known to work weight by weight"
    if config.labelling.rule.background_only:
        return "folds trained apart: each fits a model of background to its own pits"
    apart = [training.twin() for training in trainings]
    batches = _batches([training.twin() for training in trainings])
    try:
        where, difference = _compare(apart, batches)
        if not difference <= TOLERANCES[where]:  # what is not a number is no equality either
            return f"folds trained apart: fused, the {where} of {config.network.name} differ by {difference:.0e}"
        folds = FusedFolds(apart)
        fused_s = _timed(lambda: [folds.step(number, *batch)[0] for number, batch in enumerate(batches)])
    except RuntimeError as error:  # also where memory does not hold all folds at once
        reason = textwrap.shorten(str(error), 80) or type(error).__name__
        return f"folds trained apart: {config.network.name} does not run fused ({reason})"
    apart_s = _timed(lambda: [_step_apart(apart, number, *batch) for number, batch in enumerate(batches)])
    return None if fused_s < WORTH * apart_s else f"folds trained apart: fused takes {fused_s / apart_s:.1f} times as long here"


def _batches(trainings: Sequence[FoldTraining]) -> list[tuple[torch.Tensor, torch.Tensor | None]]:
    """Draw the first steps of an epoch: images and turns, `[folds, batch]` a step, on the device."""
    device = trainings[0].task.inputs.device
    epochs = [training.draw() for training in trainings]
    images = torch.stack([order[:STEPS] for order, _ in epochs], 1).to(device)
    ways = [turned[:STEPS] for _, turned in epochs if turned is not None]
    return list(zip(images, torch.stack(ways, 1).to(device) if ways else [None] * len(images), strict=True))


def _compare(
    trainings: Sequence[FoldTraining], batches: Sequence[tuple[torch.Tensor, torch.Tensor | None]]
) -> tuple[str, float]:
    """Train a few steps apart, each also fused from the same weights; say what differs most for its tolerance, by how much.

    From the same weights every time, because Adam makes a whole step of the sign of a gradient that is nothing but rounding:
    two trainings apart diverge in the same way, on different machines for example.
    """
    differences: list[tuple[str, float]] = []
    for number, batch in enumerate(batches):
        # Of twins, so that perturbed images are drawn alike both times.
        folds = FusedFolds([training.twin() for training in trainings])
        losses, _ = folds.step(number, *batch)
        differences.append(("losses", _difference(losses, _step_apart(trainings, number, *batch))))
        gradients = [_flat(weight.grad for weight in training.classifier.parameters()) for training in trainings]
        fused = torch.cat([weight.grad.flatten(1) for weight in folds.weights.values() if weight.grad is not None], 1)
        differences.append(("gradients", _difference(fused, torch.stack(gradients))))
        for name, buffer in folds.buffers.items():
            own = torch.stack([training.classifier.get_buffer(name) for training in trainings])
            differences.append(("buffers", _difference(buffer, own)))
    images = [training.validation_images()[:SCORED_AT_ONCE] for training in trainings]
    for training, own, logits in zip(trainings, images, FusedFolds(trainings).evaluate(images), strict=True):
        differences.append(("scores", _difference(logits.softmax(1), training.evaluate(own).softmax(1))))
    return max(
        differences, key=lambda difference: math.inf if math.isnan(difference[1]) else difference[1] / TOLERANCES[difference[0]]
    )


def _flat(tensors: Iterable[torch.Tensor | None]) -> torch.Tensor:
    return torch.cat([tensor.flatten() for tensor in tensors if tensor is not None])


def _step_apart(
    trainings: Sequence[FoldTraining], number: int, images: torch.Tensor, turned: torch.Tensor | None
) -> torch.Tensor:
    """Take one step of every fold, one after another; the same arguments and losses as FusedFolds.step."""
    losses = []
    for fold, training in enumerate(trainings):
        training.classifier.train()
        losses.append(training.step(number, images[fold], None if turned is None else turned[fold])[0])
    return torch.stack(losses)


def _difference(got: torch.Tensor, expected: torch.Tensor) -> float:
    """Give the norm of the difference as a share of the norm of what is expected, or of LEAST."""
    got, expected = got.detach().float(), expected.detach().float()
    return float((got - expected).norm() / expected.norm().clamp(min=LEAST))


def _timed(steps: Callable[[], Sequence[torch.Tensor]]) -> float:
    """Give the seconds that steps take, until their losses are on the host."""
    started = time.perf_counter()
    torch.stack(list(steps())).tolist()
    return time.perf_counter() - started
