"""What a reader is given, and what it gives: pits with their crops, their lights, and what was left out. Knows no format."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt

from foils.description import Channel
from foils.errors import DataError
from foils.folder_writer import WrittenPit
from foils.image_faults import ImageFault
from foils.images import read_pages
from foils.label_table import read_table
from foils.open_image import Grey
from foils.pit import Pit
from foils.synthetic.lighting import QMUL_RIG
from pitsearch.toml_text import shown
from scan.errors import ScanError

# Columns of a table of pits that are used; the others are kept as they are.
KNOWN = ("pit", "label", "foil", "slide", "x", "y", "style")


@dataclass(frozen=True)
class Source:
    """What is to be imported."""

    path: Path
    # The lights of the images, in their order; None where they are QMUL's.
    lights: tuple[Channel, ...] | None = None
    # A table with a row for each crop of a stack.
    labels: Path | None = None
    # The folder of the images that Zooniverse's subjects name.
    images: Path | None = None
    # The least share of votes that gives a label.
    votes: float = 0.6


@dataclass(frozen=True)
class Imported:
    """What a reader found."""

    lights: tuple[Channel, ...]
    # Read as they are taken.
    pits: Iterator[WrittenPit]
    # What was left out, for people; complete when all pits were taken.
    notes: list[str] = field(default_factory=list)


def lights_for(count: int, given: Sequence[Channel] | None, where: Path) -> tuple[Channel, ...]:
    """Give the lights of images: those given, or QMUL's eight or ten, or one backlit. Raises ScanError where none fit."""
    known = {1: (Channel("1", "backlit"),), 8: QMUL_RIG[:8], 10: QMUL_RIG}
    lights = tuple(given) if given is not None else known.get(count)
    if lights is None or len(lights) != count:
        raise ScanError(
            f"{where}: the lights of images must be known (1, 8 or 10 without --lights), but got {count} images a pit"
            f"{'' if given is None else f' and {len(given)} lights'}; give --lights with a foil.toml that describes them."
        )
    return lights


def pages_of(path: Path) -> Grey:
    """Read an image with all its pages, `[pages, y, x]`. Raises ScanError where it cannot be read."""
    try:
        return read_pages(path)
    except ImageFault as fault:
        raise ScanError(f"{path}: every image must be readable, but {fault}; replace the file, or take its row out.") from None


def as_stored(values: npt.NDArray[np.generic], where: str) -> Grey:
    """Give whole numbers of 8 or 16 bits; values of 0-1 are multiplied by 255.

    Raises ScanError for all that would have to be rounded.
    """
    if values.dtype in (np.uint8, np.uint16):
        return values.astype(values.dtype.type)
    if values.dtype.kind not in "iuf" or not np.isfinite(values.astype(np.float64)).all():
        raise ScanError(f"{where}: pixels must be numbers, but got {values.dtype}; convert the table anew.")
    numbers = values.astype(np.float64)
    if values.dtype.kind == "f" and numbers.size and numbers.max() <= 1.0:
        numbers = numbers * 255
    whole = np.rint(numbers)
    if numbers.size and (np.abs(numbers - whole).max() > 1e-3 or whole.min() < 0 or whole.max() > np.iinfo(np.uint16).max):
        raise ScanError(
            f"{where}: pixels must be as the microscope stored them (whole numbers, or these divided by 255), but got values "
            f"from {numbers.min():g} to {numbers.max():g}; convert the images before anything is subtracted from them."
        )
    return whole.astype(np.uint8 if not numbers.size or whole.max() <= np.iinfo(np.uint8).max else np.uint16)


def named(text: str) -> str:
    """Make the name of a pit, which is part of files' names, out of a file's or a folder's."""
    return re.sub(r"[^A-Za-z0-9._-]+", "_", text).lstrip(".") or "pit"


def read_rows(path: Path, needed: Sequence[str]) -> list[dict[str, str]]:
    """Read a table of pits, row by row. Raises ScanError or DataError where it is none, or a column is missing."""
    return [row for _, row in numbered_rows(path, needed)]


def numbered_rows(path: Path, needed: Sequence[str]) -> list[tuple[int, dict[str, str]]]:
    """Read a table of pits as `read_rows` does, each row with its line."""
    faults: list[str] = []
    try:
        table = read_table(path, (*KNOWN, *needed), faults)
    except FileNotFoundError:
        raise ScanError(f"{path}: a table must exist, but does not; correct the path.") from None
    if table is None:
        raise DataError(faults)
    missing = [column for column in needed if column not in table.header]
    if missing:
        raise ScanError(f"{path}: a table must have the columns {', '.join(needed)}, but `{missing[0]}` is missing; add it.")
    if not table.rows:
        raise ScanError(f"{path}: a table must have at least one row, but has none; add some.")
    return [
        (line, {name: (cells[place] if place < len(cells) else "").strip() for place, name in enumerate(table.header) if name})
        for line, cells in table.rows
    ]


def pit_of(row: Mapping[str, str], name: str, where: Path, unused: Sequence[str] = ()) -> Pit:
    """Make a pit of a table's row; without foil and slide it lies on slide 1 of foil 1. `name`: where the row gives none."""
    place: list[float | None] = []
    for column in ("x", "y"):
        text = row.get(column, "")
        try:
            place.append(float(text.replace(",", ".")) if text else None)
        except ValueError:
            raise ScanError(f"{where}: `{column}` must be a number of pixels, but got {shown(text)}; correct it.") from None
    if not row.get("label"):
        raise ScanError(
            f"{where}: every pit must have a label, but {row.get('pit') or name} has none; label it, or take it out."
        )
    further = tuple((column, value) for column, value in row.items() if column not in (*KNOWN, *unused))
    return Pit(
        row.get("pit") or name, row["label"], row.get("foil") or "1", row.get("slide") or "1", place[0], place[1],
        row.get("style", ""), further,
    )  # fmt: skip
