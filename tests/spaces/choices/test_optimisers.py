"""Optimisers by name and what is done around them: what applies, how it is told, what does not go together."""

from __future__ import annotations

from typing import Any

import pytest
from optuna.trial import FixedTrial

from spaces.axes import Scalar, check_domain
from spaces.choices.optimisers import OPTIMISERS, SCHEDULES, Optimiser, is_optimiser, kind_of
from spaces.config import Config
from spaces.errors import SpaceError
from spaces.space import Space
from spaces.suggest import suggest
from tests.support.channels import QMUL

FIXED: dict[str, tuple[Scalar, ...]] = {
    "labelling.scheme": ("binary",),
    "channels.mode": ("stacked",),
    "network.name": ("minihip",),
    "optimiser.learning_rate": (0.01,),
    "optimiser.weight_decay": (0.0,),
    "optimiser.batch_size": (16,),
    "balance.name": ("none",),
    "normalisation": ("dataset",),
    "augmentation.lights": ("none",),
    "optimiser.momentum": (0.5, 0.8),
    "optimiser.warmup": (0.1, 0.2),
}


def asked(name: str, schedule: str) -> tuple[Optimiser, dict[str, Any]]:
    """Give what a trial gets where momentum and warm-up vary, and what it was asked."""
    space = Space({**FIXED, "optimiser.name": (name,), "optimiser.schedule": (schedule,)})
    trial = FixedTrial({"optimiser.momentum": 0.8, "optimiser.warmup": 0.2})
    return suggest(trial, space.fit(("candidate", "top"), QMUL)).optimiser, trial.params


@pytest.mark.parametrize("schedule", SCHEDULES)
@pytest.mark.parametrize("name", [*OPTIMISERS, "timm:sgdw"])
def test_momentum_and_warm_up_are_asked_for_where_they_apply(name: str, schedule: str) -> None:
    optimiser, params = asked(name, schedule)
    takes, warms = name not in ("lion", "timm:sgdw"), schedule != "one-cycle"
    applying = {"optimiser.momentum": takes, "optimiser.warmup": warms}
    assert set(params) == {key for key, applies in applying.items() if applies}
    assert (optimiser.momentum, optimiser.warmup) == (0.8 if takes else 0.9, 0.2 if warms else 0.0)


def test_what_is_not_as_by_default_is_described() -> None:
    assert Optimiser().describe() == "adamw 1.0e-03/64 cosine"
    assert Optimiser("lion", momentum=0.5).describe() == "lion 1.0e-03/64 cosine"
    every = Optimiser("sgd", schedule="step", momentum=0.0, warmup=0.1, clip=2, average=0.99)
    assert every.describe() == "sgd 1.0e-03/64 step momentum 0 warm-up 0.1 clip 2 average 0.99"


def test_one_cycle_rises_by_itself() -> None:
    with pytest.raises(SpaceError, match=r"^`optimiser\.warmup = 0` must hold for one-cycle, .* but got 0\.1; leave it out\.$"):
        Optimiser(schedule="one-cycle", warmup=0.1)


def test_another_of_timm_is_named_by_its_prefix_and_keeps_its_settings() -> None:
    check_domain("optimiser.name", ("timm:sgdw", "adam"))
    assert Config.from_dict(Config(optimiser=Optimiser("timm:sgdw")).to_dict()).optimiser.name == "timm:sgdw"
    assert kind_of("timm:sgdw").timm == "sgdw"
    assert kind_of("timm:sgdw").momentum is None
    assert not kind_of("timm:adam").elementwise
    assert not any(map(is_optimiser, ("sgdw", "timm:", "Timm:sgdw", "")))
