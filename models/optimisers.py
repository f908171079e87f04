"""Build an optimiser and its schedule through timm, with the fused step."""

from __future__ import annotations

import torch
from timm.optim import create_optimizer_v2
from timm.scheduler import CosineLRScheduler
from timm.scheduler.scheduler import Scheduler
from torch import nn

from spaces.optimisers import Optimiser


def build_optimiser(optimiser: Optimiser, network: nn.Module, steps: int) -> tuple[torch.optim.Optimizer, Scheduler | None]:
    """Build the optimiser of a network, and the schedule over its `steps` if its rate changes.

    Biases and norms get no weight decay (timm's default).
    """
    built = create_optimizer_v2(
        network, opt=optimiser.name, lr=optimiser.learning_rate, weight_decay=optimiser.weight_decay, fused=True
    )
    if optimiser.schedule == "constant":
        return built, None
    return built, CosineLRScheduler(built, t_initial=steps, t_in_epochs=False)
