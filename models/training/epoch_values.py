"""Values of an epoch, as tensors: the share of images classed right, losses on validation pits and of a constant answer.

Knows no training.
"""

from __future__ import annotations

import torch

# A probability under which a pit costs no more: what doubles lose between 1 and less than 1.
IMPOSSIBLE = 1e-16


def right_share(logits: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    """Give the share of images whose class is the most probable, on their device; `logits`, `targets`: `[images, classes]`."""
    return (logits.argmax(1) == targets.argmax(1)).float().mean()


def signal_loss(chances: torch.Tensor, is_signal: torch.Tensor, share: float) -> float:
    """Give the mean negative log-likelihood of P(signal), `[pits]`, where signal counts by its share of what was shown."""
    losses = -torch.where(is_signal, chances, 1 - chances).clamp(min=IMPOSSIBLE).log()
    sides = losses[is_signal].mean(), losses[~is_signal].mean()
    return float(share * sides[0] + (1 - share) * sides[1])


def constant_logits(shares: torch.Tensor, pits: int) -> torch.Tensor:
    """Give the logits of predicting the training classes' shares for every pit, `[pits, classes]`."""
    return shares.log().expand(pits, -1)
