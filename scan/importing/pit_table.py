"""What every reader gives: crops with their pits; and what readers share: names, rows, pixel values, images of one kind.

Knows no format.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from foils.description import MOST_CHARACTERS, Channel
from foils.image_faults import ImageFault
from foils.images import read_pages
from foils.label_table import Table, read_table
from foils.labels import KNOWN
from foils.open_image import Grey
from foils.pit import Pit
from pitsearch.toml_text import shown
from scan.errors import ScanError

# Where a source does not say on which foil or slide a pit lies.
UNKNOWN = "1"


@dataclass(frozen=True)
class ImportOptions:
    """How a source is read; what a format does not need is left alone."""

    # One of `scan.importing.convert.KINDS`; None to tell it from the source.
    kind: str | None = None
    # The label that the new data set calls its signal.
    signal: str = "candidate"
    # A data set whose lights, size of pixels and unscored labels the new one has.
    like: Path | None = None
    # A table with a row for each pit of a stack.
    labels: Path | None = None
    # The folder that paths in a table begin at; beside the table where none is given.
    images: Path | None = None
    # Whether the foil was photographed from its back: images are turned left to right, lights reordered.
    mirrored: bool = False
    # Below this share of the votes for the most frequent answer a pit is labelled `maybe`.
    share: float = 0.7


@dataclass(frozen=True)
class PitTable:
    """Pits as a reader gives them."""

    # `[pits, channels, y, x]`.
    crops: Grey
    pits: tuple[Pit, ...]
    # The lights, where the format itself tells them.
    lights: tuple[Channel, ...] | None = None
    # What was left out, and why.
    notes: tuple[str, ...] = ()


def names_of(texts: Sequence[str]) -> list[str]:
    """Make names of pits, which are parts of files' names, out of any texts; no two are the same."""
    names: dict[str, None] = {}
    for text in texts:
        name = re.sub(r"[^A-Za-z0-9._-]+", "_", text).lstrip(".")[: MOST_CHARACTERS - 8] or "pit"
        number = 1
        numbered = name
        while numbered in names:
            number += 1
            numbered = f"{name}-{number}"
        names[numbered] = None
    return list(names)


def read_rows(path: Path, needed: Sequence[str]) -> list[dict[str, str]]:
    """Read a table as a mapping of column to cell for each row. Raises ScanError where it is none or lacks a column."""
    faults: list[str] = []
    try:
        table = read_table(path, (*KNOWN, *needed), faults)
    except FileNotFoundError:
        raise ScanError(f"{path}: a table must be there, but is not; correct the path.") from None
    if table is None:
        raise ScanError(faults[0])
    missing = [column for column in needed if column not in table.header]
    if missing:
        raise ScanError(
            f"{path.name}:{table.header_line}: the columns {', '.join(needed)} must be there, but `{missing[0]}` is missing "
            f"(got {table.shown_header()}); add it."
        )
    if not table.rows:
        raise ScanError(f"{path.name}: a table must have at least one row, but has none; correct the path.")
    return [_cells(row, table) for _, row in table.rows]


def pit_of(cells: Mapping[str, str], name: str, label: str, *, further: Mapping[str, str] | None = None) -> Pit:
    """Make a pit of a row: foil, slide, x, y and style by the columns of these names. Raises ScanError for a bad number."""
    x, y = (_number(cells.get(column, ""), column, name) for column in ("x", "y"))
    if (x is None) != (y is None):
        raise ScanError(f"x and y must be given together, but pit {name!r} has one alone; add the other.")
    foil, slide = (cells.get(column, "") or UNKNOWN for column in ("foil", "slide"))
    return Pit(name, label, foil, slide, x, y, cells.get("style", ""), tuple((further or {}).items()))


def whole_values(values: npt.NDArray[np.generic], where: str) -> Grey:
    """Give values as the microscope stored them, uint8 or uint16. Raises ScanError for values that were scaled."""
    if values.dtype in (np.uint8, np.uint16):
        return values.astype(values.dtype.newbyteorder("="), copy=False)
    if values.dtype.kind not in "iuf" or not values.size:
        raise ScanError(f"{where}: pixels must be whole numbers, but got {values.dtype}; save them as uint8 or uint16.")
    numbers = values.astype(np.float64)
    low, high = float(numbers.min()), float(numbers.max())
    if not (math.isfinite(low) and math.isfinite(high)) or low < 0 or high > np.iinfo(np.uint16).max or (numbers % 1).any():
        raise ScanError(
            f"{where}: pixels must be whole numbers of 0 to 65535 as the microscope stored them, but got values of {low:g} to "
            f"{high:g}; save them before they are scaled."
        )
    return numbers.astype(np.uint8 if high <= np.iinfo(np.uint8).max else np.uint16)


def read_images(paths: Sequence[Sequence[Path]]) -> Grey:
    """Read the images of pits, one file or more each, whose pages are its lights: `[pits, channels, y, x]`.

    Raises ScanError where one cannot be read, or is not a square of the first one's kind.
    """
    crops: list[Grey] = []
    for files in paths:
        pages: list[Grey] = []
        for path in files:
            try:
                pages.append(read_pages(path))
            except ImageFault as fault:
                raise ScanError(f"{path}: every image must be readable, but {fault}; replace the file.") from None
        if any((page.shape[1:], page.dtype) != (pages[0].shape[1:], pages[0].dtype) for page in pages):
            raise ScanError(f"{files[0]}: the lights of a pit must be of one size and depth, but differ; replace the files.")
        crop = np.concatenate(pages)
        first = crops[0] if crops else crop
        if (crop.shape, crop.dtype) != (first.shape, first.dtype) or crop.shape[1] != crop.shape[2]:
            raise ScanError(
                f"{files[0]}: every pit must have the same lights in squares of one size and depth ({_kind(first)} at first), "
                f"but got {_kind(crop)}; cut them alike."
            )
        crops.append(crop)
    return np.stack(crops)


def _kind(crop: Grey) -> str:
    return f"{len(crop)} of {crop.shape[2]} x {crop.shape[1]} {crop.dtype}"


def _cells(row: Sequence[str], table: Table) -> dict[str, str]:
    decimal_comma = table.form.separator != ","
    cells = {column: cell.strip() for column, cell in zip(table.header, row, strict=False) if column}
    return {
        column: cell.replace(",", ".") if decimal_comma and column in ("x", "y") else cell for column, cell in cells.items()
    }


def _number(text: str, column: str, name: str) -> float | None:
    if not text:
        return None
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise ScanError(f"`{column}` must be a number of pixels, but pit {name!r} has {shown(text)}; correct it.")
    return value
