"""Hits: what a scan found on the frames of a foil, and their table, as CSV or Parquet.

Knows nothing of how hits are found.
"""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from foils.atomic_write import write_whole
from pitsearch.csv_text import csv_text
from pitsearch.errors import reason
from pitsearch.regular_file import read_regular
from pitsearch.typed_values import brief
from scan.errors import ScanError
from scan.parquet import parquet_bytes, read_parquet

# Two million hits have some 400 MB.
MOST_BYTES = 2**29
MOST_ROWS = 5_000_000
PARQUET = ".parquet"
# Digits of a chance or a spread.
DIGITS = 6


@dataclass(frozen=True)
class Hit:
    """One object that a scan found."""

    # Its name, unique in the list.
    hit: str
    foil: str
    slide: str
    # Pixels of the frame, from its top-left corner, x to the right, y downwards.
    x: float
    y: float
    # The place in the scan in micrometres, from the middle of the first frame; None where no positions are known.
    x_um: float | None
    y_um: float | None
    # The place on the foil in pixels, from the first datum hole; None where no positions are known.
    x_foil: float | None
    y_foil: float | None
    p_signal: float
    # The most probable class of the labelling scheme.
    class_name: str
    # The standard deviation of P(signal) over the members of the model.
    spread: float
    accepted: bool
    # The least P(signal) that is accepted.
    threshold: float
    # The first digits of the model's hash.
    model: str
    # By how much the frame was shrunk where the hit was found: a crop shows so many times its edge.
    scale: float = 1.0


# The columns of the table, and the fields of a hit that they hold.
COLUMNS: Mapping[str, str] = {
    "hit": "hit",
    "foil": "foil",
    "slide": "slide",
    "x": "x",
    "y": "y",
    "x_um": "x_um",
    "y_um": "y_um",
    "x_foil": "x_foil",
    "y_foil": "y_foil",
    "p_signal": "p_signal",
    "class": "class_name",
    "spread": "spread",
    "accepted": "accepted",
    "threshold": "threshold",
    "model": "model",
    "scale": "scale",
}
_NUMBERS = {"x", "y", "p_signal", "spread", "threshold", "scale"}
_MAYBE = {"x_um", "y_um", "x_foil", "y_foil"}


def csv_of(hits: Sequence[Hit]) -> str:
    """Give the table as CSV; places that are not known are empty, `accepted` is 0 or 1."""
    return csv_text(COLUMNS, ([_cell(field, getattr(hit, field)) for field in COLUMNS.values()] for hit in hits))


def write_hits(hits: Sequence[Hit], path: Path) -> None:
    """Write the table as CSV, or as Parquet where the file's name ends so. Raises ScanError where it cannot be written."""
    content = _parquet(hits) if path.suffix == PARQUET else csv_of(hits).encode()
    try:
        write_whole(path, lambda stream: stream.write(content))
    except OSError as error:
        raise ScanError(f"{path}: the hits must be writable, but: {reason(error)}; choose another place.") from None


def read_hits(path: str | Path) -> list[Hit]:
    """Read a table of hits, CSV or Parquet. Raises ScanError where it is none."""
    path = Path(path)
    try:
        rows = _parquet_rows(path) if path.suffix == PARQUET else _csv_rows(path)
        hits = [_hit(row) for row in rows]
    except (OSError, ValueError, KeyError, csv.Error) as error:
        raise ScanError(
            f"{path}: a list of hits must be a table that `pitsearch scan` wrote, but: {_said(error)}; correct the path."
        ) from None
    if len({hit.hit for hit in hits}) < len(hits):
        raise ScanError(f"{path}: the hits must have names that differ, but one stands twice; scan again.")
    return hits


def _cell(field: str, value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(int(value))
    if isinstance(value, float):
        return f"{value:.{DIGITS}f}" if field in ("p_signal", "spread") else f"{value:.12g}"
    return str(value)


def _parquet(hits: Sequence[Hit]) -> bytes:
    kinds = dict.fromkeys(_NUMBERS | _MAYBE, "float64") | {"accepted": "bool"}
    return parquet_bytes({column: [getattr(hit, field) for hit in hits] for column, field in COLUMNS.items()}, kinds)


def _csv_rows(path: Path) -> Iterator[dict[str, Any]]:
    reader = csv.DictReader(io.StringIO(read_regular(path, MOST_BYTES).decode("utf-8-sig"), newline=""))
    yield from reader


def _parquet_rows(path: Path) -> Iterator[dict[str, Any]]:
    columns = read_parquet(path, MOST_BYTES, MOST_ROWS, COLUMNS)
    for cells in zip(*columns.values(), strict=True):
        yield dict(zip(columns, cells, strict=True))


def _hit(row: Mapping[str, Any]) -> Hit:
    """Read one row; further columns are left alone."""
    values: dict[str, Any] = {}
    for column, field in COLUMNS.items():
        value = row[column]
        if column in _NUMBERS:
            values[field] = _finite(value, column)
        elif column in _MAYBE:
            values[field] = None if value in (None, "") else _finite(value, column)
        elif column == "accepted":
            values[field] = str(value) in ("1", "True")
        elif value in (None, ""):
            raise ValueError(f"`{column}` must not be empty")
        else:
            values[field] = str(value)
    return Hit(**values)


def _finite(value: Any, column: str) -> float:
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError):  # a row that is cut short has nothing there
        number = math.nan
    if not math.isfinite(number):
        raise ValueError(f"`{column}` must be a number, but is {brief(value)}")
    return number


def _said(error: Exception) -> str:
    """Say what is wrong, of a missing column that it is missing."""
    return f"the column {error} is missing" if isinstance(error, KeyError) else reason(error)
