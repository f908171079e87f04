"""The yardstick is fair: the naive script's networks are ours, and it learns."""

from __future__ import annotations

import numpy as np
import optuna
import pytest
import torch
from torch import nn

from benchmarks.speed.throughput import NETWORKS, make_config
from benchmarks.support import naive
from foils import Dataset
from foils.folds import fold_numbers
from models.networks.build import build


@pytest.mark.parametrize("network", NETWORKS)
@pytest.mark.parametrize("training", [False, True])
def test_the_naive_networks_compute_the_same_functions(network: str, training: bool) -> None:
    torch.manual_seed(0)
    ours = build(make_config(network, 8), 8, 28, 255)
    plain = naive.NETWORKS[network](8, 2)
    plain.load_state_dict(dict(zip(plain.state_dict(), ours.network.state_dict().values(), strict=True)))
    images = torch.randint(0, 256, (4, 8, 28, 28), dtype=torch.uint8)
    values = ours.normalise(images)
    torch.testing.assert_close(ours.train(training)(images), plain.train(training)(values), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("network", NETWORKS)
def test_the_naive_networks_start_alike(network: str) -> None:
    def deviations(module: nn.Module) -> list[float]:
        return [float(weight.detach().std()) for weight in module.parameters() if weight.ndim > 1]

    torch.manual_seed(0)
    ours = deviations(build(make_config(network, 8), 8, 28, 255).network)
    assert deviations(naive.NETWORKS[network](8, 2)) == pytest.approx(ours, rel=0.25)


def test_the_naive_script_learns_and_prunes(tiny: Dataset) -> None:
    torch.manual_seed(0)
    kept = tiny.take(np.flatnonzero(tiny.is_scored))
    targets = (~kept.is_signal).astype(np.int64)
    recipe = naive.Recipe(naive.pitnet, epochs=4, learning_rate=1e-2, batch_size=16)
    objective = naive.make_objective(kept.crops(), targets, fold_numbers(kept, 5, 0), lambda trial: recipe)
    study = optuna.create_study(direction="maximize")
    study.optimize(objective, n_trials=1)
    assert study.best_value > 0.5
    assert len(study.trials[0].intermediate_values) == 5
