"""Write NumPy arrays as a data-set folder.

A study and its workers load their data from a folder, so arrays become one. What is wrong with the arrays themselves is said
here; all else is checked where any folder is loaded.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from foils.description import NAME, Channel, Description
from foils.errors import DataError
from foils.open_image import Grey
from foils.pit import Pit
from foils.write_folder import PATTERN, write_folder


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
    names = arrays.pits or [f"p{index:0{len(str(number))}d}" for index in range(number)]
    foils, slides = arrays.foils or ["1"] * number, arrays.slides or ["1"] * number
    pits = [Pit(*cells) for cells in zip(names, arrays.labels, foils, slides, strict=True)]
    if arrays.places is not None:
        pits = [replace(pit, x=float(x), y=float(y)) for pit, (x, y) in zip(pits, arrays.places, strict=True)]
    described = Description(
        name=arrays.name,
        signal=arrays.signal,
        pattern=PATTERN,
        crop=edge,
        channels=tuple(arrays.channels),
        ignore=tuple(arrays.ignore),
        pixel_um=None if arrays.pixel_um is None else float(arrays.pixel_um),
    )
    try:
        write_folder(folder, described, pits, arrays.crops)
    except FileExistsError:
        raise DataError(f"{folder}: arrays go into a new folder, but this one exists; choose another or remove it.") from None
    except OSError as error:
        raise DataError(f"{folder}: the folder must be writable, but: {error.strerror or error}; choose another.") from None


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
