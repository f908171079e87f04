"""Pack a data set's crops into one memory-mapped array, kept in a cache under the content's fingerprint.

Values are kept as the microscope stored them (uint8 or uint16). Knows nothing of labels, folds or training.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

import numpy as np
import numpy.typing as npt

from foils.cache import cache_folder, map_cached, write_cached
from foils.description import Description
from foils.errors import DataError
from foils.images import Grey, ImageFault, read_pages
from foils.labels import Pit

Flags = npt.NDArray[np.bool_]
# A fault shared by thousands of files is shown on this many of them.
SHOWN = 10
# Part of the packed files' names: raise it when the same images are to give other crops.
FORMAT = 1


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


@dataclass(frozen=True)
class _Unit:
    """The files of one pit (crops) or one slide (frames), one a channel, or one with a page a channel."""

    files: tuple[Path, ...]
    pits: tuple[int, ...]


def pack(folder: Path, description: Description, pits: Sequence[Pit], *, keep: bool = True) -> Packed:
    """Check every image and pack the crops, or find them packed already; with `keep=False`, only check.

    Raises DataError with every fault of every image.
    """
    units = _units(folder, description, pits)
    fingerprint = _fingerprint(description, pits, units)
    path = cache_folder() / f"pixels-{FORMAT}-{fingerprint[:32]}.npy"
    inside = _recall(path, fingerprint, len(pits), description)
    if inside is None:
        inside = _on_frames(description, pits, units)
        crops = _read_crops(folder, description, pits, units, np.flatnonzero(inside).tolist())
        _check_unchanged(folder, fingerprint, _fingerprint(description, pits, units))
        if keep:
            if not description.by_pit:  # before the crops, which nothing is read without
                write_cached(_beside(path), _key_beside(fingerprint), partial(np.save, arr=inside, allow_pickle=False))
            write_cached(path, fingerprint, lambda stream: np.save(stream, crops, allow_pickle=False))
    return Packed(path, fingerprint, tuple(np.flatnonzero(inside).tolist()), _notes(pits, inside))


def _units(folder: Path, description: Description, pits: Sequence[Pit]) -> list[_Unit]:
    names = [""] if description.paged else [channel.name for channel in description.channels]
    members: dict[tuple[Path, ...], list[int]] = defaultdict(list)
    for index, pit in enumerate(pits):
        place = {"pit": pit.pit, "foil": pit.foil, "slide": pit.slide}
        members[tuple(description.file(folder, **place, channel=name) for name in names)].append(index)
    return [_Unit(files, tuple(indices)) for files, indices in members.items()]


def _absent_channels(folder: Path, description: Description, units: Sequence[_Unit]) -> tuple[set[Path], list[str]]:
    """Find channels without any file: the files that are not there, and one fault a channel, not one a pit."""
    absent: set[Path] = set()
    faults: list[str] = []
    for number, channel in enumerate(() if description.paged else description.channels):
        files = [unit.files[number] for unit in units]
        if not any(file.exists() for file in files):
            absent |= set(files)
            faults.append(
                f"foil.toml: each channel needs its images, but channel {channel.name!r} has none (looked for "
                f"{files[0].relative_to(folder)}, ...); add them, or remove its [[channels]] entry."
            )
    return absent, faults


def _fingerprint(description: Description, pits: Sequence[Pit], units: Sequence[_Unit]) -> str:
    """Hash what a study depends on: the description, the pits in order, and every image's bytes."""
    digest = hashlib.sha256()
    rows = [[pit.pit, pit.label, pit.foil, pit.slide, pit.x, pit.y, pit.style] for pit in pits]
    digest.update(json.dumps([asdict(description), rows], sort_keys=True).encode())
    for unit in units:
        for path in unit.files:
            # A file that is missing or unreadable is reported with the other faults when the crops are read.
            content = path.read_bytes() if path.is_file() and os.access(path, os.R_OK) else b""
            digest.update(hashlib.sha256(content).digest())
    return digest.hexdigest()


def _on_frames(description: Description, pits: Sequence[Pit], units: Sequence[_Unit]) -> Flags:
    """Tell which pits' whole crops lie on their frames, `[pits]`: all, where every pit has files of its own."""
    inside = np.ones(len(pits), np.bool_)
    for unit in () if description.by_pit else units:
        try:
            height, width = read_pages(unit.files[0]).shape[1:]
        except ImageFault:
            continue  # reported with every other fault when the crops are read
        for index in unit.pits:
            left, top = _corner(pits[index], description.crop)
            inside[index] = min(left, top) >= 0 and left + description.crop <= width and top + description.crop <= height
    if not inside.any():
        raise DataError(
            f"labels.csv: crops of {description.crop} pixels must fit on the frames, but got all {len(pits)} pits "
            "nearer to a border; correct x and y (pixels, from the top-left corner), or `crop` in foil.toml."
        )
    return inside


