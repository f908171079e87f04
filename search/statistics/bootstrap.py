"""Bounds on the acceptance of a configuration that was cross-validated several times: a bootstrap over groups and repeats.

A draw takes as many groups of pits, with replacement, and as many repeats. The threshold of every fold, or of all together
where folds are small (`search/statistics/fitted.py`), is computed anew from the background pits drawn, so that its variance
counts, too. Draws are over pits, never over images, and pits that share plastic are drawn together. Configurations that are
compared use the same draws, so that differences are paired; they are compared by the mean acceptance over low false-positive
rates, which varies less than that at one rate. Knows nothing of studies.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from models.metrics import Flags, Floats
from search.statistics.fitted import is_few
from search.statistics.intervals import LEVEL, Share, wilson

DRAWS = 1000


@dataclass(frozen=True)
class Pits:
    """What a bootstrap draws from; one value a pit."""

    # The group of each pit; pits of a group are drawn together.
    groups: npt.NDArray[np.int64]
    is_signal: Flags
    is_scored: Flags


# Of signal pits, `[rows, signals]`, how far each is accepted: from their scores, those of the background, the best first, the
# weight of the background among the first of it, `[rows, backgrounds + 1]`, and a rate.
Credit = Callable[[Floats, Floats, Floats, float], Floats]


@dataclass(frozen=True)
class BootstrapShare:
    """An acceptance with its bootstrap, at one false-positive rate or the mean over low ones."""

    # As measured.
    value: float
    # In every draw, `[draws]`.
    draws: Floats
    # The number of signal pits.
    signals: int
    # Whether one threshold over all folds gave it.
    is_pooled: bool = False
    # As measured in each repeat.
    by_repeat: tuple[float, ...] = ()

    def less(self, optimism: float) -> BootstrapShare:
        """Give the acceptance, measured and in every draw, with an optimism taken off."""
        return replace(self, value=max(self.value - optimism, 0.0), draws=np.maximum(self.draws - optimism, 0.0))

    @property
    def share(self) -> Share:
        """The acceptance with its 90 % percentile interval, never narrower than Wilson's for as many pits.

        Where every draw accepts all, the bootstrap's own interval has no width.
        """
        low, high = np.quantile(self.draws, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
        floor = wilson(round(self.value * self.signals), self.signals)
        return Share(self.value, min(float(low), floor.low), max(float(high), floor.high), self.is_pooled)


def at_rate(signal: Floats, background: Floats, passed: Floats, rate: float) -> Floats:
    """Accept each signal pit wholly or not at all."""
    # The first background pit that may not pass: a signal pit is accepted where its score is above that one's.
    over = passed[:, 1:] > rate * passed[:, -1:] + 1e-9
    bar = np.where(over.any(1), background[over.argmax(1)], -np.inf)
    accepted: Floats = (signal > bar[:, None]).astype(float)
    return accepted


def up_to_rate(signal: Floats, background: Floats, passed: Floats, rate: float) -> Floats:
    """Accept each signal pit from the rate at which it enters on, as `models.metrics.mean_acceptance` does."""
    # The share of background above each signal pit, ties half; a pit that enters at rate r is accepted from r to `rate`.
    above, reached = (len(background) - np.searchsorted(background[::-1], signal, side) for side in ("right", "left"))
    share = (passed[:, above] + passed[:, reached]) / (2 * np.maximum(passed[:, -1:], 1))
    accepted: Floats = np.clip(1 - share / rate, 0, None)
    return accepted


def draw_acceptance(
    pits: Pits,
    scores: Sequence[Floats],
    folds: Sequence[npt.NDArray[np.int64]],
    rate: float,
    *,
    credit: Credit = at_rate,
    seed: int = 0,
    draws: int = DRAWS,
) -> BootstrapShare:
    """Draw the acceptance at a false-positive rate, or by `credit=up_to_rate` its mean over the rates up to it.

    `scores`, `folds`: `[pits]` for each repeat, P(signal) out of fold and the fold of each pit. The same seed, pits and number
    of repeats give the same draws.
    """
    generator = np.random.default_rng(seed)
    numbers, of_pit = np.unique(pits.groups, return_inverse=True)
    once = np.ones((1, len(pits.groups)))
    drawn = generator.multinomial(len(numbers), np.full(len(numbers), 1 / len(numbers)), size=draws)[:, of_pit]
    weights = np.concatenate([once, drawn])
    repeats = generator.multinomial(len(scores), np.full(len(scores), 1 / len(scores)), size=draws)
    shares = np.stack([_share(pits, weights, *repeat, rate, credit) for repeat in zip(scores, folds, strict=True)])
    means = np.einsum("rd,dr->d", shares[:, 1:], repeats) / len(scores)
    pooled = any(_is_few(pits, numbers, rate) for numbers in folds)
    signals = int((pits.is_signal & pits.is_scored).sum())
    return BootstrapShare(float(shares[:, 0].mean()), means, signals, pooled, tuple(map(float, shares[:, 0])))


def _share(pits: Pits, weights: Floats, scores: Floats, folds: npt.NDArray[np.int64], rate: float, credit: Credit) -> Floats:
    """Give the pooled acceptance of one repeat for every row of weights, `[rows]`; `weights`: `[rows, pits]`."""
    accepted, signals = np.zeros(len(weights)), np.zeros(len(weights))
    if _is_few(pits, folds, rate):
        folds = np.zeros_like(folds)
    for fold in range(int(folds.max()) + 1):
        in_fold = (folds == fold) & pits.is_scored
        signal, background = np.flatnonzero(in_fold & pits.is_signal), np.flatnonzero(in_fold & ~pits.is_signal)
        background = background[np.argsort(-scores[background], kind="stable")]
        passed = np.pad(weights[:, background].cumsum(1), ((0, 0), (1, 0)))
        accepted += (weights[:, signal] * credit(scores[signal], scores[background], passed, rate)).sum(1)
        signals += weights[:, signal].sum(1)
    share: Floats = accepted / np.maximum(signals, 1)
    return share


def _is_few(pits: Pits, folds: npt.NDArray[np.int64], rate: float) -> bool:
    background = folds[pits.is_scored & ~pits.is_signal]
    return is_few(np.bincount(background, minlength=int(folds.max()) + 1).tolist(), rate)
