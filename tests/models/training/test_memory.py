"""The largest trainings of the widest ready-made space fit beside each other on a laptop."""

from __future__ import annotations

import multiprocessing
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import torch
from torch.nn import functional

from foils.description import Channel
from models.inputs import lay_out
from models.process import one_thread
from models.training.cross_validation import start_fold
from models.training.task import Task
from spaces.choices.channels import Channels
from spaces.choices.networks import Network, fits, kind_of
from spaces.choices.optimisers import Optimiser
from spaces.config import Config
from spaces.named_spaces import ready

GIBIBYTE = 2**30
LIGHTS = (
    *(Channel(str(number + 1), "rotating", 22.5 + 45.0 * number) for number in range(8)),
    Channel("9", "backlit"),
    Channel("10", "halo"),
)
EVERYTHING = ready("everything")


def names(key: str) -> list[str]:
    domain = EVERYTHING.domain(key)
    assert isinstance(domain, tuple)
    return [str(value) for value in domain]


def largest(key: str) -> int:
    return max(map(int, names(key)))


def peak(network: str, mode: str) -> int:
    """Train a step on foils of the real size, in a process of its own, and give the most memory that it held, in bytes."""
    pits = 1400
    wide = "kernel" in kind_of(network).varies
    built = Network(network, 3, largest("network.width"), largest("network.kernel"), "silu") if wide else Network(network)
    config = Config(
        channels=Channels(mode),
        network=built,
        optimiser=Optimiser("adamw", batch_size=largest("optimiser.batch_size")),
    )
    classes = torch.arange(pits) % 2
    pixels = np.random.default_rng(0).integers(0, 256, (pits, len(LIGHTS), 28, 28), dtype=np.uint8)
    with one_thread():
        task = Task(
            config=config,
            inputs=lay_out(pixels, config.channels, LIGHTS),
            targets=functional.one_hot(classes, 2).float(),
            weights=torch.ones(pits),
            classes=classes,
            is_signal=classes.numpy() == 0,
            is_scored=np.ones(pits, dtype=np.bool_),
            lights=LIGHTS,
            epochs=1,
            working_point=0.05,
        )
        training = start_fold(task, np.arange(pits) % 5, 0, 0, 0)
        images, _ = training.draw()
        training.classifier.train()
        for number in range(2):
            training.step(number, images[number], None)
        training.evaluate(training.validation_images())
    # Not getrusage: its peak counts what the parent held when it started this process.
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    return int(status.split("VmHWM:")[1].split()[0]) * 1024


@pytest.mark.slow
@pytest.mark.parametrize("network", names("network.name"))
def test_a_worker_stays_under_a_gibibyte_and_a_half(network: str) -> None:
    mode = "stacked" if fits(network, "stacked") else "volume"
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        assert pool.submit(peak, network, mode).result() < 1.5 * GIBIBYTE
