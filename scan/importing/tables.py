"""Read QMUL's tables of pits, once converted to NPZ or Parquet: columns `rim`, `b` and `h`. Nothing is unpickled.

`rim`: 28 x 28 x 8, the eight rotating lights last; `b`: 28 x 28, backlit; `h`: 28 x 28, halo. A file is one class, named
like it, or has a column `label`. In Parquet a cell is the flat list of its numbers.
"""

from __future__ import annotations

import math
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from foils.folder_writer import WrittenPit
from foils.open_image import Grey
from foils.synthetic.lighting import QMUL_RIG
from pitsearch.errors import reason
from scan.errors import ScanError
from scan.importing.source import KNOWN, Imported, Source, as_stored, pit_of

SUFFIXES = (".npz", ".parquet")
# The columns of images, in the order of the lights, and how many lights each has.
IMAGES = {"rim": 8, "b": 1, "h": 1}
Table = Mapping[str, Sequence[Any]]


def read_tables(source: Source) -> Imported:
    """Read a table, or every table of a folder."""
    files = (
        [source.path] if source.path.is_file() else sorted(file for file in source.path.iterdir() if file.suffix in SUFFIXES)
    )
    if not files:
        raise ScanError(f"{source.path}: tables must end in {' or '.join(SUFFIXES)}, but the folder has none; convert them.")
    tables = [(file, _read(file)) for file in files]
    columns = [column for column in IMAGES if column in tables[0][1]]
    for file, table in tables:
        if not columns or [column for column in IMAGES if column in table] != columns:
            raise ScanError(
                f"{file}: tables must have columns of images ({', '.join(IMAGES)}), the same in each, but got "
                f"{', '.join(list(table)[:10]) or 'none'}; convert them anew."
            )
        lengths = {name: len(column) for name, column in table.items()}
        if len(set(lengths.values())) > 1:
            raise ScanError(f"{file}: the columns of a table must be equally long, but got {lengths}; convert it anew.")
    rig = {"rim": QMUL_RIG[:8], "b": QMUL_RIG[8:9], "h": QMUL_RIG[9:]}
    lights = tuple(light for column in columns for light in rig[column])
    notes: list[str] = []
    return Imported(lights, _pits(tables, columns, notes), notes)


def _pits(tables: Sequence[tuple[Path, Table]], columns: Sequence[str], notes: list[str]) -> Iterator[WrittenPit]:
    edges = [edge for _, table in tables for edge in (_edge(table[columns[0]], IMAGES[columns[0]]),) if edge]
    edge = max(set(edges), key=edges.count) if edges else 0
    for file, table in tables:
        odd = 0
        for number in range(len(table[columns[0]])):
            images = [_image(table[column][number], IMAGES[column], edge, f"{file}: {column}") for column in columns]
            whole = [image for image in images if image is not None]
            if len(whole) < len(images):
                odd += 1
                continue
            row = {name: str(table[name][number]) for name in KNOWN if name in table}
            pit = pit_of({"label": file.stem, **row}, f"{file.stem}-{number:05d}", file)
            yield WrittenPit(pit, np.concatenate(whole))
        if odd:
            notes.append(
                f"{odd} pits of {file.name} left out: their images are not all {edge} x {edge}, as at a frame's border"
            )


def _edge(column: Sequence[Any], lights: int) -> int:
    """Give the most frequent edge of a column's images."""
    edges = [math.isqrt(np.asarray(cell).size // lights) for cell in column]
    return max(set(edges), key=edges.count) if edges else 0


def _image(cell: Any, lights: int, edge: int, where: str) -> Grey | None:
    """Give an image `[lights, y, x]` of a cell `[y, x, lights]`; None where it has another size."""
    values = np.asarray(cell)
    if values.dtype.kind not in "iuf":
        raise ScanError(f"{where}: a column of images must hold numbers, but got {values.dtype}; convert the table anew.")
    if values.size != edge * edge * lights:
        return None
    return as_stored(np.moveaxis(values.reshape(edge, edge, lights), 2, 0), where)


def _read(file: Path) -> Table:
    try:
        if file.suffix == ".npz":
            with file.open("rb") as stream, np.load(stream, allow_pickle=False) as stored:
                return {name: stored[name] for name in stored.files}
        import pyarrow.parquet

        table = pyarrow.parquet.read_table(file)
        return {name: table[name].to_pylist() for name in table.column_names}
    except (OSError, ValueError, EOFError, zipfile.BadZipFile, KeyError) as error:
        raise ScanError(
            f"{file}: a table must be readable NPZ without objects, or Parquet, but: {reason(error)[:200]}; convert it anew."
        ) from None
