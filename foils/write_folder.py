"""Write pits as a data-set folder: crops as TIFF with a page a channel, foil.toml and labels.csv; whole, or not at all.

Knows nothing of where the pits come from.
"""

from __future__ import annotations

import csv
import shutil
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import tifffile
import tomli_w

from foils.atomic_write import temporary_name
from foils.description import Description
from foils.errors import DataError
from foils.labels import STAGE
from foils.open_image import Grey
from foils.pit import Pit
from pitsearch.errors import reason

PATTERN = "crops/{pit}.tif"


@contextmanager
def new_folder(folder: Path) -> Iterator[Path]:
    """Give a temporary folder that gets this name where the block ends well, and is removed where it does not.

    Raises DataError where the folder exists already, or cannot be written.
    """
    if folder.exists() or folder.is_symlink():
        raise DataError(f"{folder}: a data set goes into a new folder, but this one exists; choose another or remove it.")
    unfinished = temporary_name(folder)
    try:
        unfinished.mkdir(parents=True)
        yield unfinished
        unfinished.rename(folder)
    except OSError as error:
        raise DataError(f"{folder}: the folder must be writable, but: {reason(error)}; choose another.") from None
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)  # where it was not renamed


def write_folder(folder: Path, description: Description, pits: Sequence[Pit], crops: Iterable[Grey]) -> None:
    """Write pits and their crops, one `[channels, y, x]` each, into a folder without crops.

    Of the description all but the files' pattern is kept, and what it says of resizing: crops are written as they are. Raises
    OSError where the folder cannot be written to, FileExistsError where it holds crops already.
    """
    (folder / "crops").mkdir(parents=True)
    for pit, crop in zip(pits, crops, strict=True):
        tifffile.imwrite(folder / "crops" / f"{pit.pit}.tif", crop, photometric="minisblack", metadata=None)
    (folder / "foil.toml").write_text(tomli_w.dumps(_table(description)), encoding="utf-8")
    with (folder / "labels.csv").open("x", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        columns = _columns(pits)
        writer.writerow(columns)
        for cells in map(_cells, pits):
            writer.writerow([cells.get(column, "") for column in columns])


def _table(description: Description) -> dict[str, Any]:
    values: dict[str, Any] = {
        "name": description.name,
        "signal": description.signal,
        "labels": list(description.labels),
        "ignore": list(description.ignore),
        "pattern": PATTERN,
        "crop": description.crop,
        "pixel_um": description.crop_pixel_um,
        "bits": description.bits,
        "channels": [
            {"name": light.name, "kind": light.kind} | ({} if light.azimuth_deg is None else {"azimuth_deg": light.azimuth_deg})
            for light in description.channels
        ],
    }
    if not description.labels:
        del values["labels"]
    return {key: value for key, value in values.items() if value is not None}


def _columns(pits: Sequence[Pit]) -> list[str]:
    """List the columns of labels.csv: those that every data set has, and those in which any pit has something."""
    filled = {column: None for pit in pits for column, cell in _cells(pit).items() if cell}
    further = {column: None for pit in pits for column, _ in pit.further}
    optional = [column for column in ("x", "y", "style", *STAGE) if column in filled]
    return ["pit", "label", "foil", "slide", *optional, *further]


def _cells(pit: Pit) -> dict[str, str]:
    places = {"x": pit.x, "y": pit.y} | dict(zip(STAGE, pit.stage or (None, None), strict=True))
    return {
        "pit": pit.pit,
        "label": pit.label,
        "foil": pit.foil,
        "slide": pit.slide,
        **{column: "" if place is None else f"{place:.12g}" for column, place in places.items()},
        "style": pit.style,
        **dict(pit.further),
    }
