"""The losses of `spaces.losses.LOSSES`: what a batch costs, given soft targets and a weight for each example.

Knows nothing of networks, epochs or balance: class weights arrive in the examples' weights.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import torch
from torch.nn import functional

from spaces.losses import Loss

# Takes logits and targets `[batch, classes]`, the targets summing to 1, and weights `[batch]`; gives one number.
LossFunction = Callable[[torch.Tensor, torch.Tensor, torch.Tensor], torch.Tensor]


def cross_entropy(logits: torch.Tensor, targets: torch.Tensor, weights: torch.Tensor, *, smoothing: float) -> torch.Tensor:
    """Give the weighted mean of the cross-entropy."""
    return _mean(functional.cross_entropy(logits, targets, reduction="none", label_smoothing=smoothing), weights)


def _mean(losses: torch.Tensor, weights: torch.Tensor) -> torch.Tensor:
    return (losses * weights).sum() / weights.sum()


def make_loss(loss: Loss, working_point: float) -> LossFunction:
    """Give the function of a loss; `working_point`: the false-positive rate that acceptance is wanted at."""
    return partial(cross_entropy, smoothing=loss.smoothing)
