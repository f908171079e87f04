"""Compute the losses of `spaces.choices.losses.LOSSES` of a batch, given soft targets and a weight for each example.

The acceptance losses depend on one score of a network, the log-odds of signal, s = z_0 - log sum_{c > 0} exp z_c, whatever the
number of classes. An example of weight w whose target is signal by the share t counts as w t of signal and as w (1 - t) of
background; each side is normalised by itself, so that class weights move nothing between the two. Over the background's scores
in falling order, b(u) is the score that a share u of it lies above. At the false-positive rate a signal acceptance is

    A(a) = P(s > b(a)),    and    (1/a) integral_0^a A(u) du = P(s > s') over pairs, s' of the background's highest share a

is the partial area under the curve, as a share of a. `acceptance` costs the mean of 1 - A(u) for u from a/2 to 3a/2, because
few background examples of a batch, often one, lie near b(a); a sigmoid of b(u) - s is its step, which is bounded: an outlier
costs no more than its place. `partial-auc` costs one minus the second, with log2(1 + exp) as its step, a convex bound that
outliers move. Gradients flow through the threshold, by which background above it is pushed down (Adam & al. 2021); ranks
have none. Both costs depend on differences of scores alone, not on likelihoods or background classes, hence the share
of cross-entropy. Where a is less than one example of the batch, its highest is aimed at, as in a top push. A batch without
signal, or without background, adds nothing but its cross-entropy.

Nothing depends on data but numbers, so that folds may be stacked (`models/training/fused.py`). Knows nothing of networks,
epochs or balance: class weights arrive in the examples' weights.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial

import torch
from torch.nn import functional

from spaces.choices.losses import Loss
from spaces.plugins import find_part

# Takes logits and targets `[batch, classes]`, the targets summing to 1, and weights `[batch]`; gives one number.
LossFunction = Callable[[torch.Tensor, torch.Tensor, torch.Tensor], torch.Tensor]
# Takes scores of the batch, and the weights of its signal and of its background, each summing to 1 or 0, all `[batch]`.
Surrogate = Callable[[torch.Tensor, torch.Tensor, torch.Tensor], torch.Tensor]
# Under every weight that means something, and far over what float32 loses to 0.
LEAST = 1e-12
# Signal examples whose pairs are in memory at once where no gradient is wanted.
BLOCK = 512


def cross_entropy(logits: torch.Tensor, targets: torch.Tensor, weights: torch.Tensor, *, smoothing: float) -> torch.Tensor:
    """Give the weighted mean of the cross-entropy."""
    return _mean(functional.cross_entropy(logits, targets, reduction="none", label_smoothing=smoothing), weights)


def focal(
    logits: torch.Tensor, targets: torch.Tensor, weights: torch.Tensor, *, smoothing: float, focus: float
) -> torch.Tensor:
    """Give the weighted mean of -sum_c t_c (1 - p_c)^focus log p_c (Lin & al. 2017, equation 4, for soft targets)."""
    smoothed = targets * (1 - smoothing) + smoothing / targets.shape[1]
    logs = functional.log_softmax(logits, 1)
    # Away from 0, where a power under 1 has no slope.
    wrong = -torch.expm1(logs.clamp(max=-LEAST))
    return _mean(-(smoothed * wrong**focus * logs).sum(1), weights)


def acceptance_loss(
    logits: torch.Tensor,
    targets: torch.Tensor,
    weights: torch.Tensor,
    *,
    surrogate: Surrogate,
    share: float,
    smoothing: float,
) -> torch.Tensor:
    """Give `share` of a surrogate and the rest of cross-entropy."""
    scores = logits[:, 0] - logits[:, 1:].logsumexp(1)
    signal, background = _normalised(weights * targets[:, 0]), _normalised(weights * (1 - targets[:, 0]))
    both = signal.sum() * background.sum()
    cost = surrogate(scores, signal, background) * both
    return share * cost + (1 - share) * cross_entropy(logits, targets, weights, smoothing=smoothing)


def missed(scores: torch.Tensor, signal: torch.Tensor, background: torch.Tensor, *, rate: float) -> torch.Tensor:
    """Give the share of signal under the thresholds around a false-positive rate, with a sigmoid as the step: 1 - A(rate)."""
    thresholds = ranked_between(scores, background, rate / 2, min(1.0, 1.5 * rate))
    return _pairs(scores, signal, thresholds, torch.sigmoid)


def misranked(scores: torch.Tensor, signal: torch.Tensor, background: torch.Tensor, *, rate: float) -> torch.Tensor:
    """Give the bound of the share of pairs, signal against the hardest share `rate` of background, in the wrong order."""
    hardest = ranked_between(scores, background, 0.0, rate)
    return _pairs(scores, signal, hardest, functional.softplus) / math.log(2)


def _pairs(
    scores: torch.Tensor, signal: torch.Tensor, background: torch.Tensor, step: Callable[[torch.Tensor], torch.Tensor]
) -> torch.Tensor:
    """Give the weighted mean of the step of background's score less signal's, a block of signal at a time for memory."""
    blocks = zip(scores.split(BLOCK), signal.split(BLOCK), strict=True)
    return torch.stack([weights @ step(scores[None, :] - block[:, None]) @ background for block, weights in blocks]).sum()


def ranked_between(scores: torch.Tensor, weights: torch.Tensor, low: float, high: float) -> torch.Tensor:
    """Weigh the examples that lie, by falling score, between two shares of all weight; sums to 1, or 0 without weight.

    `scores`, `weights`: `[batch]`, the weights summing to 1 or 0; an example on an end counts by the part inside.
    """
    order = scores.detach().argsort(descending=True, stable=True)
    above = weights[order].cumsum(0)
    inside = above.clamp(low, high) - (above - weights[order]).clamp(low, high)
    return torch.zeros_like(weights).scatter(0, order, inside / (high - low))


def _normalised(weights: torch.Tensor) -> torch.Tensor:
    return weights / weights.sum().clamp(min=LEAST)


def _mean(losses: torch.Tensor, weights: torch.Tensor) -> torch.Tensor:
    return (losses * weights).sum() / weights.sum()


def make_loss(loss: Loss, working_point: float) -> LossFunction:
    """Give the function of a loss; `working_point`: the false-positive rate at which acceptance is quoted."""
    rate = min(1.0, loss.rate * working_point)
    part = find_part("losses", loss.name)
    if part is not None:
        compute: LossFunction = part.compute
        return compute
    functions: dict[str, LossFunction] = {
        "cross-entropy": partial(cross_entropy, smoothing=loss.smoothing),
        "focal": partial(focal, smoothing=loss.smoothing, focus=loss.focus),
        "acceptance": partial(
            acceptance_loss, surrogate=partial(missed, rate=rate), share=loss.share, smoothing=loss.smoothing
        ),
        "partial-auc": partial(
            acceptance_loss, surrogate=partial(misranked, rate=rate), share=loss.share, smoothing=loss.smoothing
        ),
    }
    return functions[loss.name]
