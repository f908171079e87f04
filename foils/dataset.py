"""Load a data-set folder: everything checked, pits joined into groups, pixels packed and memory-mapped.

Knows nothing of networks or studies.
"""

from __future__ import annotations

import hashlib
import shutil
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from foils.cache import map_cached
from foils.description import Description, read_description
from foils.errors import DataError
from foils.label_rules import check_background
from foils.labels import read_labels
from foils.pit import Pit

if TYPE_CHECKING:
    from foils.open_image import Grey

# Of a pit's hash: 128 bits tell any number of pits apart.
HASH_DIGITS = 32


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
    # The pits of labels.csv that have no crop, for they lie too near to the border of their frame.
    left_out: tuple[Pit, ...] = ()

    def __len__(self) -> int:
        return len(self.pits)

    def __repr__(self) -> str:
        counts = ", ".join(f"{count} {label or 'unlabelled'}" for label, count in self.counts().items())
        channels, crop = len(self.description.channels), self.description.crop
        return f"Dataset({self.description.name}: {len(self)} pits: {counts}; {channels} channels of {crop} x {crop})"

    def __getstate__(self) -> dict[str, Any]:
        # Workers map the file themselves; pickling the map would copy every pixel.
        return {key: value for key, value in self.__dict__.items() if key != "pixels"}

    @cached_property
    def pixels(self) -> Grey:
        """The packed crops of the whole data set, memory-mapped, `[packed pits, channels, y, x]`; `rows` tells these pits'."""
        return _map_pixels(self.pixels_file, self.fingerprint)

    @cached_property
    def pixel_hashes(self) -> tuple[str, ...]:
        """The hash of each pit's pixels over all channels, `[pits]`: what tells it from others whatever it is called."""
        return tuple(hashlib.sha256(crop.tobytes()).hexdigest()[:HASH_DIGITS] for crop in self.pixels[self.rows])

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
        """The largest value a pixel can have: 255 or 65535, or what the camera's bits allow where foil.toml says them."""
        if self.description.bits is not None and self.pixels.dtype == np.uint16:
            return int(2**self.description.bits - 1)
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

    @staticmethod
    def from_arrays(folder: str | Path, crops: Grey, labels: Sequence[str], **options: Any) -> Dataset:
        """Write arrays as a new data-set folder, and load it; `options`: the further fields of `foils.arrays.PitArrays`.

        `crops`: `[pits, channels, y, x]`, uint8 or uint16; `labels`: `[pits]`. A folder, because a study and its workers load
        their data from one. Raises DataError, and leaves no folder, where the arrays are no good data set.
        """
        from foils.arrays import PitArrays, write_arrays  # as in `load`

        folder = Path(folder)
        write_arrays(folder, PitArrays(crops, labels, **options))
        try:
            return load(folder)
        except DataError:
            shutil.rmtree(folder)
            raise

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
    notes: list[str] = []
    pits = read_labels(folder, description, faults, labelled=labelled, notes=notes) if description else []
    if description is None or not pits:
        raise DataError(faults)
    if labelled and not faults:
        check_background(pits, description, faults)
    return load_described(folder, description, pits, faults, notes, labelled=labelled)


def load_described(
    folder: Path,
    description: Description,
    pits: Sequence[Pit],
    faults: Sequence[str] = (),
    notes: Sequence[str] = (),
    *,
    labelled: bool,
) -> Dataset:
    """Load the images of a folder whose pits are known. Raises DataError with those faults and its own."""
    # Readers of images, scipy's trees and graphs: a second to import, which whoever only knows the type does not need.
    from foils.groups import find_groups
    from foils.pack import pack
    from foils.remarks import check_contrast, remarks

    try:
        packed = pack(folder, description, pits, keep=not faults)
    except DataError as error:
        raise DataError([*faults, *error.faults]) from None
    if faults:
        raise DataError(faults)
    kept_pits = tuple(pits[index] for index in packed.kept)
    pixels = _map_pixels(packed.path, packed.fingerprint)
    # Of pits without labels nothing is claimed, so that it is no matter which look the same; and there may be very many.
    compared = labelled or any(pit.label for pit in kept_pits)
    # By what crops show, in pixels as stored: x, y and `pixel_um` are of these.
    groups = find_groups(kept_pits, pixels, description.window, description.channels, description.pixel_um, compared=compared)
    check_contrast(description, groups)
    return Dataset(
        folder.resolve(),
        description,
        kept_pits,
        groups.numbers,
        packed.fingerprint,
        packed.path,
        np.arange(len(kept_pits)),
        (*notes, *packed.notes, *remarks(kept_pits, groups, pixels, description)),
        tuple(pits[index] for index in sorted(set(range(len(pits))) - set(packed.kept))),
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
