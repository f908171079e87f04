"""Measure by PED-ANOVA how far the choices of some trials differ from those of all, for hundreds of draws of them at once.

Watanabe, Bansal & Hutter 2023 (arXiv:2304.10255); where a domain depends on other choices, 2601.20800. Optuna's evaluator
asks Python about every trial, for one draw at a time: with a thousand trials and the hundreds of draws that an interval needs,
that takes minutes. Here a draw is a count of trials in each cell of Optuna's grid. A test holds the numbers against Optuna's.
Knows nothing of acceptance.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.trial import FrozenTrial
from scipy.special import ndtr

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

# As Optuna has them: cells of a range, the weight of the prior, and the trials that a domain needs.
CELLS, PRIOR, LEAST = 50, 1.0, 2
# A kernel is so wide at the least that 90 % of it fill a cell.
NARROWEST = 0.5 / 1.64
# What keeps densities off 0.
TINY = 1e-12


@dataclass(frozen=True)
class Domain:
    """One domain of an axis, and the trials that chose from it."""

    # `[trials of the domain]`, their places among all trials.
    trials: Ints
    # The cell of each one's choice.
    cells: Ints
    # Cells of the grid.
    size: int
    # Whether choices have no order.
    is_categorical: bool

    def count(self, weights: Floats) -> Floats:
        """Count trials in each cell, `[draws, size]`; `weights`: how often a draw holds each trial, `[draws, trials]`."""
        in_cell = np.zeros((len(self.trials), self.size))
        in_cell[np.arange(len(self.trials)), self.cells] = 1
        counts: Floats = weights[:, self.trials] @ in_cell
        return counts


def domains_of(axis: str, trials: Sequence[FrozenTrial]) -> list[Domain]:
    """Give the domains that trials chose an axis from; one of a single value tells nothing and is left out."""
    places: dict[BaseDistribution, list[int]] = defaultdict(list)
    for place, trial in enumerate(trials):
        if axis in trial.distributions:
            places[trial.distributions[axis]].append(place)
    return [
        Domain(np.array(of), *_cells(domain, [trials[place].params[axis] for place in of]))
        for domain, of in places.items()
        if not domain.single()
    ]


def measure(domains: Sequence[Domain], top: Floats, weights: Floats) -> Floats:
    """Measure an axis in every draw, `[draws]`: the variance of being at the top that the axis explains.

    `weights`, `top`: how often a draw holds each trial, and holds it at its top, `[draws, trials]`.
    """
    of_all, total = weights.sum(1), np.zeros(len(weights))
    for domain in domains:
        everywhere, above = domain.count(weights), domain.count(top)
        count, count_top = everywhere.sum(1), above.sum(1)
        counted = (count >= LEAST) & (count_top > 0) & (of_all > 1)
        apart = _divergence(above[counted], everywhere[counted], domain.is_categorical)
        # The paper's alpha^2 / beta times (gamma' / gamma)^2, of which all trials at the top cancel.
        total[counted] += count_top[counted] ** 2 / (count[counted] * of_all[counted]) * apart
    return total


def _cells(domain: BaseDistribution, chosen: Sequence[Any]) -> tuple[Ints, int, bool]:
    """Give the cell of each choice, the cells of the domain, and whether they have no order."""
    if isinstance(domain, CategoricalDistribution):
        return np.array([int(domain.to_internal_repr(one)) for one in chosen]), len(domain.choices), True
    assert isinstance(domain, IntDistribution | FloatDistribution)  # Optuna has no others
    size = CELLS
    if isinstance(domain, IntDistribution) and domain.log:
        size = min(math.ceil(math.log(domain.high - domain.low + 1) / math.log(2)) + 1, CELLS)
    elif domain.step is not None:
        size = min(round((domain.high - domain.low) / domain.step) + 1, CELLS)
    values, low, high = np.array(chosen, np.float64), float(domain.low), float(domain.high)
    if domain.log:
        values, low, high = np.log(values), math.log(low), math.log(high)
    # Half-way between two cells counts to the lower one.
    cells = np.ceil((values - low) / (high - low) * (size - 1) - 0.5)
    return np.clip(cells, 0, size - 1).astype(np.int64), size, False


def _divergence(top: Floats, everywhere: Floats, is_categorical: bool) -> Floats:
    """Give Pearson's divergence of the density at the top from that of all trials, `[draws]`."""
    density = _density_of_names if is_categorical else _density_of_numbers
    above, local = density(top) + TINY, density(everywhere) + TINY
    apart: Floats = (local * (above / local - 1) ** 2).sum(1)
    return apart


def _density_of_names(counts: Floats) -> Floats:
    """Smooth counts of names, `[draws, cells]`: each observed name is a kernel with a little of all others."""
    total, size = counts.sum(1, keepdims=True), counts.shape[1]
    kernels = (counts > 0).sum(1, keepdims=True) + 1
    smooth = (counts + total * PRIOR / kernels) / (1 + size * PRIOR / kernels)
    density: Floats = (smooth + PRIOR / size) / (total + PRIOR)
    return density


def _density_of_numbers(counts: Floats) -> Floats:
    """Smooth counts along a grid, `[draws, cells]`, by truncated normal kernels of Scott's width (1992), and a wide prior."""
    size, place = counts.shape[1], np.arange(counts.shape[1])
    total = counts.sum(1)
    width = _widths(counts, total)
    offsets = np.arange(-(size - 1), size)
    mass = ndtr((offsets + 0.5) / width[:, None]) - ndtr((offsets - 0.5) / width[:, None])
    inside = ndtr((size - 0.5 - place) / width[:, None]) - ndtr((-0.5 - place) / width[:, None])
    kernels = mass[:, place[None, :] - place[:, None] + size - 1]
    smooth = np.einsum("dj,djg->dg", counts / inside, kernels)
    middle = (size - 1) / 2
    prior = ndtr((place + 0.5 - middle) / size) - ndtr((place - 0.5 - middle) / size)
    density: Floats = (smooth + PRIOR * prior / prior.sum()) / (total + PRIOR)[:, None]
    return density


def _widths(counts: Floats, total: Floats) -> Floats:
    """Give the width of the kernels of every draw, `[draws]`: Scott's rule, by deviation or quartiles, whichever is less."""
    place = np.arange(counts.shape[1])
    mean = counts @ place / total
    deviation = np.sqrt((counts * (place - mean[:, None]) ** 2).sum(1) / np.maximum(1, total - 1))
    reached = counts.cumsum(1)
    first = (reached >= np.maximum(total // 4, 1)[:, None]).argmax(1)
    third = (reached > (total * 3 // 4)[:, None]).argmax(1)
    width: Floats = 1.059 * np.minimum((third - first) / 1.34, deviation) * total**-0.2
    return np.maximum(width, NARROWEST)
