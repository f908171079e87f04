"""Places of hits or pits: those of the signal, those on some slides, and what two lists of them have in common.

A list gives places on the foil, on frames, or both. Knows no format of a file.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from foils.description import read_description
from foils.errors import DataError
from foils.stage import slide_key
from scan.errors import ScanError

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

# Of names in an error, so many are shown.
SHOWN = 3


@dataclass(frozen=True)
class Places:
    """A list of places, as it was read."""

    path: Path
    # `[places]`, as are all that follow.
    names: tuple[str, ...]
    # x and y on the foil, in pixels, `[places, 2]`; None where the list does not give them.
    on_foil: Floats | None = None
    # x and y on the frame of `slides`, `[places, 2]`.
    on_frames: Floats | None = None
    slides: tuple[str, ...] | None = None
    foils: tuple[str, ...] | None = None
    labels: tuple[str, ...] | None = None
    # P(signal).
    scores: Floats | None = None
    # Whether the scan accepted the place as signal.
    accepted: Flags | None = None

    def __len__(self) -> int:
        return len(self.names)

    def take(self, chosen: Flags) -> Places:
        """Give some of the places, `chosen`: `[places]`."""
        index = np.flatnonzero(chosen)
        chosen_fields: dict[str, Any] = {}
        for field in ("names", "slides", "foils", "labels"):
            texts = getattr(self, field)
            chosen_fields[field] = None if texts is None else tuple(texts[number] for number in index)
        for field in ("on_foil", "on_frames", "scores", "accepted"):
            array = getattr(self, field)
            chosen_fields[field] = None if array is None else array[index]
        return replace(self, **chosen_fields)


@dataclass(frozen=True)
class PointList:
    """Places in one set of coordinates."""

    # `[places, 2]`, in pixels.
    points: Floats
    # The number of the frame or foil on which each lies, `[places]`: places of two groups are never near one another.
    groups: Integers
    # Whether the points are places on the foil; otherwise on frames.
    on_foil: bool = True

    def take(self, chosen: Flags) -> PointList:
        """Give some of the places, `chosen`: `[places]`."""
        return replace(self, points=self.points[chosen], groups=self.groups[chosen])


def only_signal(places: Places, label: str | None = None) -> Places:
    """Keep the pits with the signal's label; all where the list has no labels. Raises ScanError.

    `label`: the signal's; by default the one that foil.toml beside the list names.
    """
    if places.labels is None:
        if label is not None:
            raise ScanError(f"{places.path}: --label needs a column `label`, but there is none; leave --label out.")
        return places
    signal = label or _described_signal(places.path.parent)
    labels = sorted(set(places.labels))
    if signal is None and len(labels) > 1:
        raise ScanError(
            f"{places.path}: of a list with labels the signal's must be known, but got {_some(labels)} and no foil.toml beside "
            "it; name it with --label."
        )
    if signal is not None and signal not in labels and labels:
        raise ScanError(
            f"{places.path}: the list must have places labelled {signal!r}, but got {_some(labels)}; correct --label."
        )
    return places.take(np.array([signal in (None, one) for one in places.labels], np.bool_))


def on_slides(places: Places, slides: Sequence[str]) -> Places:
    """Keep the places on these slides, each `24` or `foil:24`. Raises ScanError where the list names no slides."""
    if places.slides is None:
        raise ScanError(f"{places.path}: --slide needs places on slides, but the list has none on frames; leave --slide out.")
    wanted = {(foil, slide_key(slide)) for foil, _, slide in (text.rpartition(":") for text in slides)}
    foils = places.foils or ("",) * len(places)
    keys = [slide_key(slide) for slide in places.slides]
    chosen = np.array([bool({("", key), (foil, key)} & wanted) for foil, key in zip(foils, keys, strict=True)], np.bool_)
    return places.take(chosen)


def comparable(*lists: Places) -> tuple[PointList, ...]:
    """Give lists in coordinates that all have: on the foil where they can be, on frames otherwise. Raises ScanError.

    Foils are told apart where every list names them; where one does not, no other may have several.
    """
    by_foil = all(one.on_foil is not None for one in lists)
    if not by_foil and not all(one.on_frames is not None for one in lists):
        kinds = "; ".join(f"{one.path} {'on the foil' if one.on_foil is not None else 'on frames'}" for one in lists)
        raise ScanError(f"lists must give places in the same coordinates, but got {kinds}; scan with the frames' positions.")
    named = all(one.foils is not None for one in lists)
    if not named:
        for one in lists:
            if len(foils := sorted(set(one.foils or ()))) > 1:
                raise ScanError(
                    f"{one.path}: beside a list that names no foils there must be places of one foil, but got {_some(foils)}; "
                    "give a list of each foil."
                )
    keys = [_groups(one, by_foil=by_foil, named=named) for one in lists]
    numbers = {key: number for number, key in enumerate(sorted({key for each in keys for key in each}))}
    if all(keys) and not set.intersection(*map(set, keys)):
        what = "foil" if by_foil else "frame"
        names = " and ".join(f"{_some(sorted({':'.join(filter(None, key)) for key in each}))}" for each in keys)
        raise ScanError(f"lists must have a {what} in common, but got {names}; correct the names, or the paths.")
    return tuple(
        PointList(
            one.on_foil if by_foil and one.on_foil is not None else one.on_frames,  # type: ignore[arg-type]  # checked above
            np.array([numbers[key] for key in each], np.int64),
            by_foil,
        )
        for one, each in zip(lists, keys, strict=True)
    )


def _described_signal(folder: Path) -> str | None:
    """Give the signal's label as foil.toml of a folder names it; None without the file."""
    if not (folder / "foil.toml").is_file():
        return None
    faults: list[str] = []
    description = read_description(folder, faults)
    if description is None:
        raise DataError(faults)
    return description.signal


def _groups(places: Places, *, by_foil: bool, named: bool) -> list[tuple[str, str]]:
    foils = places.foils if named and places.foils is not None else ("",) * len(places)
    slides = ("",) * len(places) if by_foil or places.slides is None else places.slides
    return [(foil, slide_key(slide) if slide else "") for foil, slide in zip(foils, slides, strict=True)]


def _some(names: Iterable[str]) -> str:
    """Name the first of some names."""
    names = list(names)
    return ", ".join(names[:SHOWN]) + (", ..." if len(names) > SHOWN else "")
