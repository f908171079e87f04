"""Every optimiser and schedule by name: it is built fused, and it learns."""

from __future__ import annotations

import itertools

import pytest
import torch
from torch import nn

from models.optimisers import build_optimiser
from spaces.optimisers import OPTIMISERS, SCHEDULES, Optimiser


@pytest.mark.parametrize(("name", "schedule"), list(itertools.product(OPTIMISERS, SCHEDULES)))
def test_every_optimiser_brings_the_loss_down(name: str, schedule: str) -> None:
    torch.manual_seed(0)
    network = nn.Linear(3, 1)
    inputs, targets = torch.randn(64, 3), torch.randn(64, 1)
    optimiser, scheduler = build_optimiser(Optimiser(name, learning_rate=0.02, schedule=schedule), network, 100)
    losses = []
    for step in range(100):
        loss = nn.functional.mse_loss(network(inputs), targets)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        if scheduler is not None:
            scheduler.step_update(step + 1)
        losses.append(float(loss.detach()))
    assert losses[-1] < 0.9 * losses[0]
    assert all(group["fused"] for group in optimiser.param_groups)


def test_cosine_falls_to_nothing_and_constant_stays() -> None:
    rates = {}
    for schedule in SCHEDULES:
        optimiser, scheduler = build_optimiser(Optimiser("adam", 0.01, schedule=schedule), nn.Linear(2, 1), 10)
        rates[schedule] = [optimiser.param_groups[0]["lr"]]
        for step in range(10):
            if scheduler is not None:
                scheduler.step_update(step + 1)
            rates[schedule].append(optimiser.param_groups[0]["lr"])
    assert rates["constant"] == [0.01] * 11
    assert rates["cosine"][0] == 0.01
    assert rates["cosine"][5] == pytest.approx(0.005)
    assert rates["cosine"][10] == pytest.approx(0.0)


def test_biases_are_not_decayed() -> None:
    optimiser, _ = build_optimiser(Optimiser("adamw", weight_decay=0.1), nn.Linear(2, 1), 1)
    decays = {tuple(weight.shape): group["weight_decay"] for group in optimiser.param_groups for weight in group["params"]}
    assert decays == {(1, 2): 0.1, (1,): 0.0}
