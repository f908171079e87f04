"""Make the table's Parquet files of recorded trainings: for each data set one of epochs, and one of trainings with their truth.

What was collected before stays, so that a table grows over weeks and machines. A training that ended early has fewer rows of
epochs. Losses and times keep DIGITS digits, so that they compress. The metadata of each file say how the file came about.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow
import pyarrow.parquet

from benchmarks.table.data_sets import FOLDS, Searched
from benchmarks.table.measures import RATES
from foils.atomic_write import write_whole

# Columns of what scores are worth.
ACCEPTANCE = tuple(f"acceptance_{round(100 * rate)}" for rate in RATES)
MEASURES = (*ACCEPTANCE, "mean_acceptance", "standard_error", "auc")
LOSSES = ("train_loss", "validation_loss")
DIGITS = 4
METADATA = b"pitsearch"

_KEY = (("number", pyarrow.int16()), ("seed", pyarrow.int8()))
_WORD = pyarrow.dictionary(pyarrow.int8(), pyarrow.string())
_EPOCHS = pyarrow.schema(
    [
        *_KEY,
        ("fold", pyarrow.int8()),
        ("epoch", pyarrow.int16()),
        ("verdict", _WORD),
        *((name, pyarrow.float32()) for name in ("ms", *LOSSES, *MEASURES)),
    ]
)
_TRAININGS = pyarrow.schema(
    [
        *_KEY,
        ("config", pyarrow.string()),
        ("verdicts", pyarrow.list_(pyarrow.string())),
        ("fresh", pyarrow.int32()),
        ("scoring_ms", pyarrow.int32()),
        *((f"ensemble_{name}", pyarrow.float32()) for name in MEASURES),
        *((f"members_{name}", pyarrow.list_(pyarrow.float32())) for name in MEASURES),
    ]
)


@dataclass(frozen=True)
class Pits:
    """The scored pits of each fold that a data set was searched on, `[folds]`."""

    signals: tuple[int, ...]
    backgrounds: tuple[int, ...]

    @classmethod
    def of(cls, searched: Searched) -> Pits:
        """Count them."""
        scored, signal, folds = searched.data.is_scored, searched.data.is_signal, searched.folds()
        return cls(
            tuple(int((scored & signal & (folds == fold)).sum()) for fold in range(FOLDS)),
            tuple(int((scored & ~signal & (folds == fold)).sum()) for fold in range(FOLDS)),
        )


def paths(out: Path, name: str) -> tuple[Path, Path]:
    """Name the files of a data set: of epochs, and of trainings."""
    return out / f"{name}-epochs.parquet", out / f"{name}-trainings.parquet"


def collect(folder: Path, name: str, pits: Pits, out: Path) -> int:
    """Add what a folder holds to the two files of a data set, and give the number of their trainings.

    A training that both hold is taken from the folder. Raises ValueError where the folder holds none.
    """
    places = sorted((folder / "trainings" / name).glob("*.json"), key=_key)
    if not places:
        raise ValueError(f"trainings of {name!r} must be recorded, but got none in {folder}; run the command `record` first.")
    keys, trainings = [_key(place) for place in places], [json.loads(place.read_text()) for place in places]
    epochs = [row for key, training in zip(keys, trainings, strict=True) for row in _epochs(key, training)]
    rows = [_training(key, training) for key, training in zip(keys, trainings, strict=True)]
    tables = {
        place: _added(place, pyarrow.Table.from_pylist(values, schema), set(keys))
        for place, values, schema in zip(paths(out, name), (epochs, rows), (_EPOCHS, _TRAININGS), strict=True)
    }
    trained = tables[paths(out, name)[1]]
    out.mkdir(parents=True, exist_ok=True)
    origin = _origin(name, trained["seed"].to_pylist(), pits, _versions(paths(out, name)[1]))
    metadata = {METADATA: json.dumps(origin).encode()}
    for place, table in tables.items():
        _write(place, table.replace_schema_metadata(metadata))
    return len(trained)


def _added(place: Path, table: pyarrow.Table, keys: set[tuple[int, int]]) -> pyarrow.Table:
    """Add a table to what a file holds of other trainings than `keys`."""
    if place.exists():
        before = pyarrow.parquet.read_table(place)
        numbers, seeds = before["number"].to_pylist(), before["seed"].to_pylist()
        others = [key not in keys for key in zip(numbers, seeds, strict=True)]
        table = pyarrow.concat_tables([before.filter(others).cast(table.schema), table]).unify_dictionaries()
    return table.sort_by(
        [(column, "ascending") for column in ("number", "seed", "fold", "epoch") if column in table.column_names]
    )


def _key(place: Path) -> tuple[int, int]:
    """Read the number of a configuration and of a seed from the name of its file."""
    number, seed = place.stem.split("-")
    return int(number), int(seed)


def _epochs(key: tuple[int, int], training: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    for fold, curve in enumerate(training["curves"]):
        for epoch, row in enumerate(curve, 1):
            yield {
                "number": key[0],
                "seed": key[1],
                "fold": fold,
                "epoch": epoch,
                "verdict": row["verdict"],
                "ms": _short(row["ms"]),
                **{name: _short(row[name]) for name in LOSSES},
                **_measures(row),
            }


def _training(key: tuple[int, int], training: Mapping[str, Any]) -> dict[str, Any]:
    ensemble = _measures(training["ensemble"]) if training["ensemble"] else dict.fromkeys(MEASURES)
    members = [_measures(member) for member in training["members"]]
    return {
        "number": key[0],
        "seed": key[1],
        "config": json.dumps(training["config"], sort_keys=True),
        **{name: training[name] for name in ("verdicts", "fresh", "scoring_ms")},
        **{f"ensemble_{name}": ensemble[name] for name in MEASURES},
        **{f"members_{name}": [member[name] for member in members] for name in MEASURES},
    }


def _measures(row: Mapping[str, Any]) -> dict[str, float]:
    return {
        **dict(zip(ACCEPTANCE, row["acceptance"], strict=True)),
        **{name: row[name] for name in MEASURES if name not in ACCEPTANCE},
    }


def _short(value: float) -> float:
    return float(np.float32(f"{value:.{DIGITS}g}"))


def _versions(place: Path) -> list[dict[str, str]]:
    """List the versions of packages that trainings of a file were collected with, those of now the last."""
    now = {package: version(package) for package in ("torch", "timm", "numpy", "scikit-learn", "pyarrow")}
    before = json.loads(pyarrow.parquet.read_schema(place).metadata[METADATA])["versions"] if place.exists() else []
    return [*(one for one in before if one != now), now]


def _origin(name: str, seeds: list[int], pits: Pits, versions: list[dict[str, str]]) -> dict[str, Any]:
    return {
        "command": f"python -m benchmarks.table record FOLDER --names {name}, then collect FOLDER --names {name}",
        "versions": versions,
        "recorded": {f"seed {seed}": seeds.count(seed) for seed in sorted(set(seeds))},
        "pits": {"signals": pits.signals, "backgrounds": pits.backgrounds},
    }


def _write(place: Path, table: pyarrow.Table) -> None:
    """Write a table; times and losses, which hardly repeat, byte by byte of all values, and the rest by its few values."""
    floats = [name for name in ("ms", *LOSSES) if name in table.column_names]
    others = [name for name in table.column_names if name not in floats and not pyarrow.types.is_nested(table[name].type)]
    write_whole(
        place,
        lambda stream: pyarrow.parquet.write_table(
            table,
            stream,
            compression="zstd",
            compression_level=19,
            use_dictionary=others,
            column_encoding=dict.fromkeys(floats, "BYTE_STREAM_SPLIT"),
        ),
    )
