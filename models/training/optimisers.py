"""Build an optimiser, its schedule and the average of its weights through timm.

Steps are counted from the start of a training, so that all of this is the same however its epochs are cut.
"""

from __future__ import annotations

import difflib
import inspect
import warnings
from functools import lru_cache
from typing import Any

import timm
import torch
from timm.optim import create_optimizer_v2, get_optimizer_class, get_optimizer_info, list_optimizers, param_groups_weight_decay
from timm.scheduler import CosineLRScheduler, MultiStepLRScheduler
from timm.scheduler.scheduler import Scheduler
from timm.utils import ModelEmaV3
from torch import nn

from models.process import bfloat16_works
from pitsearch.errors import reason
from spaces.choices.networks import TIMM
from spaces.choices.optimisers import DROPS, OPTIMISERS, RISE, Optimiser, kind_of
from spaces.errors import SpaceError
from spaces.plugins import find_part

# Where a rising rate starts, as a share of the highest: a rate of 0 would waste a step.
START = 1 / 25
# Steps of the trial of an untested optimiser; the sixth is the first of Lookahead's own.
TRIED = 6
LOOKAHEAD = "lookahead_"
# Timm's optimisers of this family orthogonalise in bfloat16, and have no setting for it.
BFLOAT16 = "muon"


def build_optimiser(optimiser: Optimiser, network: nn.Module, steps: int) -> tuple[torch.optim.Optimizer, Scheduler | None]:
    """Build the optimiser of a network, and the schedule over its `steps` if its rate changes.

    Biases and norms get no weight decay (timm's default). Raises SpaceError where timm does not know the optimiser, or it does
    not work here.
    """
    part = find_part("optimisers", optimiser.name)
    if part is not None:
        groups = param_groups_weight_decay(network, optimiser.weight_decay)
        own: torch.optim.Optimizer = part.build(groups, optimiser)
        return own, _schedule(optimiser, own, steps)
    check_optimiser(optimiser.name)
    kind = kind_of(optimiser.name)
    # The others use the implementation that torch and timm choose for the device.
    more: dict[str, Any] = {"fused": True} if kind.fused else {}
    if kind.momentum == "momentum":
        more["momentum"] = optimiser.momentum
    elif kind.momentum == "beta1":
        more["betas"] = (optimiser.momentum, *_betas(kind.timm)[1:])
    if optimiser.name == "nesterov":  # without momentum it is plain descent, which torch has under the other name alone
        more["nesterov"] = optimiser.momentum > 0
    instance = create_optimizer_v2(
        network, opt=kind.timm, lr=optimiser.learning_rate, weight_decay=optimiser.weight_decay, **more
    )
    return instance, _schedule(optimiser, instance, steps)


def check_optimiser(name: str) -> None:
    """Raise SpaceError where timm lacks an optimiser or it does not work here; those in OPTIMISERS exist in timm."""
    known, timm_name = list_optimizers(), name.removeprefix(TIMM)
    if BFLOAT16 in timm_name and not bfloat16_works():
        raise SpaceError(
            f"`optimiser.name = {name}` multiplies matrices in bfloat16, but that kills the process here; choose another."
        )
    if name in OPTIMISERS:
        return
    if timm_name.removeprefix(LOOKAHEAD) not in known:
        close = ", ".join(TIMM + str(other) for other in difflib.get_close_matches(timm_name, map(str, known), 4, 0.5))
        remedy = f"did you mean {close}?" if close else "see timm.optim.list_optimizers()."
        raise SpaceError(f"`optimiser.name = {name}` must be an optimiser that timm {timm.__version__} lists; {remedy}")
    reason = _why_not(timm_name)
    if reason is not None:
        raise SpaceError(f"`optimiser.name = {name}` must train a network here, but: {reason}; choose another.")


def build_average(optimiser: Optimiser, network: nn.Module) -> ModelEmaV3 | None:
    """Start the moving average of a network's weights and statistics where the optimiser has one (Polyak & Juditsky 1992).

    Its decay rises with the steps, 1 - steps^(-2/3) up to `average`: the first weights soon lose their influence.
    """
    return ModelEmaV3(network, decay=optimiser.average, use_warmup=True) if optimiser.average else None


def _betas(name: str) -> tuple[float, ...]:
    """Give the default betas of an optimiser of timm."""
    betas: tuple[float, ...] = inspect.signature(get_optimizer_class(name, bind_defaults=False)).parameters["betas"].default
    return betas


def _schedule(optimiser: Optimiser, instance: torch.optim.Optimizer, steps: int) -> Scheduler | None:
    if optimiser.schedule == "constant" and not optimiser.warmup:
        return None
    rises = optimiser.schedule == "one-cycle"
    rise = round((RISE if rises else optimiser.warmup) * steps)
    shared: dict[str, Any] = {"warmup_t": rise, "warmup_lr_init": START * optimiser.learning_rate, "t_in_epochs": False}
    if rises or optimiser.schedule == "cosine":
        return CosineLRScheduler(instance, t_initial=steps - rise, warmup_prefix=True, **shared)
    # timm takes a milestone for the step before it. A rate that stays has none.
    drops = [round(share * steps) + 1 for share in DROPS] if optimiser.schedule == "step" else []
    return MultiStepLRScheduler(instance, decay_t=drops, decay_rate=0.1, warmup_prefix=False, **shared)


@lru_cache
def _why_not(name: str) -> str | None:
    """Give the reason why an optimiser of timm does not work here; None where it does.

    It must build on this machine, step without a closure, and give the same numbers again. Leaves torch's seed as it is.
    """
    if get_optimizer_info(name.removeprefix(LOOKAHEAD)).second_order:
        return "it asks for second derivatives"
    with torch.random.fork_rng(devices=[]), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # advice on its use; a training repeats it
        try:
            first, second = _trial_weights(name), _trial_weights(name)
        except Exception as error:  # its code may raise anything outside its intended use
            return reason(error)[:120]
    if not bool(first.isfinite().all()):
        return "its weights are not finite"
    return None if torch.equal(first, second) else "it does not give the same numbers twice"


def _trial_weights(name: str) -> torch.Tensor:
    """Give the weights of a small network after a few steps, whatever else draws random numbers."""
    torch.manual_seed(0)
    network, images = (
        nn.Sequential(nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.Flatten(), nn.Linear(16, 2)),
        torch.randn(8, 1, 4, 4),
    )
    torch.seed()
    optimiser = create_optimizer_v2(network, opt=name, lr=1e-3, weight_decay=1e-2)
    for _ in range(TRIED):
        optimiser.zero_grad()
        network(images).square().mean().backward()
        optimiser.step()
    return torch.cat([weight.detach().flatten() for weight in network.parameters()])
