"""Optimisers and schedules by name. timm's factory builds the first, `models/optimisers.py` the second.

To add an optimiser, add one entry to OPTIMISERS under timm's name for it, and the name to ELEMENTWISE where that holds.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Optimiser:
    """One optimiser with its rate, weight decay, batch size (images a step) and learning-rate schedule."""

    name: str = "adamw"
    learning_rate: float = 1e-3
    weight_decay: float = 1e-4
    batch_size: int = 64
    schedule: str = "cosine"


OPTIMISERS: dict[str, str] = {
    "sgd": "stochastic gradient descent with Nesterov momentum 0.9",
    "adam": "Adam (Kingma & Ba 2015, arXiv:1412.6980), weight decay added to the gradient",
    "adamw": "Adam with decoupled weight decay (Loshchilov & Hutter 2019, arXiv:1711.05101)",
}

# Those that change every weight by its own gradients alone, so that the weights of several trainings may be stacked into one
# tensor. One that takes norms of tensors (LAMB) or their products (Muon) would mix the trainings.
ELEMENTWISE = frozenset({"sgd", "adam", "adamw"})

SCHEDULES: dict[str, str] = {
    "constant": "the learning rate stays",
    "cosine": "the learning rate falls to 0 along half a cosine (Loshchilov & Hutter 2017, arXiv:1608.03983)",
}
