"""Where the time of a training goes, and what a worker costs before it trains: its start and its memory."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import torch
from torch.profiler import ProfilerActivity, profile

from benchmarks.speed.throughput import PITS, make_noise_task
from benchmarks.support.measure import Spread, Table, workers
from foils import load
from foils.synthetic.synthesise import SyntheticFoils, scaled_counts, synthesise
from models.process import one_thread
from models.training.cross_validation import CrossValidation, start_fold
from models.training.optimisers import build_optimiser
from models.training.task import make_task
from spaces.choices.channels import Channels
from spaces.choices.networks import Network
from spaces.config import Config

NETWORKS = ("pitnet", "minihip", "resnet10t")
PARTS = ("data", "forward and backward", "optimiser", "evaluation")
# What PyTorch calls them, forward and backward.
CONVOLUTIONS = ("aten::mkldnn_convolution", "aten::convolution_backward")


def epoch_parts(network: str, pits: int, memory_kept: bool) -> dict[str, float]:
    """Time the parts of one epoch of a fold at 28 x 28 x 8, in milliseconds; `memory_kept`: with memory kept between steps."""
    with one_thread() if memory_kept else _plain_thread():
        task = make_noise_task(network, pits, 8, 28, 1)
        training = start_fold(task, np.arange(pits) % 5, 0, 0, 0)
        optimiser, _ = build_optimiser(task.config.optimiser, training.classifier.network, 1)
        order, turned = training.draw()
        assert turned is not None  # the configuration turns images
        classifier = training.classifier.train()
        batches = [task.inputs.pick(images, ways) for images, ways in zip(order, turned, strict=True)]

        def data() -> None:
            for images, ways in zip(order, turned, strict=True):
                task.inputs.pick(images, ways)

        def learn() -> None:
            for images, batch in zip(order, batches, strict=True):
                for weight in classifier.parameters():
                    weight.grad = None
                training.loss(classifier(batch), training.targets[images], training.weights[images]).backward()

        def step() -> None:
            for _ in order:
                optimiser.step()

        def evaluate() -> None:
            training.evaluate(training.validation_images())
            classifier.train()

        runs: tuple[Callable[[], None], ...] = (data, learn, step, evaluate)
        for run in runs:
            run()
        return {part: 1e3 * _seconds(run) for part, run in zip(PARTS, runs, strict=True)}


def convolution_share(network: str, pits: int) -> float:
    """Give the percentage of an epoch of a fold at 28 x 28 x 8, evaluation and data included, that convolutions take."""
    with one_thread():
        training = start_fold(make_noise_task(network, pits, 8, 28, 2), np.arange(pits) % 5, 0, 0, 0)
        training.advance(1)
        with profile(activities=[ProfilerActivity.CPU]) as profiled:
            training.advance(2)
    taken = {event.key: event.self_cpu_time_total for event in profiled.key_averages()}
    return 100 * float(sum(taken[name] for name in CONVOLUTIONS) / sum(taken.values()))


def start_up() -> float:
    """Start a worker and give the seconds until it has imported everything that a trial needs."""
    started = time.perf_counter()
    with workers(1) as pool:
        pool.submit(import_everything).result()
        return time.perf_counter() - started


def import_everything() -> None:
    """Import what a trial needs."""
    import search.workers.objective  # noqa: F401  # that is what is timed


def worker_memory(folder: str) -> dict[str, float]:
    """Cross-validate for two epochs in this process and give its memory in MB: peak resident, and what is its own alone."""
    data = load(folder)
    before = _own()
    config = Config(channels=Channels("stacked"), network=Network("pitnet", depth=3, width=16))
    with one_thread():
        validation = CrossValidation(make_task(data, config, epochs=2, working_point=0.05), np.arange(len(data)) % 5, 0)
        validation.advance(5, 2)
    return {"resident, peak": _kilobytes("status", "VmHWM") / 1024, "its own": _own(), "its own, before training": before}


def measure(rounds: int = 5, scale: float = 1.0) -> list[Table]:
    """Measure the parts of an epoch with and without kept memory, and workers. `scale`: of the pits."""
    pits = max(400, round(PITS * scale))
    rows = []
    with workers(1) as keeping, workers(1) as plain:
        for network in NETWORKS:
            pairs = [(_in(keeping, network, pits, True), _in(plain, network, pits, False)) for _ in range(rounds)]
            sums = [sum(parts.values()) for parts, _ in pairs]
            shares = [
                Spread.of([100 * parts[part] / total for (parts, _), total in zip(pairs, sums, strict=True)]) for part in PARTS
            ]
            gains = [sum(other.values()) / total for (_, other), total in zip(pairs, sums, strict=True)]
            convolved = Spread.of([keeping.submit(convolution_share, network, pits).result() for _ in range(rounds)])
            rows.append([network, str(Spread.of(sums)), *map(str, (*shares, convolved)), str(Spread.of(gains))])
    with TemporaryDirectory() as folder:
        synthesise(Path(folder) / "foils", SyntheticFoils(seed=0, counts=scaled_counts(pits)))
        load(Path(folder) / "foils")
        starts = [start_up() for _ in range(rounds)]
        with workers(1) as pool:
            memory = pool.submit(worker_memory, str(Path(folder) / "foils")).result()
    return [
        Table(
            f"Parts of an epoch of one fold, {pits} pits of 28 x 28 x 8, one thread",
            ["network", "epoch, ms", *(f"{part}, %" for part in (*PARTS, "convolutions")), "time without kept memory, ratio"],
            rows,
        ),
        Table(
            f"A worker, with {pits} pits under 10 channels",
            ["start-up, s", *(f"{name}, MB" for name in memory)],
            [[str(Spread.of(starts)), *(f"{megabytes:.0f}" for megabytes in memory.values())]],
            ["resident memory counts libraries and pixels that all workers share; 'its own' is what each further worker takes"],
        ),
    ]


@contextmanager
def _plain_thread() -> Iterator[None]:
    torch.set_num_threads(1)
    yield


def _in(pool: ProcessPoolExecutor, network: str, pits: int, memory_kept: bool) -> dict[str, float]:
    return pool.submit(epoch_parts, network, pits, memory_kept).result()


def _seconds(run: Callable[[], None]) -> float:
    started = time.perf_counter()
    run()
    return time.perf_counter() - started


def _own() -> float:
    """Give the memory that this process shares with no other, in MB."""
    return _kilobytes("smaps_rollup", "Private_") / 1024


def _kilobytes(file: str, name: str) -> int:
    """Sum up what Linux says about this process under a name; getrusage would count the parent's memory at the fork."""
    lines = Path(f"/proc/self/{file}").read_text().splitlines() if sys.platform == "linux" else []
    return sum(int(line.split()[1]) for line in lines if line.startswith(name))
