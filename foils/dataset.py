"""Load a data-set folder: everything checked, pits joined into groups, pixels packed and memory-mapped.

Knows nothing of networks or studies.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from foils.cache import map_cached
from foils.description import Description, read_description
from foils.errors import DataError
from foils.groups import group_pits
from foils.images import Grey
from foils.labels import Pit, read_labels
from foils.pack import pack


@dataclass(frozen=True, eq=False)
class Dataset:
    """Labelled pits with their crops. The pixels stay on disk and are shared by every process that maps them."""

    folder: Path
    description: Description
    pits: tuple[Pit, ...]
    # `[pits]`, pits with one number never straddle folds.
    groups: npt.NDArray[np.int64]
    fingerprint: str
    pixels_file: Path
    # `[pits]`, the pits' places in `pixels_file`.
    rows: npt.NDArray[np.int64]
    # What loading left out, for people.
    notes: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.pits)

    def __getstate__(self) -> dict[str, Any]:
        # Workers map the file themselves; pickling the map would copy every pixel.
        return {key: value for key, value in self.__dict__.items() if key != "pixels"}

    @cached_property
    def pixels(self) -> Grey:
        """The packed crops of the whole data set, memory-mapped, `[packed pits, channels, y, x]`; `rows` tells these pits'."""
        return _map_pixels(self.pixels_file, self.fingerprint)

    @cached_property
    def labels(self) -> npt.NDArray[np.str_]:
        """The pits' labels, `[pits]`."""
        return np.array([pit.label for pit in self.pits], dtype=np.str_)

    @property
    def is_signal(self) -> npt.NDArray[np.bool_]:
        """Which pits carry the signal label, `[pits]`."""
        signal: npt.NDArray[np.bool_] = self.labels == self.description.signal
        return signal

    @property
    def is_background(self) -> npt.NDArray[np.bool_]:
        """Which pits are background: every label but the signal's and those never scored, `[pits]`."""
        return ~self.is_signal & ~np.isin(self.labels, self.description.ignore)

    @property
    def is_scored(self) -> npt.NDArray[np.bool_]:
        """Which pits count in metrics: signal and background, `[pits]`."""
        return self.is_signal | self.is_background

    @property
    def full_scale(self) -> int:
        """The largest value a pixel can have: 255 or 65535."""
        return int(np.iinfo(self.pixels.dtype).max)

    def crops(self) -> Grey:
        """Copy the crops into memory, `[pits, channels, y, x]`, values as stored."""
        return self.pixels[self.rows]

    def take(self, indices: npt.NDArray[np.int64]) -> Dataset:
        """Keep some pits, in the order given. The pixels of the others cannot be reached through the result."""
        return replace(
            self, pits=tuple(self.pits[index] for index in indices), groups=self.groups[indices], rows=self.rows[indices]
        )

    def asking(self, positive: str, labels: Collection[str]) -> Dataset:
        """Give the pits of these labels as a data set whose signal is `positive`, another label than its own."""
        named = np.flatnonzero(np.isin(self.labels, list(labels)))
        return replace(self.take(named), description=replace(self.description, signal=positive))

    def on_slides(self, slides: Sequence[str]) -> npt.NDArray[np.int64]:
        """Number the pits on some slides: `24`, or `foil:24` where foils repeat numbers.

        Raises DataError for a slide that no pit lies on.
        """
        names = [(pit.slide, f"{pit.foil}:{pit.slide}") for pit in self.pits]
        for slide in slides:
            if not any(slide in both for both in names):
                slides = sorted({pit.slide for pit in self.pits})
                raise DataError(
                    f"{self.description.name}: a slide must be in labels.csv, but got {slide!r}; choose from "
                    f"{', '.join(slides[:20])}{', ...' if len(slides) > 20 else ''}."
                )
        return np.flatnonzero([not set(both).isdisjoint(slides) for both in names])

    def counts(self) -> dict[str, int]:
        """Count the pits of each label, signal first, then the most frequent."""
        counts = Counter(pit.label for pit in self.pits)
        return dict(sorted(counts.items(), key=lambda item: (item[0] != self.description.signal, -item[1], item[0])))


def load(folder: str | Path, *, labelled: bool = True) -> Dataset:
    """Load a data-set folder; with `labelled=False`, one whose pits are only to be scored.

    Raises DataError with every fault found, each with its file, line, rule and remedy.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise DataError(f"{folder}: a data set is a folder, but there is none by this name; check the path.")
    faults: list[str] = []
    description = read_description(folder, faults)
    pits = read_labels(folder, description, faults, labelled=labelled) if description else []
    if description is None or not pits:
        raise DataError(faults)
    try:
        packed = pack(folder, description, pits, keep=not faults)
    except DataError as error:
        raise DataError([*faults, *error.faults]) from None
    if faults:
        raise DataError(faults)
    kept_pits = tuple(pits[index] for index in packed.kept)
    pixels = _map_pixels(packed.path, packed.fingerprint)
    groups = group_pits(kept_pits, pixels, description.crop)
    return Dataset(
        folder.resolve(),
        description,
        kept_pits,
        groups,
        packed.fingerprint,
        packed.path,
        np.arange(len(kept_pits)),
        (*packed.notes, *_remarks(kept_pits, groups, pixels)),
    )


def _map_pixels(file: Path, fingerprint: str) -> Grey:
    """Map packed crops. Raises DataError where their file is not what was written for this content."""
    pixels = map_cached(file, fingerprint)
    if pixels is None:
        raise DataError(
            f"{file}: packed pixels must be as they were written, by this user, but are missing or changed; load the data set "
            "again, or set PITSEARCH_CACHE to a folder of your own."
        )
    return pixels


def _remarks(pits: tuple[Pit, ...], groups: npt.NDArray[np.int64], pixels: Grey) -> tuple[str, ...]:
    """Say what is odd but usable: pits that share plastic, labels that contradict, values that use few bits."""
    notes = []
    shared = np.isin(groups, np.flatnonzero(np.bincount(groups) > 1))
    if shared.any():
        slides: dict[int, set[tuple[str, str]]] = {}
        labels: dict[int, set[str]] = {}
        for index in np.flatnonzero(shared):
            slides.setdefault(int(groups[index]), set()).add((pits[index].foil, pits[index].slide))
            labels.setdefault(int(groups[index]), set()).add(pits[index].label)
        notes.append(
            f"{int(shared.sum())} pits share plastic with another (identical or overlapping crops), in {len(slides)} "
            f"groups, {sum(len(names) > 1 for names in slides.values())} of them across slides, "
            f"{sum(len(names) > 1 for names in labels.values())} with different labels; each group stays in one fold"
        )
    if pixels.dtype == np.uint16 and int(pixels.max()) <= np.iinfo(np.uint8).max:
        notes.append("16-bit files hold only values up to 255: written from 8-bit images without scaling?")
    return tuple(notes)
