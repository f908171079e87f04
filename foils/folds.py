"""Split pits into stratified, grouped folds.

Groups stay whole. Labels too rare to stratify are stratified together. Everything follows from the fingerprint and a seed.
"""

from __future__ import annotations

import warnings

import numpy as np
import numpy.typing as npt

from foils.dataset import Dataset
from foils.errors import DataError


def fold_numbers(data: Dataset, folds: int, seed: int) -> npt.NDArray[np.int64]:
    """Give each pit its fold, `[pits]`, numbers from 0 to `folds - 1`.

    Every fold holds signal and background. Raises DataError where either forms fewer groups than folds.
    """
    kinds = check_folds(data, folds)
    number = _split(data, folds, seed, data.groups)
    for members in kinds.values():
        _spread(number, folds, data.groups, members)
    return number


def check_folds(data: Dataset, folds: int) -> dict[str, npt.NDArray[np.bool_]]:
    """Check that signal and background form a group for each fold, and give what is spread over them: `[pits]` for each kind.

    Raises DataError where either forms fewer.
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
    return kinds


def slide_folds(data: Dataset, folds: int, seed: int) -> npt.NDArray[np.int64]:
    """Give each pit its fold, `[pits]`, so that no slide straddles two.

    There are at most `folds`, each with signal and background. Slides that share plastic stay together. Raises DataError where
    there are not two such folds.
    """
    units = _units(data)
    for count in range(min(folds, len(np.unique(units))), 1, -1):
        number = _split(data, count, seed, units)
        if all(kind[number == fold].any() for fold in range(count) for kind in (data.is_signal, data.is_background)):
            return number
    raise DataError(
        f"{data.description.name}: folds of whole slides need signal and background on two slides or more that share no "
        f"plastic, but got {len(np.unique(units))} such slides; label pits of further slides."
    )


def _split(data: Dataset, folds: int, seed: int, units: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Give each pit its fold, `[pits]`, of stratified ones that no unit straddles."""
    from sklearn.model_selection import StratifiedGroupKFold  # takes seconds to import

    splitter = StratifiedGroupKFold(n_splits=folds, shuffle=True, random_state=_random_state(data.fingerprint, seed))
    number = np.empty(len(data), dtype=np.int64)
    with warnings.catch_warnings():
        # Rare labels are joined in _strata; a warning about what remains rare would not help the reader.
        warnings.filterwarnings("ignore", message="The least populated class")
        for fold, (_, members) in enumerate(splitter.split(np.zeros(len(data)), _strata(data, folds), units)):
            number[members] = fold
    return number


def _units(data: Dataset) -> npt.NDArray[np.int64]:
    """Number what must not straddle folds, `[pits]`: slides, joined where a group of pits lies on both."""
    from scipy.sparse import coo_array  # half a second to import, which a study's plan does not need to be read
    from scipy.sparse.csgraph import connected_components

    _, slides = np.unique([f"{pit.foil}\n{pit.slide}" for pit in data.pits], return_inverse=True)
    _, groups = np.unique(data.groups, return_inverse=True)
    size = slides.max() + 1 + groups.max() + 1
    links = coo_array((np.ones(len(data), np.bool_), (slides, slides.max() + 1 + groups)), shape=(size, size))
    _, joined = connected_components(links, directed=False)
    return np.asarray(joined[slides], dtype=np.int64)


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
