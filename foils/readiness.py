"""Whether a search can be launched on a data set: enough signal and background for the folds and the working point.

Knows nothing of how pits are split, only what any split needs.
"""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np

from foils.dataset import Dataset

# Cross-validations have so many folds, and each needs a group of signal and one of background.
FOLDS = 5
# The share that is held out by default.
HELD_OUT = Fraction(1, 5)
# A threshold rests on the background pits that pass it; with fewer it stands on chance.
PASSING = 10


def obstacles(data: Dataset) -> tuple[str, ...]:
    """Say why a launch with its defaults would refuse the data set: one line each, and none where it would not."""
    with_signal = np.isin(data.groups, data.groups[data.is_signal])
    least = next(count for count in range(FOLDS, 10 * FOLDS) if count - math.ceil(count * HELD_OUT) >= FOLDS)
    lines = []
    for kind, members in (("signal", data.is_signal), ("background", data.is_background & ~with_signal)):
        count = len(np.unique(data.groups[members]))
        if count < least:
            lines.append(
                f"{data.description.name}: a launch needs at least {least} {kind} pits (a fifth is held out, and {FOLDS} folds "
                f"need one each; groups of overlapping or identical ones count once), but got {count}; label more."
            )
    return tuple(lines)


def background_note(data: Dataset, working_point: float) -> tuple[str, ...]:
    """Say where a working point lets so few background pits pass that its threshold stands on chance."""
    count = int(data.is_background.sum())
    passing = math.floor(count * working_point + 1e-9)
    if passing >= PASSING:
        return ()
    needed = math.ceil(PASSING / working_point - 1e-9)
    carried = f"these carry {PASSING / count:.0%} and above" if count > PASSING else "these carry none"
    return (
        f"{count} background pits: at the working point of {working_point:.3g} {passing} of them pass, and its threshold rests "
        f"on those; {needed} are needed for {PASSING} to pass ({carried})",
    )
