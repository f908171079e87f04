"""Read a CSV with a row for each pit: `path` of its image, `label`, and what else labels.csv may say of it."""

from __future__ import annotations

from pathlib import Path

from foils.labels import KNOWN
from scan.errors import ScanError
from scan.importing.pit_table import ImportOptions, PitTable, names_of, pit_of, read_images, read_rows

PATH = "path"


def read_path_table(source: Path, options: ImportOptions) -> PitTable:
    """Read the table and its images; of a TIFF, every page is a light.

    Paths are relative to `options.images`, or to the table. Raises ScanError where a row or an image cannot be used.
    """
    rows = read_rows(source, (PATH, "label"))
    base = options.images or source.parent
    empty = next((number for number, row in enumerate(rows, 1) if not row[PATH]), None)
    if empty is not None:
        raise ScanError(f"{source.name}: `{PATH}` must name an image, but row {empty} has none; add it or remove the row.")
    names = names_of([row.get("pit") or Path(row[PATH]).stem for row in rows])
    crops = read_images([[base / row[PATH]] for row in rows])
    pits = []
    for row, name in zip(rows, names, strict=True):
        further = {column: cell for column, cell in row.items() if column not in (*KNOWN, PATH)}
        pits.append(pit_of(row, name, row["label"], further=further))
    return PitTable(crops, tuple(pits))
