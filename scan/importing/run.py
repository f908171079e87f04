"""Import: turn what others keep pits in into a data-set folder. KINDS lists the readers.

Scans from the back are mirrored, and their lights reordered by their azimuths. Knows nothing of any format.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from foils.dataset import Dataset, load
from foils.description import Channel, Description, read_description
from foils.errors import DataError
from foils.folder_writer import WrittenPit, check_new, write_folder
from foils.label_table import read_table
from foils.near_duplicates import Mirror, mirrors
from foils.open_image import Grey
from scan.errors import ScanError
from scan.importing.folders import read_folders
from scan.importing.paths import read_paths
from scan.importing.source import Imported, Source
from scan.importing.stacks import MARKS, read_stack
from scan.importing.tables import SUFFIXES as TABLES
from scan.importing.tables import read_tables
from scan.importing.zooniverse import COLUMNS as ZOONIVERSE
from scan.importing.zooniverse import read_zooniverse


@dataclass(frozen=True)
class Kind:
    """One kind of source."""

    meaning: str
    read: Callable[[Source], Imported]


KINDS: dict[str, Kind] = {
    "tables": Kind("QMUL's tables as NPZ or Parquet: rim, b, h", read_tables),
    "folders": Kind("a folder of images for each class", read_folders),
    "csv": Kind("a CSV with the columns path and label", read_paths),
    "zooniverse": Kind("classifications that Zooniverse exports", read_zooniverse),
    "stack": Kind("OME-TIFF or Zarr [pits, channels, y, x], labels.csv beside it", read_stack),
}


@dataclass(frozen=True)
class ImportOptions:
    """How a source is imported."""

    # Of KINDS; None to guess it.
    kind: str | None = None
    signal: str = "candidate"
    # Whether the images are of the back, mirrored left-right.
    mirrored: bool = False
    # The edge of a pixel, in micrometres.
    pixel_um: float | None = None
    # A foil.toml that describes the lights, and which labels there are and are never scored.
    lights: Path | None = None
    labels: Path | None = None
    images: Path | None = None
    votes: float = 0.6


@dataclass(frozen=True)
class ImportedData:
    """The data set that was written, and what was left out."""

    data: Dataset
    kind: str
    notes: tuple[str, ...]


def import_source(path: str | Path, folder: str | Path, options: ImportOptions | None = None) -> ImportedData:
    """Write a new data-set folder of a source, and load it.

    Raises ScanError or DataError, with nothing written, where the source is not what its kind says, or is no good data set.
    """
    path, folder, options = Path(path), Path(folder), options or ImportOptions()
    check_new(folder)
    if not path.exists():
        raise ScanError(f"{path}: what is imported must exist, but does not; correct the path.")
    kind = options.kind or guess(path)
    if kind not in KINDS:
        raise ScanError(f"`--kind` must be one of {', '.join(KINDS)}, but got {kind!r}; choose one.")
    given = None if options.lights is None else _described(options.lights)
    try:
        lights = None if given is None else given.channels
        imported = KINDS[kind].read(Source(path, lights, options.labels, options.images, options.votes))
    except NotADirectoryError:
        raise ScanError(f"{path}: a source of the kind {kind} must be a folder, but is a file; correct --kind.") from None
    way = _mirror(imported.lights) if options.mirrored else None
    pits = (WrittenPit(each.pit, each.crop if way is None else turned(each.crop, way)) for each in imported.pits)
    try:
        first = next(pits)
    except StopIteration:
        raise ScanError(f"{path}: at least one pit is needed, but got none; correct the path or --kind.") from None
    description = Description(
        folder.resolve().name, options.signal, "", first.crop.shape[-1], imported.lights, pixel_um=options.pixel_um
    )
    if given is not None:
        description = replace(description, labels=given.labels, ignore=given.ignore)
    labels: set[str] = set()
    # Of the lines of the labels.csv that is written.
    names: dict[int, str] = {}

    def counted() -> Iterator[WrittenPit]:
        next_line = 2
        for each in itertools.chain([first], pits):
            labels.add(each.pit.label)
            cells = (each.pit.label, each.pit.style, *(value for _, value in each.pit.further))
            names[next_line] = each.pit.pit
            next_line += 1 + sum(cell.count("\n") for cell in cells)
            yield each

    def check(unfinished: Path) -> None:
        if options.signal not in labels:
            raise ScanError(
                f"`--signal` must be one of the labels ({', '.join(sorted(labels))}), but got {options.signal!r}; give "
                "--signal with the one that you look for."
            )
        try:
            load(unfinished)
        except DataError as error:
            raise DataError(_by_pit(fault, path.name, names) for fault in error.faults) from None

    write_folder(folder, description, counted(), finish=check)
    return ImportedData(load(folder), kind, tuple(imported.notes))


def _by_pit(fault: str, source: str, names: Mapping[int, str]) -> str:
    """Name the source and the pit in place of a line of labels.csv, which nobody sees before the data set is whole."""
    return re.sub(r"\blabels\.csv:(\d+)", lambda line: f"{source}, pit {names.get(int(line[1]), '?')}", fault)


def guess(path: Path) -> str:
    """Tell the kind of a source. Raises ScanError where it is not unambiguous."""
    if path.is_dir():
        if tables := sorted(file.name for file in path.glob("*.[cC][sS][vV]") if "path" in _header(file)):
            raise ScanError(
                f"{path}: a source must be the table where one lists the images, but is the folder of {tables[0]}; "
                f"give {path / tables[0]}, or --kind folders."
            )
        fits = {
            "stack": any((path / mark).is_file() for mark in MARKS),
            "tables": any(file.suffix in TABLES for file in path.iterdir()),
            "folders": not any((path / mark).is_file() for mark in MARKS) and any(file.is_dir() for file in path.iterdir()),
        }
    elif path.suffix.lower() == ".csv":
        faults: list[str] = []
        header = _header(path, faults)
        if faults:
            raise DataError(faults)
        fits = {"zooniverse": set(ZOONIVERSE) <= set(header), "csv": "path" in header}
        if not any(fits.values()):
            raise ScanError(
                f"{path}: a table must have the columns path and label, or those that Zooniverse exports, but has "
                f"{', '.join(header) or 'none'}; rename or add them."
            )
    else:
        fits = {"tables": path.suffix in TABLES, "stack": path.suffix.lower() in (".tif", ".tiff")}
    kinds = [kind for kind, is_it in fits.items() if is_it]
    if len(kinds) != 1:
        words = "; ".join(f"{name}: {kind.meaning}" for name, kind in KINDS.items())
        raise ScanError(f"{path}: the kind of a source must be plain, but it may be {' or '.join(kinds) or 'none'}; "
                        f"give --kind ({words}).")  # fmt: skip
    return kinds[0]


def turned(crop: Grey, way: Mirror) -> Grey:
    """Mirror a crop `[channels, y, x]` left-right, its lights reordered."""
    axis, places = way
    return np.ascontiguousarray(np.flip(crop[list(places)], axis - 1))


def _mirror(lights: Sequence[Channel]) -> Mirror:
    """Give the left-right mirror. Raises ScanError where a light's counterpart is not there."""
    way = next((way for way in mirrors(lights) if way[0] == 3), None)
    if way is None:
        azimuths = ", ".join(f"{light.azimuth_deg:g}" for light in lights if light.azimuth_deg is not None)
        raise ScanError(
            "`--mirrored` must find a light at 180 degrees less the azimuth of each, but the azimuths are "
            f"({azimuths}); correct them in --lights, or import the images as they are."
        )
    return way


def _described(path: Path) -> Description:
    """Read a foil.toml, of which lights and labels are taken. Raises DataError with its faults."""
    folder = path if path.is_dir() else path.parent
    faults: list[str] = []
    description = read_description(folder, faults)
    if description is None:
        raise DataError(faults)
    return description


def _header(path: Path, faults: list[str] | None = None) -> tuple[str, ...]:
    """Give the columns of a table, as it will be read; none, with faults added, where it cannot be."""
    table = read_table(path, ("path", "label", *ZOONIVERSE), [] if faults is None else faults)
    return () if table is None else table.header
