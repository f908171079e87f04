"""Whether a search can be launched on a data set: enough signal and background for the folds and the working point.

Tries what a launch with its defaults does before it trains.
"""

from __future__ import annotations

import math

from foils.dataset import Dataset
from foils.errors import DataError
from foils.folds import check_folds
from foils.held_out_log import read_log
from foils.hold_out import check_halves, hold_out

# Cross-validations have so many folds, and each needs a group of signal and one of background.
FOLDS = 5
# A threshold rests on the background pits that pass it; with fewer it stands on chance.
PASSING = 10


def obstacles(data: Dataset) -> tuple[str, ...]:
    """Say why a launch with its defaults would refuse the data set: one line each, and none where it would not."""
    split = hold_out(data, log=read_log(data.folder))
    try:
        check_halves(split.rule, split.search, split.held_out)
        check_folds(split.search, FOLDS)
    except DataError as error:
        return error.faults
    return ()


def background_note(data: Dataset, working_point: float) -> tuple[str, ...]:
    """Say where a working point lets so few background pits pass that its threshold stands on chance."""
    count = int(data.is_background.sum())
    passing = math.floor(count * working_point + 1e-9)
    if passing >= PASSING:
        return ()
    needed = math.ceil(PASSING / working_point - 1e-9)
    carried = f"these carry {PASSING / count:.0%} and above" if count > PASSING else "these carry none"
    return (
        f"{count} background pits: {passing} of them pass at the working point of {working_point:.3g}, and its threshold rests "
        f"on those; {needed} are needed for {PASSING} to pass ({carried})",
    )
