"""Read QMUL's pandas tables, once converted to NPZ or Parquet: columns `b` (backlit), `h` (halo) and `rim` (eight lights).

`b` and `h` hold 28 x 28 values a pit, `rim` 28 x 28 x 8. A pit's label is its cell under `label`, or the name of its file:
`sig` and `bkg` stand for candidate and background. Nothing is unpickled.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from foils.open_image import Grey
from foils.synthetic.lighting import QMUL_RIG
from pitsearch.errors import reason
from pitsearch.regular_file import read_regular
from scan.errors import ScanError
from scan.importing.pit_table import ImportOptions, PitTable, names_of, pit_of, whole_values

SUFFIXES = (".npz", ".parquet")
# Each column with the first of its lights on QMUL's rig, and how many it holds; in the order of the rig.
COLUMNS = {"rim": (0, 8), "b": (8, 1), "h": (9, 1)}
FURTHER = ("pit", "label", "foil", "slide", "x", "y", "style")
LABELS = {"sig": "candidate", "bkg": "background"}
# A table of 20,000 pits under ten lights has 160 MB.
MOST_BYTES = 2**31

Cells = Mapping[str, Sequence[Any] | npt.NDArray[np.generic]]


def files_of(source: Path) -> list[Path]:
    """List the tables of a source: the file, or those in the folder."""
    if source.is_dir():
        return sorted(path for path in source.iterdir() if path.suffix.lower() in SUFFIXES)
    return [source] if source.suffix.lower() in SUFFIXES else []


def read_qmul(source: Path, options: ImportOptions) -> PitTable:
    """Read tables. Raises ScanError where one is no such table; pits whose crop is incomplete are left out and counted."""
    paths = files_of(source)
    if not paths:
        raise ScanError(f"{source}: tables of QMUL must end in {' or '.join(SUFFIXES)}, but got none; convert them.")
    crops: list[Grey] = []
    rows: list[dict[str, str]] = []
    notes: list[str] = []
    names: tuple[str, ...] | None = None
    for path in paths:
        cells = _npz(path) if path.suffix.lower() == ".npz" else _parquet(path)
        columns = tuple(column for column in COLUMNS if column in cells)
        if not columns or (names is not None and columns != names):
            wanted = ", ".join(names or COLUMNS)
            raise ScanError(
                f"{path}: a table must have the columns {wanted}, but got {', '.join(cells) or 'none'}; convert it."
            )
        names = columns
        values, kept = _crops(cells, columns, path)
        crops.append(values)
        if left := len(cells[columns[0]]) - len(kept):
            notes.append(f"{path.name}: {left} of {left + len(kept)} pits left out: their crops are not of the others' size")
        stem = path.stem
        for number in kept:
            row = {column: str(cells[column][number]) for column in FURTHER if column in cells}
            rows.append({"pit": f"{stem}-{number}", "label": LABELS.get(stem, stem)} | row)
    assert names is not None
    if len({(part.shape[1:], part.dtype) for part in crops}) > 1:
        raise ScanError(f"{source}: the tables must hold crops of one size and depth, but these differ; convert them alike.")
    lights = tuple(QMUL_RIG[first + number] for first, count in map(COLUMNS.get, names) for number in range(count))  # type: ignore[misc]
    pits = [pit_of(row, name, row["label"]) for row, name in zip(rows, names_of([row["pit"] for row in rows]), strict=True)]
    return PitTable(np.concatenate(crops), tuple(pits), lights, tuple(notes))


def _crops(cells: Cells, columns: Sequence[str], path: Path) -> tuple[Grey, list[int]]:
    """Give the crops of the pits that are whole, `[pits, channels, y, x]`, and their numbers in the table."""
    count = len(cells[columns[0]])
    if any(len(cells[column]) != count for column in columns):
        raise ScanError(f"{path}: the columns of a table must have one length, but differ; convert it again.")
    images: list[list[npt.NDArray[np.generic]]] = []
    for number in range(count):
        images.append([_image(cells[column][number], COLUMNS[column][1], path) for column in columns])
    edges = [image[0].shape[-1] for image in images]
    edge = max(set(edges), key=edges.count, default=0)
    kept = [
        number
        for number, image in enumerate(images)
        if edge and all(part.shape == (COLUMNS[column][1], edge, edge) for column, part in zip(columns, image, strict=True))
    ]
    if not kept:
        raise ScanError(
            f"{path}: crops must be squares, 28 x 28 and 28 x 28 x 8, but no pit has such; convert the table again."
        )
    return whole_values(np.stack([np.concatenate(images[number]) for number in kept]), str(path)), kept


def _image(value: Any, lights: int, path: Path) -> npt.NDArray[np.generic]:
    """Give one cell as `[lights, y, x]`; of any other shape, it stays as it is, to be left out."""
    try:
        image = np.asarray(value)
    except ValueError:  # rows of several lengths
        return np.zeros((0, 0, 0))
    if image.dtype.kind not in "iuf":
        raise ScanError(f"{path}: pixels must be numbers, but got {image.dtype}; convert the table again.")
    if lights == 1 and image.ndim == 2:
        return image[None]
    if lights > 1 and image.ndim == 3:
        return np.moveaxis(image, 2, 0)
    return np.zeros((0, 0, 0))


def _npz(path: Path) -> Cells:
    try:
        with np.load(io.BytesIO(read_regular(path, MOST_BYTES)), allow_pickle=False) as file:
            cells = {name: file[name] for name in file.files if name in (*COLUMNS, *FURTHER)}
    except (OSError, ValueError, EOFError, zipfile.BadZipFile) as error:
        raise ScanError(
            f"{path}: a table must be NPZ with arrays of numbers, but: {reason(error)}; save it with "
            "np.savez(FILE, rim=np.stack(table['rim']), ...)."
        ) from None
    if any(not array.ndim for array in cells.values()):
        raise ScanError(f"{path}: the columns of a table must hold a value a pit, but one is a single value; convert it again.")
    return cells


def _parquet(path: Path) -> Cells:
    import pyarrow
    import pyarrow.parquet

    try:
        table = pyarrow.parquet.read_table(io.BytesIO(read_regular(path, MOST_BYTES)))
    except (OSError, pyarrow.ArrowException) as error:
        raise ScanError(f"{path}: a table must be Parquet, but: {reason(error)}; convert it again.") from None
    return {name: table[name].to_pylist() for name in table.column_names if name in (*COLUMNS, *FURTHER)}
