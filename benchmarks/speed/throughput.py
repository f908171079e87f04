"""Images a second: the naive script with its loaders, ours with one worker and with all cores, and the share of the ceiling."""

from __future__ import annotations

import itertools
import time
from functools import partial

import numpy as np
import torch
from joblib import cpu_count
from torch.nn import functional

from benchmarks.speed import ceiling
from benchmarks.support import naive
from benchmarks.support.measure import Spread, Table, Work, interleave, ratio, timed, together, workers
from foils.description import Channel
from models.inputs import lay_out
from models.process import one_thread
from models.training.cross_validation import start_fold
from models.training.task import Task
from spaces.choices.augmentation import Augmentation
from spaces.choices.channels import Channels
from spaces.choices.networks import Network
from spaces.choices.optimisers import Optimiser
from spaces.config import Config

# A fold of the physicists' set: 1,120 pits to train on, 280 to validate.
PITS, BATCH = 1400, 64
CASES = (("minihip", 8, 28), ("pitnet", 8, 28), ("resnet10t", 8, 64))
LOADERS = (0, 2)
NETWORKS = {
    "pitnet": Network("pitnet", depth=3, width=16),
    "minihip": Network("minihip"),
    "resnet10t": Network("timm:resnet10t"),
}


def noise(pits: int, channels: int, size: int) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    """Make pixels; what they show does not matter for the time they take."""
    return np.random.default_rng(0).integers(0, 256, (pits, channels, size, size), dtype=np.uint8)


def make_config(network: str, channels: int, mode: str | None = None) -> Config:
    """Make the configuration that both sides train: Adam, batches of 64, flips and turns."""
    mode = mode or ("stacked" if channels > 1 else "single")
    return Config(
        channels=Channels(mode, "1" if mode == "single" else None),
        network=NETWORKS[network],
        optimiser=Optimiser("adam", 1e-3, weight_decay=0.0, batch_size=BATCH, schedule="constant"),
        augmentation=Augmentation("turned" if mode == "single" else "symmetries"),
    )


def make_noise_task(network: str, pits: int, channels: int, size: int, epochs: int, mode: str | None = None) -> Task:
    """Make a task of noise: its time is a real one's, and it never converges."""
    lights = tuple(Channel(str(number + 1), "rotating", 22.5 + 45.0 * number) for number in range(channels))
    config = make_config(network, channels, mode)
    classes = np.random.default_rng(1).integers(0, 2, pits)
    return Task(
        config=config,
        inputs=lay_out(noise(pits, channels, size), config.channels, lights, augmentation=config.augmentation.turns),
        targets=functional.one_hot(torch.from_numpy(classes), 2).float(),
        weights=torch.ones(pits),
        classes=torch.from_numpy(classes),
        is_signal=classes == 0,
        is_scored=np.ones(pits, dtype=np.bool_),
        lights=lights,
        epochs=epochs,
        working_point=0.05,
    )


def train_ours(network: str, pits: int, channels: int, size: int, epochs: int, mode: str | None = None) -> Work:
    """Train one fold for some epochs after a first, as a worker does; the amount is in images trained on."""
    with one_thread():
        task = make_noise_task(network, pits, channels, size, epochs + 1, mode)
        training = start_fold(task, np.arange(pits) % 5, 0, 0, 0)
        training.advance(1)

        def run() -> float:
            training.advance(epochs + 1)
            return pits * 4 // 5 * epochs * task.inputs.per_pit

        return timed(run)


def train_naively(network: str, pits: int, channels: int, size: int, epochs: int, loaders: int) -> float:
    """Train one fold with the naive script, with its default threads; images trained on a second, after a first epoch."""
    folds = np.arange(pits) % 5
    targets = np.random.default_rng(1).integers(0, 2, pits)
    recipe = naive.Recipe(naive.NETWORKS[network], epochs + 1, batch_size=BATCH, loaders=loaders)
    train, validate = np.flatnonzero(folds != 0), np.flatnonzero(folds == 0)
    running = iter(naive.train_fold(noise(pits, channels, size), targets, train, validate, recipe))
    next(running)
    started = time.perf_counter()
    return sum(len(train) for _ in itertools.islice(running, epochs)) / (time.perf_counter() - started)


def measure(rounds: int = 5, scale: float = 1.0) -> list[Table]:
    """Measure every case, and the ceiling beside it in the same rounds. `scale`: of the epochs."""
    cores = cpu_count()
    rows, ceilings = [], []
    with workers(cores) as pool:
        for network, channels, size in CASES:
            epochs = max(1, round((2 if network == "resnet10t" else 8) * scale))
            pits = max(200, round(PITS * min(scale, 1.0)))
            task = network, pits, channels, size, epochs
            together(pool, cores, train_ours, network, 200, channels, size, 1)  # warms every worker
            contenders = {
                **{f"naive {loaders}": partial(train_naively, *task, loaders) for loaders in LOADERS},
                "ours 1": partial(together, pool, 1, train_ours, *task),
                "ours all": partial(together, pool, cores, train_ours, *task),
                "products 1": partial(together, pool, 1, ceiling.matrix_products),
                "products all": partial(together, pool, cores, ceiling.matrix_products),
                "copies 1": partial(together, pool, 1, ceiling.copies),
            }
            rates = interleave(rounds, contenders)
            faster = max(LOADERS, key=lambda loaders: float(np.median(rates[f"naive {loaders}"])))
            best = rates[f"naive {faster}"]
            each = ceiling.operations(network, channels, size)
            share = ratio([value * each for value in rates["ours 1"]], rates["products 1"])
            share_all = ratio([value * each for value in rates["ours all"]], rates["products all"])
            rows.append(
                [
                    f"{network} {size} x {size} x {channels}",
                    *(str(Spread.of(rates[f"naive {loaders}"])) for loaders in LOADERS),
                    str(Spread.of(rates["ours 1"])),
                    str(Spread.of(rates["ours all"])),
                    str(ratio(rates["ours 1"], best)),
                    str(ratio(rates["ours all"], best)),
                ]
            )
            ceilings.append(
                [
                    f"{network} {size} x {size} x {channels}",
                    f"{each / 1e6:.1f}",
                    str(Spread.of([value / 1e9 for value in rates["products 1"]])),
                    str(Spread.of([value / 1e9 for value in rates["copies 1"]])),
                    str(share),
                    str(share_all),
                ]
            )
    loaders = [f"naive, {count} loaders" for count in LOADERS]
    return [
        Table(
            f"Images trained on a second, validation included; naive with {torch.get_num_threads()} threads",
            ["network", *loaders, "ours, 1 worker", f"ours, {cores} workers", "ratio, 1 worker", f"ratio, {cores} workers"],
            rows,
            ["ratios are to the faster loader, round by round: median [least, greatest]"],
        ),
        Table(
            "The share of the ceiling: fp32 matrix products of 1024 x 1024, one thread a worker",
            [
                "network",
                "MFLOP an image",
                "GFLOP/s of products",
                "GB/s of copies",
                "share, 1 worker",
                f"share, {cores} workers",
            ],
            ceilings,
        ),
    ]
