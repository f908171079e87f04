"""Say where no network can be called learned: folds whose few pits a perfect ranking does not set apart from chance.

Such folds are all judged collapsed, whatever is trained, and a selection keeps nothing. Knows nothing of training.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from foils import Dataset
from foils.hold_out import SHARE
from models.training.verdicts import can_learn
from search import defaults
from search.text import counted
from search.trials.ladder import Ladder


def unlearnable_folds(data: Dataset, folds: Sequence[int]) -> str | None:
    """Name the folds of a plan in which nothing can be called learned; None where there is none.

    `data`: the pits that trials may see; `folds`: the fold of each.
    """
    number = np.array(folds)
    counts = [
        (int((data.is_signal & data.is_scored & (number == fold)).sum()), int((data.is_background & (number == fold)).sum()))
        for fold in range(int(number.max()) + 1)
    ]
    short = [(fold, *pits) for fold, pits in enumerate(counts) if not can_learn(*pits)]
    if not short:
        return None
    fold, signals, backgrounds = min(short, key=lambda one: one[1:])
    return _remark(f"{counted(len(short), 'fold')} of {len(counts)}", f"fold {fold}", signals, backgrounds)


def unlearnable_data(data: Dataset) -> str | None:
    """Say whether a launch with its defaults would have such folds, were the pits dealt out evenly; None where not."""
    folds, share = Ladder.parse(defaults.LADDER).folds, 1 - SHARE
    signals, backgrounds = (int(pits.sum() * share) // folds for pits in (data.is_signal, data.is_background))
    if can_learn(signals, backgrounds):
        return None
    return _remark(f"{counted(folds, 'fold')} of a launch", "each", signals, backgrounds)


def _remark(which: str, where: str, signals: int, backgrounds: int) -> str:
    pits = f"{counted(signals, 'signal pit')} and {backgrounds} of background"
    return (
        f"{which} would be judged collapsed even by a perfect network, for {where} has {pits}: a ranking of so few may be "
        "chance; label more signal, or launch with fewer folds, as --ladder 2x9,2x30, or a smaller --holdout-share"
    )
