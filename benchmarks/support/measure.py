"""Measure side by side: interleaved rounds, ratios with their spread, and what machine it was.

Knows nothing of what is measured.
"""

from __future__ import annotations

import multiprocessing
import os
import platform
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from joblib import cpu_count

# In the environment: the folder of a data set that is measured, too.
DATA = "BENCHMARK_DATA"


@dataclass(frozen=True)
class Spread:
    """The median of some rounds, with the least and the greatest."""

    median: float
    low: float
    high: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Spread:
        """Sum up rounds."""
        return cls(float(np.median(values)), min(values), max(values))

    def __str__(self) -> str:
        digits = 0 if self.median >= 100 else 1 if self.median >= 10 else 2
        return f"{self.median:.{digits}f} [{self.low:.{digits}f}, {self.high:.{digits}f}]"


@dataclass(frozen=True)
class Table:
    """A benchmark's result: a title, the columns, rows of cells, and notes under it."""

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    notes: Sequence[str] = ()


@dataclass(frozen=True)
class Work:
    """What a process did: from when to when, on the clock that all processes share, and how much of its unit."""

    started: float
    ended: float
    amount: float


def timed(run: Callable[[], float]) -> Work:
    """Do some work, which says how much it was."""
    started = time.time()
    amount = run()
    return Work(started, time.time(), amount)


def rate(works: Sequence[Work]) -> float:
    """Give what processes did together, a second, from the first start to the last end."""
    seconds = max(work.ended for work in works) - min(work.started for work in works)
    return sum(work.amount for work in works) / seconds


def interleave(rounds: int, contenders: Mapping[str, Callable[[], float]]) -> dict[str, list[float]]:
    """Measure every contender once a round, so that a slow minute of the machine hits all alike."""
    results: dict[str, list[float]] = {name: [] for name in contenders}
    for _ in range(rounds):
        for name, measure in contenders.items():
            results[name].append(measure())
    return results


def ratio(above: Sequence[float], below: Sequence[float]) -> Spread:
    """Give the ratio round by round."""
    return Spread.of([first / second for first, second in zip(above, below, strict=True)])


@contextmanager
def workers(count: int) -> Iterator[ProcessPoolExecutor]:
    """Start worker processes as a search has them: fresh, not forked."""
    with ProcessPoolExecutor(count, mp_context=multiprocessing.get_context("spawn")) as pool:
        yield pool


def together(pool: ProcessPoolExecutor, count: int, task: Callable[..., Work], *arguments: Any) -> float:
    """Run one task in so many processes at once and give their joint rate."""
    return rate([future.result() for future in [pool.submit(task, *arguments) for _ in range(count)]])


def machine() -> dict[str, str]:
    """Say what machine this is, and which versions computed."""
    name = platform.processor() or platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.is_file():
        models = [line.partition(":")[2].strip() for line in cpuinfo.read_text().splitlines() if line.startswith("model name")]
        name = models[0] if models else name
    return {
        "processor": name,
        "cores": str(cpu_count()),
        "load before": f"{os.getloadavg()[0]:.2f}",
        "python": platform.python_version(),
        **{package: version(package) for package in ("torch", "timm", "optuna", "numpy")},
    }
