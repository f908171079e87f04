"""Read lists of places: hits of a scan, pits of a data set, any table with their columns, and lists of JSON.

A list gives places on the foil (x_foil, y_foil), on frames (foil, slide, x, y), or both. Knows nothing of what becomes of them.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from foils.label_table import read_table
from pitsearch.errors import reason
from pitsearch.json_text import MOST_BYTES, parse_json
from pitsearch.regular_file import read_regular
from pitsearch.typed_values import brief
from scan.errors import ScanError
from scan.hits import MOST_BYTES as MOST_TABLE_BYTES
from scan.hits import MOST_ROWS, PARQUET
from scan.parquet import read_parquet
from scan.place_list import Floats, Places

COLUMNS = ("hit", "pit", "label", "foil", "slide", "x", "y", "x_foil", "y_foil", "p_signal", "accepted")
# What says where a place is.
ON_FOIL, ON_FRAMES = ("x_foil", "y_foil"), ("slide", "x", "y")
# What a folder's list is called, the first that is there.
FILES = ("hits.csv", "hits.parquet", "labels.csv")
# Pixels from the first datum hole, or from a frame's corner.
MOST_PIXELS = 1e9


def read_places(path: str | Path) -> Places:
    """Read a list: hits.csv or hits.parquet, labels.csv, another table, JSON, or the folder of one. Raises ScanError."""
    path = _file(Path(path))
    try:
        if path.suffix.lower() == ".json":
            return _from_json(path, parse_json(read_regular(path, MOST_BYTES)))
        columns = _parquet_columns(path) if path.suffix.lower() == PARQUET else _csv_columns(path)
        return _from_table(path, columns)
    except (OSError, ValueError) as error:
        if isinstance(error, ScanError):
            raise
        raise ScanError(
            f"{path}: a list of places must be a readable table or a list of JSON, but: {reason(error)}; correct it."
        ) from None


def _file(path: Path) -> Path:
    """Find the list of a folder."""
    if not path.is_dir():
        return path
    for name in FILES:
        if (path / name).exists():
            return path / name
    raise ScanError(f"{path}: a folder must have a list of places ({', '.join(FILES)}), but has none; correct the path.")


def _empty(path: Path) -> Places:
    """Give a list without places, which goes with any other."""
    none = np.empty((0, 2))
    return Places(path, (), none, none, (), (), None, np.empty(0), None)


def _from_json(path: Path, value: Any) -> Places:
    """Read [x, y] on the foil or [image, x, y] on frames. Raises ValueError."""
    if not isinstance(value, list):
        raise ValueError(f"a list of [x, y] or [image, x, y] is needed, and this is {brief(value)}")
    if not value:
        return _empty(path)
    lengths = {len(row) if isinstance(row, list) else 0 for row in value}
    if lengths not in ({2}, {3}):
        odd = next(row for row in value if not isinstance(row, list) or len(row) not in (2, 3) or len(lengths) > 1)
        raise ValueError(f"all of a list must be [x, y], or all [image, x, y], and one is {brief(odd)}")
    points = np.array([[_number(cell, f"place {n}") for cell in row[-2:]] for n, row in enumerate(value, 1)])
    names = tuple(map(str, range(1, len(value) + 1)))
    if lengths == {2}:
        return Places(path, names, on_foil=points)
    for row in value:
        if isinstance(row[0], bool) or not isinstance(row[0], int | str):
            raise ValueError(f"an image must be a number or a name, and one is {brief(row[0])}")
    return Places(path, names, on_frames=points, slides=tuple(str(row[0]) for row in value))


def _csv_columns(path: Path) -> dict[str, Sequence[str]]:
    """Read the columns that are known, as text."""
    faults: list[str] = []
    table = read_table(path, COLUMNS, faults)
    if table is None:
        raise ScanError(f"{path.parent / faults[0]}")
    if len(table.rows) > MOST_ROWS:
        raise ValueError(f"it may have {MOST_ROWS} rows at the most, and has {len(table.rows)}")
    known = {name: index for index, name in enumerate(table.header) if name in COLUMNS}
    if len([name for name in table.header if name in COLUMNS]) > len(known):
        raise ValueError("the names of its columns must differ, and one stands twice")
    columns: dict[str, Sequence[str]] = {
        name: [cells[index].strip() if index < len(cells) else "" for _, cells in table.rows] for name, index in known.items()
    }
    return {"": [f"line {line}" for line, _ in table.rows], **columns}


def _parquet_columns(path: Path) -> dict[str, Sequence[str]]:
    read = read_parquet(path, MOST_TABLE_BYTES, MOST_ROWS, COLUMNS)
    columns = {name: ["" if value is None else str(value) for value in values] for name, values in read.items()}
    rows = max(map(len, columns.values()), default=0)
    return {"": [f"row {number}" for number in range(1, rows + 1)], **columns}


def _from_table(path: Path, columns: Mapping[str, Sequence[str]]) -> Places:
    """Read a table; a row without a score where others have one is no hit. Raises ValueError, ScanError."""
    if not any({*names} <= {*columns} for names in (ON_FOIL, ON_FRAMES)):
        got = ", ".join(name for name in columns if name) or "none of them"
        raise ValueError(f"it must have the columns {', '.join(ON_FOIL)} or {', '.join(ON_FRAMES)}, and has {got}")
    if "p_signal" in columns:
        scored = [index for index, cell in enumerate(columns["p_signal"]) if cell]
        columns = {name: [cells[index] for index in scored] for name, cells in columns.items()}
    rows = columns[""]
    if not rows:
        return _empty(path)
    on_foil, on_frames = (_points(columns, names, rows) for names in (ON_FOIL, ON_FRAMES))
    if on_foil is None and on_frames is None:
        wanted = ON_FRAMES if {*ON_FRAMES} <= {*columns} else ON_FOIL
        empty = next(row for index, row in enumerate(rows) if any(not columns[name][index] for name in wanted))
        raise ScanError(f"{path}: every row must have a place, but {empty} has none; fill it in, or remove the row.")
    foils, scores, accepted = (columns.get(name) for name in ("foil", "p_signal", "accepted"))
    return Places(
        path,
        tuple(columns.get("hit") or columns.get("pit") or (row.split()[-1] for row in rows)),
        on_foil,
        on_frames,
        tuple(columns["slide"]) if on_frames is not None else None,
        tuple(foils) if foils is not None and all(foils) else None,
        tuple(columns["label"]) if "label" in columns else None,
        None if scores is None else np.array([_number(cell, row) for cell, row in zip(scores, rows, strict=True)]),
        None if accepted is None else np.array([_flag(cell, row) for cell, row in zip(accepted, rows, strict=True)], np.bool_),
    )


def _points(columns: Mapping[str, Sequence[str]], names: Sequence[str], rows: Sequence[str]) -> Floats | None:
    """Give x and y, `[places, 2]`; None where a column is not there, or a row has nothing in it."""
    if not {*names} <= {*columns} or not all(all(columns[name]) for name in names):
        return None
    across, down = (columns[name] for name in names[-2:])
    return np.array([[_number(x, row), _number(y, row)] for x, y, row in zip(across, down, rows, strict=True)])


def _number(cell: Any, where: str) -> float:
    """Read a number. Raises ValueError."""
    try:
        number = math.nan if isinstance(cell, bool) else float(cell)
    except (TypeError, ValueError, OverflowError):
        number = math.nan
    if not abs(number) <= MOST_PIXELS:
        raise ValueError(f"{where} must have numbers up to {MOST_PIXELS:g}, and one is {brief(cell)}")
    return number


def _flag(cell: str, where: str) -> bool:
    """Read whether a hit is accepted. Raises ValueError."""
    if cell not in ("0", "1", "False", "True"):
        raise ValueError(f"`accepted` must be 0 or 1, and is {brief(cell)} in {where}")
    return cell in ("1", "True")
