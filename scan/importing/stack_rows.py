"""The table beside a stack of crops: a row for each pit, in the order of the stack. Knows no format of stacks."""

from __future__ import annotations

from pathlib import Path

from foils.labels import KNOWN
from foils.open_image import Grey
from scan.errors import ScanError
from scan.importing.pit_table import ImportOptions, PitTable, names_of, pit_of, read_rows


def with_rows(crops: Grey, source: Path, options: ImportOptions) -> PitTable:
    """Join crops `[pits, channels, y, x]` with their rows: `label`, and what else labels.csv may say.

    The table is `options.labels`, or the CSV of the stack's name beside it. Raises ScanError where the numbers differ.
    """
    path = options.labels or source.with_name(source.name.split(".")[0] + ".csv")
    if not path.exists():
        raise ScanError(
            f"{source}: a stack must come with a table that has a row for each pit, but {path} is not there; write pit,label "
            "lines, or name another with --labels."
        )
    rows = read_rows(path, ("label",))
    if crops.shape[2] != crops.shape[3]:
        height, width = crops.shape[2:]
        raise ScanError(
            f"{source}: a stack must hold squares, one a pit and light, but got {width} x {height}; cut the pits out."
        )
    if len(rows) != len(crops):
        raise ScanError(
            f"{path}: a stack of {len(crops)} pits must have as many rows, in its order, but got {len(rows)}; correct it."
        )
    names = names_of([row.get("pit") or f"p{number:0{len(str(len(rows)))}d}" for number, row in enumerate(rows)])
    pits = []
    for row, name in zip(rows, names, strict=True):
        further = {column: cell for column, cell in row.items() if column not in KNOWN}
        pits.append(pit_of(row, name, row["label"], further=further))
    return PitTable(crops, tuple(pits))
