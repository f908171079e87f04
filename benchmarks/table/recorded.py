"""Read the table's Parquet files as arrays: what each epoch of each fold was worth, and the truth of each finished ensemble.

A training that ended early stays as its last epoch was, at no cost. Knows nothing of how trainings were recorded.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow
import pyarrow.parquet

from benchmarks.table.collect import LOSSES, MEASURES, METADATA, Pits, paths
from benchmarks.table.data_sets import DATA_SETS
from models.training.verdicts import Verdict

Array = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

# Where the files lie.
HERE = Path(__file__).parent


@dataclass(frozen=True)
class Recorded:
    """The recorded trainings of a data set. What was not recorded is NaN."""

    name: str
    # Of the configurations, `[configurations]`.
    numbers: npt.NDArray[np.int64]
    # Of the configurations, as plain values.
    configs: tuple[Mapping[str, Any], ...]
    # Which seeds of a configuration were trained, `[configurations, seeds]`.
    is_recorded: Flags
    # By name of LOSSES, MEASURES and `ms`, `[configurations, seeds, folds, epochs]`.
    epochs: Mapping[str, Array]
    # Which finished trainings learned, `[configurations, seeds, folds]`.
    has_learned: Flags
    # The ensemble on fresh pits by name of MEASURES, `[configurations, seeds]`; 0 where no member learned.
    truths: Mapping[str, Array]
    # The members on fresh pits by name of MEASURES, `[configurations, seeds, folds]`.
    members: Mapping[str, Array]
    # Those of the folds.
    pits: Pits

    def true_acceptance(self, measure: str = "acceptance_5") -> Array:
        """Give what each configuration's ensemble truly accepts, the mean over its seeds, `[configurations]`."""
        values: Array = np.nanmean(self.truths[measure], 1)
        return values


def has_table(name: str, folder: Path) -> bool:
    """Tell whether a folder holds the table of a data set."""
    return all(place.is_file() for place in paths(folder, name))


def is_there(folder: Path = HERE) -> bool:
    """Tell whether a folder holds the table of any data set."""
    return any(has_table(name, folder) for name in DATA_SETS)


def read_all(folder: Path = HERE) -> dict[str, Recorded]:
    """Read the table of every data set that a folder holds. Raises ValueError where there is none."""
    names = [name for name in DATA_SETS if has_table(name, folder)]
    if not names:
        raise ValueError(
            f"{folder} must hold the recorded table, but got no {paths(folder, 'NAME')[0].name}; collect it first."
        )
    return {name: read(name, folder) for name in names}


def read(name: str, folder: Path = HERE) -> Recorded:
    """Read the table of a data set."""
    epochs, trainings = (pyarrow.parquet.read_table(place) for place in paths(folder, name))
    pits = json.loads(trainings.schema.metadata[METADATA])["pits"]
    key = {column: trainings[column].to_numpy().astype(np.int64) for column in ("number", "seed")}
    numbers, place = np.unique(key["number"], return_inverse=True)
    shape = (len(numbers), int(key["seed"].max()) + 1)
    where = (place, key["seed"])
    is_recorded = np.zeros(shape, np.bool_)
    is_recorded[where] = True
    configs = dict(zip(key["number"].tolist(), trainings["config"].to_pylist(), strict=True))
    verdicts = np.array(trainings["verdicts"].to_pylist())
    return Recorded(
        name=name,
        numbers=numbers,
        configs=tuple(json.loads(configs[number]) for number in numbers.tolist()),
        is_recorded=is_recorded,
        epochs=_epochs(epochs, numbers, (*shape, verdicts.shape[1])),
        has_learned=_placed(verdicts == Verdict.LEARNED, where, shape, False),
        truths={
            name: _placed(np.nan_to_num(trainings[f"ensemble_{name}"].to_numpy()), where, shape, np.nan) for name in MEASURES
        },
        members={name: _placed(np.array(trainings[f"members_{name}"].to_pylist()), where, shape, np.nan) for name in MEASURES},
        pits=Pits(tuple(pits["signals"]), tuple(pits["backgrounds"])),
    )


def _placed(values: npt.NDArray[Any], where: tuple[Any, ...], shape: tuple[int, ...], missing: float) -> npt.NDArray[Any]:
    """Put values, one a training, to their configuration and seed."""
    placed = np.full((*shape, *values.shape[1:]), missing, np.bool_ if values.dtype == np.bool_ else np.float64)
    placed[where] = values
    return placed


def _epochs(table: pyarrow.Table, numbers: npt.NDArray[np.int64], shape: tuple[int, ...]) -> dict[str, Array]:
    """Put every epoch to its place, and carry on the last one of a training that ended early."""
    number, seed, fold, epoch = (table[name].to_numpy().astype(np.int64) for name in ("number", "seed", "fold", "epoch"))
    where = (np.searchsorted(numbers, number), seed, fold, epoch - 1)
    length = np.zeros(shape, np.int64)
    np.maximum.at(length, where[:3], epoch)
    ages = np.arange(int(epoch.max()))
    last = np.clip(np.minimum(ages, length[..., None] - 1), 0, None)
    placed = {}
    for name in ("ms", *LOSSES, *MEASURES):
        values = _placed(table[name].to_numpy().astype(np.float64), where, (*shape, len(ages)), np.nan)
        carried = np.take_along_axis(values, last, -1)
        if name == "ms":
            carried[(ages >= length[..., None]) & (length[..., None] > 0)] = 0.0
        placed[name] = carried
    return placed
