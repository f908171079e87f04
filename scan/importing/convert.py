"""Import: read pits that another program wrote down, and write them as a data-set folder that loads without a fault.

Knows no format: one table names the readers.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from foils.dataset import Dataset, load
from foils.description import Channel, Description, read_description
from foils.errors import DataError
from foils.label_rules import BY_DEFAULT
from foils.label_table import read_table
from foils.near_duplicates import mirrors
from foils.open_image import Grey
from foils.synthetic.lighting import QMUL_RIG
from foils.write_folder import PATTERN, new_folder, write_folder
from pitsearch.errors import did_you_mean
from scan.errors import ScanError
from scan.importing import ome_tiff, path_table, qmul, zooniverse
from scan.importing.class_folders import classes_of, read_class_folders
from scan.importing.ome_tiff import read_ome_tiff
from scan.importing.path_table import read_path_table
from scan.importing.pit_table import ImportOptions, PitTable, names_of
from scan.importing.qmul import read_qmul
from scan.importing.zarr_stack import is_zarr, read_zarr
from scan.importing.zooniverse import read_zooniverse


@dataclass(frozen=True)
class Kind:
    """A format that is read."""

    read: Callable[[Path, ImportOptions], PitTable]
    # What it is, in the help of the command.
    summary: str


KINDS: Mapping[str, Kind] = {
    "qmul": Kind(read_qmul, "QMUL's tables as NPZ or Parquet, columns b, h, rim"),
    "folders": Kind(read_class_folders, "a folder of images for each label"),
    "csv": Kind(read_path_table, "a table with the columns path and label"),
    "zooniverse": Kind(read_zooniverse, "classifications as Zooniverse exports them"),
    "ome-tiff": Kind(read_ome_tiff, "a stack of crops as OME-TIFF, with a table beside it"),
    "zarr": Kind(read_zarr, "a stack of crops as Zarr, with a table beside it"),
}


def import_pits(
    source: str | Path, out: str | Path, options: ImportOptions = ImportOptions()
) -> tuple[Dataset, tuple[str, ...]]:
    """Write a source's pits as a new data-set folder; gives the data set, loaded, and what was left out.

    Raises ScanError where the source cannot be read or its lights are not known, DataError where the pits are no data set;
    nothing is left of the new folder then.
    """
    source, out = Path(source), Path(out)
    if not source.exists():
        raise ScanError(f"{source}: a source must be there, but is not; correct the path.")
    kind = options.kind or kind_of(source)
    if kind not in KINDS:
        raise ScanError(f"--kind must be one of {', '.join(KINDS)}, but got {kind!r}; {did_you_mean(kind, KINDS)}.")
    like = None if options.like is None else _description(options.like)
    with new_folder(out) as unfinished:
        pits = KINDS[kind].read(source, options)
        described = _described(out, pits, options, like)
        crops = _seen_from_front(pits, described.channels) if options.mirrored else pits.crops
        write_folder(unfinished, described, pits.pits, crops)
        loaded = load(unfinished)
    return replace(loaded, folder=out.resolve()), pits.notes


def kind_of(source: Path) -> str:
    """Tell the format of a source. Raises ScanError where it could be none or several."""
    kinds = []
    if source.is_dir():
        # A Zarr's chunks lie in folders, too.
        looks = {"qmul": bool(qmul.files_of(source)), "folders": bool(classes_of(source))}
        kinds = ["zarr"] if is_zarr(source) else [kind for kind, alike in looks.items() if alike]
    elif source.suffix.lower() in qmul.SUFFIXES:
        kinds = ["qmul"]
    elif source.suffix.lower() in ome_tiff.SUFFIXES:
        kinds = ["ome-tiff"]
    elif source.suffix.lower() in (".csv", ".tsv", ".txt"):
        table = read_table(source, (path_table.PATH, *zooniverse.COLUMNS), [])
        header = set(table.header) if table else set()
        kinds = [
            kind for kind, needed in (("csv", {path_table.PATH}), ("zooniverse", {*zooniverse.COLUMNS})) if needed <= header
        ]
    if len(kinds) != 1:
        got = " and ".join(kinds) or "none of them"
        raise ScanError(
            f"{source}: a source must be of one kind ({', '.join(KINDS)}), but looks like {got}; say it with --kind."
        )
    return kinds[0]


def _described(out: Path, pits: PitTable, options: ImportOptions, like: Description | None) -> Description:
    """Describe the new data set: as another one says, or with the lights of the format, or of QMUL's rig by their number."""
    count = pits.crops.shape[1]
    lights = like.channels if like else pits.lights or _lights(count)
    if len(lights) != count:
        raise ScanError(
            f"the lights must be as many as the images of a pit, {count}, but got {len(lights)} "
            f"({', '.join(light.name for light in lights)}); name a data set with the same lights with --like."
        )
    if options.signal in (like.ignore if like else (BY_DEFAULT,)):
        raise ScanError(f"--signal must be a label that is scored, but got {options.signal!r}; choose another.")
    return Description(
        name=names_of([out.resolve().name])[0],
        signal=options.signal,
        pattern=PATTERN,
        crop=pits.crops.shape[-1],
        channels=lights,
        ignore=like.ignore if like else (BY_DEFAULT,),
        pixel_um=like.pixel_um if like else None,
        bits=like.bits if like and pits.crops.dtype == np.uint16 else None,
    )


def _lights(count: int) -> tuple[Channel, ...]:
    """Give the lights of QMUL's rig: all ten, or the rotating ones; of one image alone, the backlit one."""
    rotating = tuple(light for light in QMUL_RIG if light.kind == "rotating")
    known = {len(QMUL_RIG): QMUL_RIG, len(rotating): rotating, 1: (Channel("1", "backlit"),)}
    if count not in known:
        raise ScanError(
            f"the lights of {count} images must be known, but only 1, {len(rotating)} (rotating) and {len(QMUL_RIG)} are; name "
            "a data set with the same lights with --like."
        )
    return known[count]


def _seen_from_front(pits: PitTable, lights: tuple[Channel, ...]) -> Grey:
    """Turn mirrored crops left to right, and give each light the image of its mirrored one."""
    ways = [places for axis, places in mirrors(lights) if axis == 3]
    if not ways:
        azimuths = ", ".join("-" if light.azimuth_deg is None else f"{light.azimuth_deg:g}" for light in lights)
        raise ScanError(
            f"mirrored images need lights whose directions lie left and right in pairs, but got azimuths {azimuths}; correct "
            "them, or import the images as they are."
        )
    return np.ascontiguousarray(np.flip(pits.crops[:, list(ways[0])], 3))


def _description(folder: Path) -> Description:
    faults: list[str] = []
    description = read_description(folder, faults)
    if description is None:
        raise DataError(faults)
    return description
