"""What torch.compile gains over a training, and what it takes: the same steps of one network as they are and compiled."""

from __future__ import annotations

import time
from collections.abc import Callable

import torch
from torch import nn

from benchmarks.speed.parts import NETWORKS
from benchmarks.speed.throughput import make_noise_task
from benchmarks.support.measure import Spread, Table, interleave, ratio, workers
from models.process import one_thread
from models.training.cross_validation import start_fold
from models.training.optimisers import build_optimiser

PITS, LIGHTS, EDGE = 320, 8, 28


def steps_of(network: str, rounds: int, epochs: int) -> tuple[float, dict[str, list[float]]]:
    """Give the seconds that compiling takes, and those of some epochs of steps, as they are and compiled, round by round."""
    with one_thread():
        task = make_noise_task(network, PITS, LIGHTS, EDGE, 1)
        training = start_fold(task, torch.arange(PITS).numpy() % 5, 0, 0, 0)
        order, turned = training.draw()
        assert turned is not None  # the configuration turns images
        # All batches are of one size: another would be compiled anew.
        whole = [(images, ways) for images, ways in zip(order, turned, strict=True) if len(images) == len(order[0])]
        batches = [(images, task.inputs.pick(images, ways)) for images, ways in whole]
        classifier = training.classifier.train()
        optimiser, _ = build_optimiser(task.config.optimiser, classifier.network, 1)

        def seconds(run: nn.Module | Callable[[torch.Tensor], torch.Tensor]) -> float:
            started = time.perf_counter()
            for _ in range(epochs):
                for images, batch in batches:
                    optimiser.zero_grad()
                    training.loss(run(batch), training.targets[images], training.weights[images]).backward()
                    optimiser.step()
            return time.perf_counter() - started

        compiled = torch.compile(classifier)
        seconds(classifier)
        plain = seconds(classifier)
        first = seconds(compiled)
        contenders = {"as it is": lambda: seconds(classifier), "compiled": lambda: seconds(compiled)}
        return max(first - plain, 0.0), interleave(rounds, contenders)


def measure(rounds: int = 5, scale: float = 1.0) -> list[Table]:
    """Measure networks in a fresh process each. `scale`: of the epochs."""
    rows, epochs = [], max(1, round(10 * scale))
    for network in NETWORKS:
        with workers(1) as pool:
            compiling, times = pool.submit(steps_of, network, rounds, epochs).result()
        gain = ratio(times["as it is"], times["compiled"])
        an_epoch = {name: Spread.of([1e3 * each / epochs for each in values]) for name, values in times.items()}
        rows.append([network, f"{compiling:.0f}", str(an_epoch["as it is"]), str(an_epoch["compiled"]), str(gain)])
    columns = ["network", "compiling, s", "as it is, ms", "compiled, ms", "as it is / compiled"]
    return [Table(f"Steps of an epoch, {PITS} pits of {EDGE} x {EDGE} x {LIGHTS}, one thread, by torch.compile", columns, rows)]
