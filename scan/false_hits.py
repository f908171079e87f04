"""How many false hits to expect on a square centimetre of foil, and the threshold that allows so many.

The working point of a model is over listed pits; a whole foil shows it more. Knows nothing of images.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from scan.intervals import rate, share

Floats = npt.NDArray[np.floating[Any]]


@dataclass(frozen=True)
class FalseHits:
    """False hits to expect on a square centimetre, with an interval of 95 %."""

    per_cm2: float
    low: float
    high: float
    # What it was told from.
    source: str

    def __str__(self) -> str:
        return f"{self.per_cm2:.3g} [{self.low:.3g}, {self.high:.3g}] on a cm2, from {self.source}"


def from_clean(scores: Floats, threshold: float, area_cm2: float) -> FalseHits:
    """Count hits on frames that hold no signal; the interval is that of a Poisson rate (Garwood 1936, Biometrika 28:437)."""
    count = int((scores >= threshold).sum())
    found = rate(count, area_cm2)
    return FalseHits(found.value, found.low, found.high, f"{count} hits on {area_cm2:.3g} cm2 without signal")


def from_background(scores: Floats, threshold: float, per_cm2: float) -> FalseHits:
    """Expect the accepted share of scored background pits, of so many on a square centimetre.

    The interval is that of the share (Clopper & Pearson 1934, Biometrika 26:404); that of the density is not known.
    """
    count, total = int((scores >= threshold).sum()), len(scores)
    accepted = share(count, total)
    assert accepted is not None  # there are scores
    source = f"{count} of {total} background pits accepted, {per_cm2:g} of them on a cm2"
    return FalseHits(accepted.value * per_cm2, accepted.low * per_cm2, accepted.high * per_cm2, source)


def threshold_for(scores: Floats, allowed: float) -> float:
    """Give the least threshold at which at most so many of some scores are accepted, between the scores themselves.

    `allowed`: of all scores. It lies just above the first that is one too many; 0 where all are allowed.
    """
    ordered = np.sort(scores)[::-1]
    count = math.floor(allowed + 1e-9)
    return 0.0 if count >= len(ordered) else math.nextafter(float(ordered[count]), 2.0)
