"""Write a data-set folder pit by pit: crops as TIFF with a page a light, foil.toml and labels.csv. It gets its name when whole.

Knows nothing of where pits come from; a reader of folders checks what is written, as it checks any folder.
"""

from __future__ import annotations

import csv
import shutil
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import tifffile
import tomli_w

from foils.atomic_write import temporary_name
from foils.description import Description, broken_rule
from foils.errors import DataError
from foils.open_image import Grey
from foils.pit import Pit
from pitsearch.errors import reason
from pitsearch.plain_word import broken_word
from pitsearch.toml_text import shown

PATTERN = "crops/{pit}.tif"
COLUMNS = ("pit", "label", "foil", "slide", "x", "y", "style")
STAGE = ("stage_x_um", "stage_y_um")


@dataclass(frozen=True)
class WrittenPit:
    """A pit with its crop `[channels, y, x]`, uint8 or uint16."""

    pit: Pit
    crop: Grey


def check_new(folder: Path) -> None:
    """Raise DataError where a new data set cannot stand there."""
    if folder.exists() or folder.is_symlink():
        raise DataError(f"{folder}: a data set goes into a new folder, but this one exists; choose another or remove it.")
    if not folder.absolute().parent.is_dir():
        raise DataError(f"{folder}: the folder above a new data set must exist, but does not; make it first.")


def write_folder(
    folder: Path,
    description: Description,
    pits: Iterable[WrittenPit],
    further_files: Sequence[Path] = (),
    finish: Callable[[Path], object] | None = None,
) -> list[Pit]:
    """Write a new data-set folder and give its pits.

    `further_files` are copied into it; `finish` checks the folder, or adds to it, before it gets its name: where that raises,
    nothing is left behind.

    The description's pattern, and what it says of resizing, are of the files that the pits came from: here crops lie in
    `crops/{pit}.tif` as they are given. Raises DataError, with nothing left behind, where a name is none of a file, a crop
    differs from the others in kind, there is no pit, or the folder cannot be written.
    """
    check_new(folder)
    temporary = temporary_name(folder.absolute())
    try:
        (temporary / "crops").mkdir(parents=True)
        written = _write_crops(temporary, description, pits)
        (temporary / "foil.toml").write_text(tomli_w.dumps(_toml(description)), encoding="utf-8")
        _write_labels(temporary / "labels.csv", written)
        for file in further_files:
            shutil.copyfile(file, temporary / file.name)
        if finish is not None:
            finish(temporary)
        temporary.rename(folder)
    except OSError as error:
        raise DataError(f"{folder}: the folder must be writable, but: {reason(error)}; choose another.") from None
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    return written


def _write_crops(folder: Path, description: Description, pits: Iterable[WrittenPit]) -> list[Pit]:
    shape = (len(description.channels), description.crop, description.crop)
    dtype: np.dtype[Any] | None = None
    written: dict[str, Pit] = {}
    for each in pits:
        pit, crop = each.pit, each.crop
        for what in ("pit", "foil", "slide"):
            name = getattr(pit, what)
            if rule := broken_rule(name):
                raise DataError(
                    f"`{what}` must be {rule} (it becomes part of a file's name), but got {shown(name)}; rename it."
                )
        for what in ("label", "style"):
            if rule := broken_word(getattr(pit, what)):
                raise DataError(f"`{what}` of a pit must be {rule}, but got {shown(getattr(pit, what))}; rename it.")
        if pit.pit in written:
            raise DataError(f"pits must have names that differ, but got {pit.pit!r} twice; rename one.")
        dtype = dtype or crop.dtype
        if crop.shape != shape or crop.dtype != dtype or dtype not in (np.uint8, np.uint16):
            raise DataError(
                f"the crop of pit {pit.pit!r} must be {list(shape)} of {dtype if dtype.kind == 'u' else 'uint8 or uint16'}, "
                f"but got {list(crop.shape)} of {crop.dtype}; give crops of one kind."
            )
        tifffile.imwrite(folder / PATTERN.format(pit=pit.pit), crop, photometric="minisblack", metadata=None)
        written[pit.pit] = pit
    if not written:
        raise DataError("at least one pit is needed, but got none; give some.")
    return list(written.values())


def _write_labels(path: Path, pits: Sequence[Pit]) -> None:
    """Write labels.csv; further columns stand where any pit has them."""
    further = list(dict.fromkeys(column for pit in pits for column, _ in pit.further))
    stage = any(pit.stage is not None for pit in pits)
    with path.open("x", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow([*COLUMNS, *(STAGE if stage else ()), *further])
        for pit in pits:
            place = ["" if number is None else f"{number:.10g}" for number in (pit.x, pit.y)]
            on_stage = [f"{number:.10g}" for number in pit.stage] if pit.stage else ["", ""]
            cells = dict(pit.further)
            values = [pit.pit, pit.label, pit.foil, pit.slide, *place, pit.style]
            writer.writerow([*values, *(on_stage if stage else ()), *(cells.get(column, "") for column in further)])


def _toml(description: Description) -> dict[str, Any]:
    channels = [
        {"name": light.name, "kind": light.kind} | ({} if light.azimuth_deg is None else {"azimuth_deg": light.azimuth_deg})
        for light in description.channels
    ]
    known = {
        "labels": list(description.labels) or None,
        "pixel_um": description.crop_pixel_um,
        "bits": description.bits,
    }
    return {
        "name": description.name,
        "signal": description.signal,
        "pattern": PATTERN,
        "crop": description.crop,
        "ignore": list(description.ignore),
        **{key: value for key, value in known.items() if value is not None},
        "channels": channels,
    }
