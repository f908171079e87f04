"""What as many draws again may add to the best of the draws so far: an expectation, and a bound.

The excess of the highest values over the lowest of them is taken as exponential (Weissman 1978, JASA 73:812), with a scale
known as well as so many values tell it. An acceptance cannot exceed 1, so that its tail is shorter: the bound errs upwards.
Draws are taken as alike, in any order. Knows nothing of trials.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import gammaincinv

# The gain exceeds its bound with this chance.
BEYOND = 0.1
# Draws of which fewer tell too little, values above the lowest of the highest likewise, and the share that counts as the tail.
FEWEST, FEWEST_HIGH, TAIL = 10, 2, 0.2
# Points at which the scale is tried, and the bound.
SCALES, STEPS = 100, 1000


@dataclass(frozen=True)
class Gain:
    """What further draws may add to the best."""

    # Draws.
    further: int
    expected: float
    # It is exceeded with a chance of BEYOND.
    bound: float


def expected_gain(highest: Sequence[float], count: int, most: float = 1.0) -> Gain | None:
    """Give what as many draws again may add; None where too little is known.

    `highest`: the values of the highest of the draws, in any order; `count`: all draws; `most`: what no value exceeds.
    """
    used = min(len(highest), max(round(TAIL * count), FEWEST_HIGH) + 1)
    if count < FEWEST or used <= FEWEST_HIGH:
        return None
    tail = np.sort(highest)[-used:]
    excess, room = float((tail[1:] - tail[0]).sum()), most - float(tail[-1])
    # The scale's distribution: the sum of so many exponential values over one of a gamma distribution.
    scales = excess / gammaincinv(used - 1, (np.arange(SCALES) + 0.5) / SCALES)
    gains = np.linspace(0.0, max(room, 0.0), STEPS)
    # Of two sets of draws, the best of one exceeds that of the other by more than g with a chance of 1 / (1 + exp(g / s)).
    with np.errstate(divide="ignore", over="ignore", invalid="ignore"):
        ratios = np.where(scales > 0, gains[:, None] / scales, np.where(gains[:, None] > 0, np.inf, 0.0))
        exceeded = (1 / (1 + np.exp(ratios))).mean(1)
    expected = float(np.trapezoid(exceeded, gains))
    return Gain(count, expected, float(gains[int((exceeded > BEYOND)[:-1].sum())]))
