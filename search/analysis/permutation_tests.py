"""Test what goes with failures and low scores: a fold, the seed, a slide, a labelling style. Permutation tests on arrays.

Knows nothing of studies, networks or how it is shown.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.stats import permutation_test

from models.metrics import Floats

RESAMPLES = 9999
# What stands out: chance alone names something in one diagnosis of twenty.
LEVEL = 0.05
# Units that are alike are exchanged among themselves; kinds of fewer than this many are taken together by their size.
FEW = 5

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Effect:
    """How much goes with a cause, and how often chance alone gives as much."""

    p: float
    # The share of the variance, omega squared, corrected for what chance alone would take, 0 at least (Hays 1963).
    size: float


@dataclass(frozen=True)
class Effects:
    """The effect of the fold and of the seed on one table."""

    fold: Effect
    seed: Effect


def table_effects(table: Floats, seed: int = 0) -> Effects:
    """Test whether a table `[seeds, folds]` varies with the fold, and with the seed.

    The fold: values are exchanged between folds within each seed, the seed: within each fold, and the variance of the means is
    compared. A table without any variation has no effect, p = 1. Each training starts from weights of its own, so the luck of
    one training is in neither effect: it is what they leave over. Needs two seeds and two folds.
    """
    table = np.asarray(table, np.float64)
    fold, by_seed = _shares(table)
    return Effects(Effect(_p(table.T, seed), fold), Effect(_p(table, seed), by_seed))


def _p(samples: Floats, seed: int) -> float:
    """Test whether samples `[samples, observations]` differ, by exchanging each observation's values between samples."""
    if np.ptp(samples) == 0:
        return 1.0
    result = permutation_test(
        tuple(samples),
        _spread,
        permutation_type="samples",
        vectorized=True,
        n_resamples=RESAMPLES,
        alternative="greater",
        rng=np.random.default_rng(seed),
    )
    return float(result.pvalue)


def _spread(*samples: Floats, axis: int = -1) -> Floats:
    spread: Floats = np.var([sample.mean(axis) for sample in samples], axis=0)
    return spread


def _shares(table: Floats) -> tuple[float, float]:
    """Give omega squared of folds and of seeds, of a two-way table with one value a cell."""
    seeds, folds = table.shape
    mean = table.mean()
    of_folds, of_seeds = seeds * np.sum((table.mean(0) - mean) ** 2), folds * np.sum((table.mean(1) - mean) ** 2)
    total = np.sum((table - mean) ** 2)
    if total < 1e-12:
        return 0.0, 0.0
    left = max(total - of_folds - of_seeds, 0.0) / ((folds - 1) * (seeds - 1))
    size = [
        float(max((squares - freedom * left) / (total + left), 0.0))
        for squares, freedom in ((of_folds, folds - 1), (of_seeds, seeds - 1))
    ]
    return size[0], size[1]


@dataclass(frozen=True)
class SlideGroup:
    """One slide or style, with the number of its `pits` that were judged."""

    name: str
    pits: int
    # The mean over pits of the probability that their labels lack, 1 - P(given label).
    error: float
    # How far that lies above what is usual for the labels.
    excess: float
    # How often chance alone shows as much on any of the slides, or styles, so that it is right for the one that stands out
    # most.
    p: float


def member_effects(
    errors: Floats, labels: npt.NDArray[np.str_], members: Sequence[str], groups: Ints, seed: int = 0
) -> tuple[SlideGroup, ...]:
    """Test which slides, or styles, hold pits that are scored worse than others of their labels, worst first.

    `errors`, `labels`, `members` (the slide of each), `groups`: `[pits]`. Errors are centred within labels, since rare labels
    are harder, and summed over each slide, in units of what chance would give there and on the average slide. Slides are
    dealt out anew among pits of a label, the pits of a group that lie on one slide together, and each slide is compared
    with the largest sum of any (max-T, Westfall & Young 1993).
    """
    names, of_pit = np.unique(np.asarray(members), return_inverse=True)
    centred = _centred(errors, labels)
    units = _Units.of(centred, labels, of_pit, groups)
    # The sum over a slide has this variance where units are dealt out anew within their kinds.
    variance = np.bincount(units.kind, units.residual**2)
    counts = np.bincount(units.kind)
    spread = np.zeros(len(names))
    for kind in np.flatnonzero(counts > 1):
        on = np.bincount(units.member[units.kind == kind], minlength=len(names))
        spread += on * (1 - on / counts[kind]) * variance[kind] / (counts[kind] - 1)
    # Half of the scale is common to all slides: errors are long-tailed, and a slide of one or two pits, in units of its own
    # spread alone, would reach further by chance than ten wrong labels do (the constant of Tusher & al. 2001, PNAS 98).
    # Where nothing can vary, nothing stands out.
    common = spread + spread.mean()
    scale = np.where(common > 1e-12, np.sqrt(np.maximum(common, 1e-12)), np.inf)
    observed = np.bincount(units.member, units.residual, len(names)) / scale
    generator, largest = np.random.default_rng(seed), np.empty(RESAMPLES)
    place = np.argsort(units.kind, kind="stable")
    dealt = np.empty_like(units.residual)
    for number in range(RESAMPLES):
        dealt[place] = units.residual[np.lexsort((generator.random(len(dealt)), units.kind))]
        largest[number] = (np.bincount(units.member, dealt, len(names)) / scale).max()
    largest.sort()
    reached = RESAMPLES - np.searchsorted(largest, observed - 1e-9)
    pits = np.bincount(of_pit)
    error, excess = np.bincount(of_pit, errors) / pits, np.bincount(of_pit, centred) / pits
    groups_of_slides = [
        SlideGroup(str(name), int(pits[k]), float(error[k]), float(excess[k]), float((1 + reached[k]) / (1 + RESAMPLES)))
        for k, name in enumerate(names)
    ]
    return tuple(groups_of_slides[k] for k in np.lexsort((-excess, -observed)))


def _centred(errors: Floats, labels: npt.NDArray[np.str_]) -> Floats:
    _, of_label = np.unique(labels, return_inverse=True)
    means = np.bincount(of_label, errors) / np.bincount(of_label)
    centred: Floats = errors - means[of_label]
    return centred


@dataclass(frozen=True)
class _Units:
    """What is permuted: the pits of one group on one slide together."""

    # `[units]`, the sum over its pits, centred within its kind.
    residual: Floats
    # What it is exchanged among.
    kind: Ints
    # Its slide.
    member: Ints

    @classmethod
    def of(cls, centred: Floats, labels: npt.NDArray[np.str_], members: Ints, groups: Ints) -> _Units:
        pairs, unit = np.unique(np.stack([groups, members]), axis=1, return_inverse=True)
        unit = unit.ravel()
        made_of: list[list[str]] = [[] for _ in range(pairs.shape[1])]
        for number, label in zip(unit, labels, strict=True):
            made_of[number].append(str(label))
        kinds = ["\n".join(sorted(held)) for held in made_of]
        names, count = np.unique(kinds, return_counts=True)
        few = set(names[count < FEW])
        kinds = [f"\n{len(held)}" if kind in few else kind for kind, held in zip(kinds, made_of, strict=True)]
        _, kind = np.unique(kinds, return_inverse=True)
        sums = np.bincount(unit, centred)
        means = np.bincount(kind, sums) / np.bincount(kind)
        return cls(sums - means[kind], kind, pairs[1])
