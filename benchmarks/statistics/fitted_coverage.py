"""Whether intervals of acceptance hold the truth where the same pits fixed the threshold: scores drawn from known curves.

Signal and background scores of every fold are drawn from distributions whose acceptance at the working point is 0.8 or 0.95.
Their shapes differ in what the interval has to guess, the slope of acceptance against false positives. Trains nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial

import numpy as np
from joblib import cpu_count
from scipy.stats import norm

from benchmarks.support.measure import Table
from models.metrics import Flags, Floats
from search.statistics.bootstrap import Pits, draw_acceptance
from search.statistics.fitted import fit_acceptance
from search.statistics.intervals import LEVEL, Share, wilson
from search.training.pool import parallel_map

EXPERIMENTS, FOLDS = 400, 5
# Signal and background pits of a fold: a first labelling of a foil, a small data set, MoEDAL's, and a large one.
SIZES = ((10, 40), (20, 60), (41, 174), (150, 600))
RATES = (0.05, 0.01)
# Bootstraps take longer: so much fewer of them, of so many draws.
SHARE, DRAWS = 0.1, 300

Draw = Callable[[np.random.Generator, int], Floats]


def _normal(value: float, rate: float, width: float) -> Draw:
    """Draw signal from a normal distribution, `width` times as narrow as the background's."""
    middle = (float(norm.ppf(value)) - width * float(norm.ppf(rate))) / width
    return lambda generator, pits: generator.normal(middle, 1 / width, pits)


def _partly_lost(value: float, rate: float) -> Draw:
    """Draw signal of which a tenth looks like background."""
    middle = float(norm.ppf((value - 0.1 * rate) / 0.9)) - float(norm.ppf(rate))
    return lambda generator, pits: generator.normal(0, 1, pits) + middle * (generator.random(pits) > 0.1)


# What signal looks like, by the acceptance and the working point; background is always standard normal.
SHAPES: Mapping[str, Callable[[float], Draw]] = {
    "0.80, equal widths": lambda rate: _normal(0.8, rate, 1.0),
    "0.95, equal widths": lambda rate: _normal(0.95, rate, 1.0),
    "0.80, wide signal": lambda rate: _normal(0.8, rate, 0.6),
    "0.80, narrow signal": lambda rate: _normal(0.8, rate, 1.5),
    "0.80, a tenth lost": lambda rate: _partly_lost(0.8, rate),
}


def measure(rounds: int = 5, scale: float = 1.0) -> list[Table]:
    """Draw experiments. `scale`: of their number; `rounds` changes nothing: each experiment is a fresh draw."""
    count = max(20, round(EXPERIMENTS * scale))
    cells = [(rate, size, shape) for rate in RATES for size in SIZES for shape in SHAPES]
    rows = dict(parallel_map(partial(_row, count), cells, cpu_count()))
    return [
        Table(
            f"How often a {LEVEL:.0%} interval of acceptance holds the truth, its threshold fixed by the same pits",
            [
                "working point",
                "pits a fold",
                "true acceptance, scores",
                "Wilson's, threshold taken as fixed",
                "ours",
                "bootstrap",
                "mean of figure minus truth",
            ],
            [rows[cell] for cell in cells],
            [
                f"{count} experiments a row, {max(10, round(count * SHARE))} for the bootstrap, of {FOLDS} folds; pits a fold: "
                "signal and background; background scores are standard normal, signal scores normal and as wide, or wider (1.7 "
                "times), or narrower (0.67 times), or a tenth of them like background",
            ],
        )
    ]


def _row(count: int, cell: tuple[float, tuple[int, int], str]) -> tuple[tuple[float, tuple[int, int], str], list[str]]:
    rate, (signals, backgrounds), shape = cell
    truth, draw = float(shape.partition(",")[0]), SHAPES[shape](rate)
    naive, ours, drawn, values = [], [], [], []
    for number, folds in enumerate(_experiments(count, signals, backgrounds, draw)):
        fitted = fit_acceptance(folds, rate)
        naive.append(_holds(wilson(round(fitted.passed), fitted.pits), truth))
        ours.append(_holds(fitted.share, truth))
        values.append(fitted.value - truth)
        if number < max(10, count * SHARE):
            drawn.append(_holds(_bootstrap(folds, rate), truth))
    shares = [f"{np.mean(held):.3f}" for held in (naive, ours, drawn)]
    return cell, [f"{rate:.0%}", f"{signals} + {backgrounds}", shape, *shares, f"{np.mean(values):+.3f}"]


def _experiments(count: int, signals: int, backgrounds: int, draw: Draw) -> Iterator[list[tuple[Floats, Flags]]]:
    is_signal = np.arange(signals + backgrounds) < signals
    for seed in range(count):
        generator = np.random.default_rng(seed)
        yield [
            (np.concatenate([draw(generator, signals), generator.normal(0, 1, backgrounds)]), is_signal) for _ in range(FOLDS)
        ]


def _bootstrap(folds: list[tuple[Floats, Flags]], rate: float) -> Share:
    scores, is_signal = (np.concatenate(parts) for parts in zip(*folds, strict=True))
    numbers = np.repeat(np.arange(len(folds)), [len(fold) for fold, _ in folds])
    pits = Pits(np.arange(len(scores)), is_signal, np.ones(len(scores), bool))
    return draw_acceptance(pits, [scores], [numbers], rate, draws=DRAWS).share


def _holds(share: Share, truth: float) -> bool:
    return share.low <= truth <= share.high
