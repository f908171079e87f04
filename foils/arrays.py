"""Write NumPy arrays as a data-set folder: crops as TIFF with a page a channel, foil.toml and labels.csv.

A study and its workers load their data from a folder, so arrays become one. What is wrong with the arrays themselves is said
here; all else is checked where any folder is loaded.
"""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import tifffile
import tomli_w

from foils.description import NAME, Channel
from foils.errors import DataError
from foils.open_image import Grey

PATTERN = "crops/{pit}.tif"


@dataclass(frozen=True)
class PitArrays:
    """Crops with their labels, and what else is known of the pits."""

    # `[pits, channels, y, x]`, uint8 or uint16 as the microscope stored them.
    crops: Grey
    # `[pits]`.
    labels: Sequence[str]
    # The label that is the signal.
    signal: str
    # The lights, in the order of the second axis.
    channels: Sequence[Channel]
    # Of the data set.
    name: str = "arrays"
    # `[pits]` each. Pits are numbered where they have no names; without foils and slides all lie on one.
    pits: Sequence[str] | None = None
    foils: Sequence[str] | None = None
    slides: Sequence[str] | None = None
    # `[pits, 2]`: x and y of each pit on its slide's frame, in pixels. Crops that overlap there never straddle two folds.
    places: Sequence[Sequence[float]] | None = None
    # Labels that are never scored.
    ignore: Sequence[str] = ("maybe",)
    # The edge of a pixel, in micrometres.
    pixel_um: float | None = None


def write_arrays(folder: Path, arrays: PitArrays) -> None:
    """Write a new data-set folder. Raises DataError where the arrays do not fit each other, or the folder is there already."""
    _check(arrays)
    number, edge = len(arrays.crops), arrays.crops.shape[-1]
    pits = arrays.pits or [f"p{index:0{len(str(number))}d}" for index in range(number)]
    try:
        (folder / "crops").mkdir(parents=True)
        for pit, crop in zip(pits, arrays.crops, strict=True):
            tifffile.imwrite(folder / "crops" / f"{pit}.tif", crop, photometric="minisblack", metadata=None)
        (folder / "foil.toml").write_text(tomli_w.dumps(_description(arrays, edge)), encoding="utf-8")
        with (folder / "labels.csv").open("x", newline="", encoding="utf-8") as stream:
            writer = csv.writer(stream, lineterminator="\n")
            writer.writerow(["pit", "label", "foil", "slide", *(["x", "y"] if arrays.places is not None else [])])
            columns = (pits, arrays.labels, arrays.foils or ["1"] * number, arrays.slides or ["1"] * number)
            places: Sequence[Sequence[float]] = [()] * number if arrays.places is None else arrays.places
            writer.writerows([*row, *place] for *row, place in zip(*columns, places, strict=True))
    except FileExistsError:
        raise DataError(f"{folder}: arrays go into a new folder, but this one exists; choose another or remove it.") from None
    except OSError as error:
        raise DataError(f"{folder}: the folder must be writable, but: {error.strerror or error}; choose another.") from None


def _description(arrays: PitArrays, edge: int) -> dict[str, Any]:
    channels = [
        {"name": light.name, "kind": light.kind} | ({} if light.azimuth_deg is None else {"azimuth_deg": light.azimuth_deg})
        for light in arrays.channels
    ]
    size = {} if arrays.pixel_um is None else {"pixel_um": float(arrays.pixel_um)}
    return {
        "name": arrays.name,
        "signal": arrays.signal,
        "pattern": PATTERN,
        "crop": edge,
        "ignore": list(arrays.ignore),
        **size,
        "channels": channels,
    }


def _check(arrays: PitArrays) -> None:
    crops = arrays.crops
    if not isinstance(crops, np.ndarray) or crops.ndim != 4 or crops.shape[2] != crops.shape[3] or not len(crops):
        got = [*crops.shape] if isinstance(crops, np.ndarray) else type(crops).__name__
        raise DataError(f"crops must be an array [pits, channels, y, x] of squares, but got {got}; cut them so.")
    if crops.dtype not in (np.uint8, np.uint16):
        raise DataError(f"crops must be uint8 or uint16 as the microscope stored them, but got {crops.dtype}; convert them.")
    if len(arrays.channels) != crops.shape[1]:
        raise DataError(
            f"channels must name the second axis of the crops, {crops.shape[1]} long, but got {len(arrays.channels)}; "
            "give a Channel for each."
        )
    for what in ("labels", "pits", "foils", "slides", "places"):
        values = getattr(arrays, what)
        if values is not None and (isinstance(values, str) or len(values) != len(crops)):
            count = repr(values) if isinstance(values, str) else len(values)
            raise DataError(f"{what} must have a value for each of the {len(crops)} pits, but got {count}; give one for each.")
    odd = next((pit for pit in arrays.pits or () if not isinstance(pit, str) or not NAME.fullmatch(pit)), None)
    if odd is not None:
        raise DataError(f"a pit's name must be letters, digits, '.', '_' or '-', for it becomes a file's, but got {odd!r}.")
    if arrays.places is not None and any(len(place) != 2 for place in arrays.places):
        raise DataError("places must hold x and y of each pit, but one does not; give [pits, 2].")
