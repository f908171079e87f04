"""Read QMUL's tables of pits, once converted to NPZ or Parquet: columns `rim`, `b` and `h`. Nothing is unpickled.

`rim`: 28 x 28 x 8, the eight rotating lights last; `b`: 28 x 28, backlit; `h`: 28 x 28, halo. A file is one class, named
like it, or has a column `label`. In Parquet a cell is the flat list of its numbers.
"""

from __future__ import annotations

import io
import math
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO, Any

import numpy as np
import numpy.typing as npt

from foils.folder_writer import WrittenPit
from foils.pit import Pit
from foils.synthetic.lighting import QMUL_RIG
from pitsearch.errors import reason
from pitsearch.regular_file import read_regular
from scan.errors import ScanError
from scan.importing.source import KNOWN, Imported, Source, as_stored, named, pit_of
from scan.parquet import read_parquet

SUFFIXES = (".npz", ".parquet")
# A table of 20,000 pits under ten lights has 160 MB.
MOST_BYTES = 2**31
MOST_ROWS = 1_000_000
# The columns of images, in the order of the lights, and how many lights each has.
IMAGES = {"rim": 8, "b": 1, "h": 1}
# Lists, or arrays.
Table = Mapping[str, Any]


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
    edges = [_edge(cell, IMAGES[columns[0]]) for _, table in tables for cell in table[columns[0]]]
    edge = max(set(edges), key=edges.count) if edges else 0
    pits: list[Pit] = []
    whole_images: list[list[npt.NDArray[np.generic]]] = []
    for file, table in tables:
        odd = 0
        for number in range(len(table[columns[0]])):
            images = [_image(table[column][number], IMAGES[column], edge, f"{file}: {column}") for column in columns]
            whole = [image for image in images if image is not None]
            if len(whole) < len(images):
                odd += 1
                continue
            row = {name: str(table[name][number]) for name in KNOWN if name in table}
            pits.append(pit_of({"label": file.stem, **row}, named(f"{file.stem}-{number:05d}"), file))
            whole_images.append(whole)
        if odd:
            notes.append(
                f"{odd} pits of {file.name} left out: their images are not all {edge} x {edge}, as at a frame's border"
            )
    if not pits:
        first = tables[0][1]
        values = {column: _numbers(first[column][0]) for column in columns if len(first[column])}
        shapes = {column: "none" if cell is None else list(cell.shape) for column, cell in values.items()}
        raise ScanError(
            f"{tables[0][0]}: images must be squares, y, x and behind them the lights of `rim`, but got {shapes or 'no row'}; "
            "convert the table anew."
        )
    # A column as one: what a dark crop alone would look like must not decide how its values are read.
    parts = [
        as_stored(np.stack(images), f"{tables[0][0]}: {column}")
        for column, images in zip(columns, zip(*whole_images, strict=True), strict=True)
    ]
    for pit, crop in zip(pits, np.concatenate(parts, 1), strict=True):
        yield WrittenPit(pit, crop)


def _edge(cell: Any, lights: int) -> int:
    """Give the edge of an image; 0 where it is none."""
    values = _numbers(cell)
    return 0 if values is None else len(values) if values.ndim > 1 else math.isqrt(values.size // lights)


def _image(cell: Any, lights: int, edge: int, where: str) -> npt.NDArray[np.generic] | None:
    """Give an image `[lights, y, x]` of a cell `[y, x, lights]`, `[y, x]` or flat; None where it has another shape."""
    values = _numbers(cell)
    if values is None or not edge:
        return None
    if values.dtype.kind not in "iuf":
        raise ScanError(f"{where}: a column of images must hold numbers, but got {values.dtype}; convert the table anew.")
    shapes = [(edge, edge, lights), (edge * edge * lights,), *([(edge, edge)] if lights == 1 else [])]
    if values.shape not in shapes:
        return None
    return np.moveaxis(values.reshape(edge, edge, lights), 2, 0)


def _numbers(cell: Any) -> npt.NDArray[np.generic] | None:
    """Give a cell as an array; None where it is missing, or its rows are not equally long."""
    try:
        values = np.asarray(cell)
    except ValueError:
        return None
    return None if values.dtype.kind == "O" or not values.ndim else values


def _read(file: Path) -> Table:
    try:
        table = _npz(file) if file.suffix == ".npz" else read_parquet(file, MOST_BYTES, MOST_ROWS)
    except Exception as error:  # readers meet a damaged archive with nearly any exception
        raise ScanError(
            f"{file}: a table must be readable NPZ without objects, or Parquet, but: {reason(error)[:200]}; convert it anew."
        ) from None
    single = next((name for name, column in table.items() if isinstance(column, np.ndarray) and not column.ndim), None)
    if single is not None:
        raise ScanError(f"{file}: every column must hold a value for each pit, but {single!r} is one value; convert it anew.")
    return table


def _npz(file: Path) -> Table:
    """Read the arrays of an NPZ. What each says of its size is compared with the archive before memory is taken for it."""
    content = io.BytesIO(read_regular(file, MOST_BYTES))
    with zipfile.ZipFile(content) as archive:
        members = archive.infolist()
        whole = sum(member.file_size for member in members)
        if whole > MOST_BYTES:
            raise ValueError(f"it may unpack to {MOST_BYTES} bytes at the most, and says {whole}")
        for member in members:
            with archive.open(member) as stream:
                _check_array(stream, member)
    content.seek(0)
    with np.load(content, allow_pickle=False) as stored:
        return {name: stored[name] for name in stored.files}


def _check_array(stream: IO[bytes], member: zipfile.ZipInfo) -> None:
    """Raise ValueError where an array says that it has more bytes than its part of the archive."""
    version = np.lib.format.read_magic(stream)
    read_header = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    shape, _, dtype = read_header(stream)
    if math.prod(shape) * dtype.itemsize > member.file_size:
        raise ValueError(f"{member.filename} says that it has more values than there are")
