"""Split pits into stratified, grouped folds, and lock a held-out set away.

Groups stay whole. Labels too rare to stratify are stratified together. Everything follows from the fingerprint and a seed.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import numpy.typing as npt

from foils.dataset import Dataset
from foils.errors import DataError


@dataclass(frozen=True)
class Split:
    """A data set cut in two."""

    # The pits that trials may see.
    search: Dataset
    # The pits that are locked away.
    held_out: Dataset
    # What is in neither.
    notes: tuple[str, ...] = ()


def fold_numbers(data: Dataset, folds: int, seed: int) -> npt.NDArray[np.int64]:
    """Give each pit its fold, `[pits]`, numbers from 0 to `folds - 1`.

    Every fold holds signal and background. Raises DataError where either forms fewer groups than folds.
    """
    with_signal = np.isin(data.groups, data.groups[data.is_signal])
    kinds = {"signal": data.is_signal, "background": data.is_background & ~with_signal}
    for kind, members in kinds.items():
        count = len(np.unique(data.groups[members]))
        if count < folds:
            raise DataError(
                f"{data.description.name}: there must be at least as many {kind} pits (groups of overlapping or identical "
                f"ones count once) as folds ({folds}), but got {count}; label more, or hold out fewer."
            )
    from sklearn.model_selection import StratifiedGroupKFold  # takes seconds to import

    splitter = StratifiedGroupKFold(n_splits=folds, shuffle=True, random_state=_random_state(data.fingerprint, seed))
    number = np.empty(len(data), dtype=np.int64)
    with warnings.catch_warnings():
        # Rare labels are joined below; a warning about what remains rare would not help the reader.
        warnings.filterwarnings("ignore", message="The least populated class", category=UserWarning)
        for fold, (_, members) in enumerate(splitter.split(np.zeros(len(data)), _strata(data, folds), data.groups)):
            number[members] = fold
    for members in kinds.values():
        _spread(number, folds, data.groups, members)
    return number


def hold_out(data: Dataset, *, share: float = 0.2, slides: Sequence[str] = (), seed: int = 0) -> Split:
    """Lock pits away: a share of the groups, or the named slides (`24`, or `foil:24` where foils repeat numbers).

    A group that straddles the named slides stays out of both halves' training: its pits on other slides are left out.
    Raises DataError for a share outside 0.05-0.5, an unknown slide, or halves without signal.
    """
    notes: tuple[str, ...] = ()
    if slides:
        locked = np.zeros(len(data), dtype=bool)
        locked[data.on_slides(slides)] = True
        touched = np.isin(data.groups, np.unique(data.groups[locked]))
        between = touched & ~locked
        if between.any():
            notes = (f"{int(between.sum())} pits left out of the search: identical to, or overlapping with, held-out pits",)
    else:
        if not 0.05 <= share <= 0.5:
            raise DataError(f"`0.05 <= share <= 0.5` must hold for the held-out set, but got {share}; choose e.g. 0.2.")
        part = Fraction(share).limit_denominator(20)  # 0.4 is two folds of five
        locked = fold_numbers(data, part.denominator, seed) < part.numerator
        touched = locked
    split = Split(data.take(np.flatnonzero(~touched)), data.take(np.flatnonzero(locked)), notes)
    for name, half in (("search", split.search), ("held-out", split.held_out)):
        if not half.is_signal.any() or not half.is_background.any():
            raise DataError(
                f"{data.description.name}: the {name} set must hold signal and background pits, but got "
                f"{int(half.is_signal.sum())} and {int(half.is_background.sum())}; hold out other slides or another share."
            )
    return split


def _spread(number: npt.NDArray[np.int64], folds: int, groups: npt.NDArray[np.int64], members: npt.NDArray[np.bool_]) -> None:
    """Give each fold without any members the smallest group of the fold that has most: large groups upset the splitter.

    Changes `number`. Members form at least as many groups as there are folds.
    """
    for fold in range(folds):
        if not members[number == fold].any():
            held = [np.unique(groups[members & (number == other)]) for other in range(folds)]
            donor = max(held, key=len)
            number[groups == min(donor, key=lambda group: int((groups == group).sum()))] = fold


def _strata(data: Dataset, folds: int) -> npt.NDArray[np.str_]:
    names, inverse, counts = np.unique(data.labels, return_inverse=True, return_counts=True)
    rare = (counts < folds) & (names != data.description.signal)
    return np.where(rare[inverse], "(rare)", data.labels)


def _random_state(fingerprint: str, seed: int) -> int:
    return int(np.random.SeedSequence([int(fingerprint[:16], 16), seed]).generate_state(1)[0])
