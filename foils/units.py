"""Which file stands for which pit or slide, and under which light. Opens no file."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from foils.description import EDGES, Description
from foils.errors import DataError
from foils.image_files import MOST_BYTES, HashedFile
from foils.pit import Pit

# A crop's file: eight bytes a pixel and channel, and as much again, and a megabyte for what programs write beside the pixels;
# of the largest edge, for the fault to tell the size of one that is too large.
CROP_BYTES = 16
BESIDE_PIXELS = 2**20


@dataclass(frozen=True)
class Unit:
    """The files of one pit (crops) or one slide (frames), one a channel, or one with a page a channel."""

    files: tuple[Path, ...]
    # Their indices.
    pits: tuple[int, ...]


def list_units(folder: Path, description: Description, pits: Sequence[Pit]) -> list[Unit]:
    """List the files of a data set. Raises DataError where one file stands for two pits, slides or channels."""
    names = [""] if description.paged else [channel.name for channel in description.channels]
    members: dict[tuple[Path, ...], list[int]] = defaultdict(list)
    owners: dict[Path, tuple[str, ...]] = {}
    faults: dict[Path, str] = {}
    for index, pit in enumerate(pits):
        files = [description.file(folder, pit=pit.pit, foil=pit.foil, slide=pit.slide, channel=name) for name in names]
        for path, name in zip(files, names, strict=True):
            owner = (pit.foil, pit.slide, pit.pit if description.by_pit else "", name)
            other = owners.setdefault(path, owner)
            if other != owner and path not in faults:
                faults[path] = (
                    f"foil.toml: a file must stand for one {'pit' if description.by_pit else 'slide'} under one light, but "
                    f"got {path.relative_to(folder)} for {_owner(other)} and for {_owner(owner)}; make `pattern` "
                    f"{description.pattern!r} tell them apart."
                )
        members[tuple(files)].append(index)
    if faults:
        raise DataError(faults.values())
    return [Unit(files, tuple(indices)) for files, indices in members.items()]


def _owner(owner: tuple[str, ...]) -> str:
    foil, slide, pit, channel = owner
    words = (("pit", pit), ("foil", foil), ("slide", slide), ("channel", channel))
    return ", ".join(f"{word} {name!r}" for word, name in words if name)


def check_frames(folder: Path, units: Sequence[Unit], files: Mapping[Path, HashedFile]) -> None:
    """Raise DataError where two slides' frames hold the same bytes: their pits lie on the same plastic."""
    first: dict[tuple[bytes, ...], Unit] = {}
    faults = []
    for unit in units:
        content = tuple(files[path].digest if path in files else str(path).encode() for path in unit.files)
        other = first.setdefault(content, unit)
        if other is not unit:
            names = (str(one.files[0].relative_to(folder)) for one in (unit, other))
            faults.append(
                "{}: the frames of two slides must differ, but got the bytes of {}; replace one, or name them as one "
                "slide in labels.csv.".format(*names)
            )
    if faults:
        raise DataError(faults)


def most_bytes(description: Description) -> int:
    """Give the bytes that a file of a data set may have."""
    if not description.by_pit:
        return MOST_BYTES
    pages = len(description.channels) if description.paged else 1
    return min(CROP_BYTES * pages * EDGES[-1] ** 2 + BESIDE_PIXELS, MOST_BYTES)