def _notes(pits: Sequence[Pit], inside: Flags) -> tuple[str, ...]:
    """Name the pits that are not packed."""
    near = np.flatnonzero(~inside)
    if not len(near):
        return ()
    names = ", ".join(pits[index].pit for index in near[:SHOWN]) + (", ..." if len(near) > SHOWN else "")
    return (f"{len(near)} pits left out: nearer to the border than half a crop ({names})",)


def _corner(pit: Pit, crop: int) -> tuple[int, int]:
    assert pit.x is not None and pit.y is not None  # frames require both columns
    # Halves go up, always: rounding them to even would let crops that a whole crop parts share a row of pixels.
    return math.floor(pit.x + 0.5) - crop // 2, math.floor(pit.y + 0.5) - crop // 2


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


def _check_unchanged(folder: Path, before: str, after: str) -> None:
    """Raise DataError where a file was written while the crops were read: which of its contents they show is not known."""
    if after != before:
        raise DataError(f"{folder}: files must not change while they are read, but some did; run the same command again.")


def _read_crops(
    folder: Path, description: Description, pits: Sequence[Pit], units: Sequence[_Unit], kept: Sequence[int]
) -> Grey:
    faults: dict[str, list[str]] = defaultdict(list)
    absent, channel_faults = _absent_channels(folder, description, units)
    row_of = {index: row for row, index in enumerate(kept)}
    packed: Grey | None = None
    size = (description.crop, description.crop) if description.by_pit else None
    for unit in units:
        image = _read_unit(folder, description, unit, absent, faults)
        if image is None:
            continue
        if packed is None:
            packed = np.zeros((len(kept), len(description.channels), description.crop, description.crop), image.dtype)
        size = size or image.shape[1:]
        name = str(unit.files[0].relative_to(folder))
        if image.dtype != packed.dtype:
            faults[f"every image must have one bit depth, that of the first ({packed.dtype})"].append(name)
        elif image.shape[1:] != size:
            faults[f"every image must be {size[1]} x {size[0]} pixels"].append(f"{name} ({_size(image)})")
        elif description.by_pit:
            for index in unit.pits:
                packed[row_of[index]] = image
        else:
            for index in set(unit.pits) & set(row_of):
                left, top = _corner(pits[index], description.crop)
                packed[row_of[index]] = image[:, top : top + description.crop, left : left + description.crop]
    if channel_faults or faults or packed is None:
        raise DataError([*channel_faults, *_lines(faults)])
    return packed


def _read_unit(
    folder: Path, description: Description, unit: _Unit, absent: set[Path], faults: dict[str, list[str]]
) -> Grey | None:
    """Read the channels of one pit or slide, `[channels, y, x]`; None, with faults added, where one cannot be used."""
    pages: list[Grey] = []
    good = absent.isdisjoint(unit.files)
    for path in unit.files:
        if path in absent:
            continue  # its channel has its fault already
        name = str(path.relative_to(folder))
        try:
            image = read_pages(path)
        except ImageFault as fault:
            faults[f"every image must be readable, but {fault}"].append(name)
            good = False
            continue
        wanted = len(description.channels) if description.paged else 1
        if len(image) != wanted:
            faults[f"a file must have {wanted} pages (the channels it stands for)"].append(f"{name} ({len(image)})")
            good = False
        elif pages and (image.shape[1:] != pages[0].shape[1:] or image.dtype != pages[0].dtype):
            first = f"{_size(pages[0])}, {pages[0].dtype}"
            faults[f"the channels of one pit or slide must agree in size and bit depth ({first})"].append(
                f"{name} ({_size(image)}, {image.dtype})"
            )
            good = False
        else:
            pages.append(image)
    if not good:
        return None
    return np.concatenate(pages)


def _size(image: Grey) -> str:
    return f"{image.shape[-1]} x {image.shape[-2]}"


def _lines(faults: dict[str, list[str]]) -> list[str]:
    lines: list[str] = []
    for rule, files in faults.items():
        lines += [f"{name}: {rule}; replace the file." for name in files[:SHOWN]]
        if len(files) > SHOWN:
            lines.append(f"... and {len(files) - SHOWN} more files: {rule}.")
    return lines
