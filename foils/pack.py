"""Pack a data set's crops into one memory-mapped array, kept in a cache under the content's fingerprint.

Values are kept as the microscope stored them (uint8 or uint16). Knows nothing of labels, folds or training.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

import numpy as np

from foils.cache import cache_folder, map_cached, write_cached
from foils.crops import Flags, read_crops
from foils.description import Description
from foils.image_files import HashedFile, hash_file
from foils.lossy import lossy_notes
from foils.pit import Pit
from foils.tiff import white_is_zero
from foils.units import Unit, check_frames, list_units, most_bytes

# Pits left out are named, so many of them.
SHOWN = 10
# Part of the packed files' names: raise it when the same images are to give other crops.
FORMAT = 2
EMPTY = hashlib.sha256(b"").digest()
# Keys of foil.toml that are younger than studies that hold a fingerprint without them.
YOUNGER = ("bits", "resize_from", "cut_from")


@dataclass(frozen=True)
class Packed:
    """The packed crops of a data set."""

    # A file of `[pits, channels, y, x]`.
    path: Path
    fingerprint: str
    # The indices of the pits in it, in order.
    kept: tuple[int, ...]
    # The pits that are not in it, and why.
    notes: tuple[str, ...]


def pack(folder: Path, description: Description, pits: Sequence[Pit], *, keep: bool = True) -> Packed:
    """Check every image and pack the crops, or find them packed already; with `keep=False`, only check.

    Raises DataError with every fault of every image.
    """
    units = list_units(folder, description, pits)
    files = _hash_files(description, units)
    if not description.by_pit:
        check_frames(folder, units, files)
    fingerprint = _fingerprint(description, pits, units, files)
    path = cache_folder() / f"pixels-{FORMAT}-{fingerprint[:32]}.npy"
    inside = _recall(path, fingerprint, len(pits), description)
    if inside is None:
        crops = read_crops(folder, description, pits, units, files)
        inside = crops.inside
        if keep:
            if not description.by_pit:  # before the crops, which nothing is read without
                write_cached(_beside(path), _key_beside(fingerprint), partial(np.save, arr=inside, allow_pickle=False))
            write_cached(path, fingerprint, lambda stream: np.save(stream, crops.values, allow_pickle=False))
    notes = (
        *_border_notes(pits, inside),
        *_photometric_notes(units[0].files[0]),
        *lossy_notes(description, pits, units, {path for path, file in files.items() if file.lossy}),
    )
    return Packed(path, fingerprint, tuple(np.flatnonzero(inside).tolist()), notes)


def _hash_files(description: Description, units: Sequence[Unit]) -> dict[Path, HashedFile]:
    """Hash every image's bytes. A file that is missing or unreadable is reported with the other faults when crops are read."""
    hashed = ((path, hash_file(path, most_bytes(description))) for unit in units for path in unit.files)
    return {path: file for path, file in hashed if file is not None}


def _fingerprint(description: Description, pits: Sequence[Pit], units: Sequence[Unit], files: Mapping[Path, HashedFile]) -> str:
    """Hash what a study depends on: the description, the pits in order, and every image's bytes."""
    digest = hashlib.sha256()
    described = asdict(description)
    for key in YOUNGER:
        if described[key] is None:
            del described[key]
    rows = [
        [pit.pit, pit.label, pit.foil, pit.slide, pit.x, pit.y, pit.style, *([pit.stage] if pit.stage else [])] for pit in pits
    ]
    digest.update(json.dumps([described, rows], sort_keys=True).encode())
    for unit in units:
        for path in unit.files:
            digest.update(files[path].digest if path in files else EMPTY)
    return digest.hexdigest()


def _border_notes(pits: Sequence[Pit], inside: Flags) -> tuple[str, ...]:
    """Name the pits that are not packed."""
    near = np.flatnonzero(~inside)
    if not len(near):
        return ()
    names = ", ".join(pits[index].pit for index in near[:SHOWN]) + (", ..." if len(near) > SHOWN else "")
    return (f"{len(near)} pits left out: nearer to the border than half a crop ({names})",)


def _photometric_notes(path: Path) -> tuple[str, ...]:
    """Say where the images, all alike, declare that 0 is white."""
    if not white_is_zero(path):
        return ()
    return ("the TIFF files declare that 0 is white (WhiteIsZero), as ImageJ does for display; values are used as stored",)


def _beside(path: Path) -> Path:
    """Name the file that tells which pits of frames are packed in another, so that no frame need be read for its size."""
    return path.with_name(f"{path.stem}-inside.npy")


def _key_beside(fingerprint: str) -> str:
    """Give the key that the file beside another is kept under."""
    return f"{fingerprint} inside"


def _recall(path: Path, fingerprint: str, pits: int, description: Description) -> Flags | None:
    """Tell which pits are packed already, `[pits]`; None where the file is missing or damaged, to be packed again."""
    packed = map_cached(path, fingerprint)
    inside = np.ones(pits, np.bool_) if description.by_pit else map_cached(_beside(path), _key_beside(fingerprint))
    if packed is None or inside is None or packed.dtype not in (np.uint8, np.uint16):
        return None
    rows = inside.sum() if inside.shape == (pits,) and inside.dtype == np.bool_ else -1
    return inside if packed.shape == (rows, len(description.channels), description.crop, description.crop) else None
