"""Read the crops of pits: from files of their own, or cut out of frames. Collects every fault of every image.

Knows nothing of labels, caches or training.
"""

from __future__ import annotations

import hashlib
import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt

from foils.description import Description
from foils.errors import DataError
from foils.image_faults import ImageFault
from foils.images import MOST_BYTES, open_image, read_file
from foils.open_image import Grey, OpenImage
from foils.pit import Pit

Flags = npt.NDArray[np.bool_]
# A crop's file: eight bytes a pixel and channel, and as much again, and a megabyte for what programs write beside the pixels.
CROP_BYTES = 16
BESIDE_PIXELS = 2**20
# Of the pits outside their frames, these are named.
SHOWN = 5


@dataclass(frozen=True)
class Unit:
    """The files of one pit (crops) or one slide (frames), one a channel, or one with a page a channel."""

    files: tuple[Path, ...]
    # Their indices.
    pits: tuple[int, ...]


@dataclass(frozen=True)
class Crops:
    """The crops of a data set."""

    # `[pits inside, channels, y, x]`.
    values: Grey
    # Whether each pit's whole crop lies on its frame, `[pits]`: all, where every pit has files of its own.
    inside: Flags


@dataclass
class _Reading:
    """What reading needs to know of a data set, and what it learns of its images."""

    folder: Path
    description: Description
    pits: Sequence[Pit]
    # The hash of each file's bytes when the data set's fingerprint was taken.
    digests: Mapping[Path, bytes]
    # The files of channels that have none.
    absent: set[Path]
    faults: list[str] = field(default_factory=list)
    # Of the first image, whose like all others must be.
    dtype: np.dtype[np.uint8 | np.uint16] | None = None
    white_is_zero: bool | None = None
    # Pits whose centre is not on their frame, and where it is.
    outside: list[str] = field(default_factory=list)

    def fault(self, path: Path, rule: str, received: str = "") -> None:
        name = f"{path.relative_to(self.folder)}{f' ({received})' if received else ''}"
        self.faults.append(f"{name}: {rule}; replace the file.")


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


def check_frames(folder: Path, units: Sequence[Unit], digests: Mapping[Path, bytes]) -> None:
    """Raise DataError where two slides' frames hold the same bytes: their pits lie on the same plastic."""
    first: dict[tuple[bytes, ...], Unit] = {}
    faults = []
    for unit in units:
        content = tuple(digests.get(path, str(path).encode()) for path in unit.files)
        other = first.setdefault(content, unit)
        if other is not unit:
            names = (str(one.files[0].relative_to(folder)) for one in (unit, other))
            faults.append(
                "{}: the frames of two slides must differ, but got the bytes of {}; replace one, or name them as one "
                "slide in labels.csv.".format(*names)
            )
    if faults:
        raise DataError(faults)


def read_crops(
    folder: Path, description: Description, pits: Sequence[Pit], units: Sequence[Unit], digests: Mapping[Path, bytes]
) -> Crops:
    """Read all crops. Raises DataError with every fault of every image."""
    absent, channel_faults = _absent_channels(folder, description, units)
    reading = _Reading(folder, description, pits, digests, absent)
    inside = np.zeros(len(pits), np.bool_)
    packed: Grey | None = None
    for unit in units:
        images = _open_unit(reading, unit)
        if images is None:
            continue
        if packed is None:
            packed = np.zeros((len(pits), len(description.channels), description.crop, description.crop), images[0].dtype)
        fitting = _fitting(reading, unit, images[0])
        inside[fitting] = True
        _cut(reading, unit, images, fitting, packed)
    faults = [*channel_faults, *reading.faults]
    if reading.outside:
        faults.append(_outside(reading.outside))
    elif packed is not None and not faults and not inside.any():
        faults.append(
            f"labels.csv: crops of {description.crop} pixels must fit on the frames, but got all {len(pits)} pits "
            "nearer to a border; correct x and y (pixels, from the top-left corner), or `crop` in foil.toml."
        )
    if faults or packed is None:
        raise DataError(faults)
    return Crops(packed if inside.all() else packed[inside], inside)


def _outside(places: Sequence[str]) -> str:
    return (
        f"labels.csv: pits must lie on their frames, but got {len(places)} outside: {', '.join(places[:SHOWN])}"
        f"{', ...' if len(places) > SHOWN else ''}; correct x and y (pixels, from the top-left corner, x to the right)."
    )


def _absent_channels(folder: Path, description: Description, units: Sequence[Unit]) -> tuple[set[Path], list[str]]:
    """Find channels without any file: the files that are not there, and one fault a channel, not one a pit."""
    absent: set[Path] = set()
    faults: list[str] = []
    for number, channel in enumerate(() if description.paged else description.channels):
        files = [unit.files[number] for unit in units]
        if not any(_is_there(file) for file in files):
            absent |= set(files)
            faults.append(
                f"foil.toml: each channel needs its images, but channel {channel.name!r} has none (looked for "
                f"{files[0].relative_to(folder)}, ...); add them, or remove its [[channels]] entry."
            )
    return absent, faults


def _is_there(path: Path) -> bool:
    try:
        return path.exists()
    except OSError:  # a name that is too long
        return False


def _open_unit(reading: _Reading, unit: Unit) -> list[OpenImage] | None:
    """Read the headers of one pit or slide; None, with faults added, where one of its images cannot be used."""
    description = reading.description
    wanted = len(description.channels) if description.paged else 1
    most = MOST_BYTES
    if description.by_pit:
        most = CROP_BYTES * wanted * description.crop**2 + BESIDE_PIXELS
    images: list[OpenImage] = []
    good = reading.absent.isdisjoint(unit.files)
    for path in unit.files:
        if path in reading.absent:
            continue  # its channel has its fault already
        try:
            content = read_file(path, most)
            if reading.digests.get(path, b"") != hashlib.sha256(content).digest():
                raise ImageFault("the file was written while the data set was read")
            image = open_image(content, path.suffix, wanted)
        except ImageFault as fault:
            reading.fault(path, f"every image must be readable, but {fault}")
            good = False
            continue
        if image.pages != wanted:
            reading.fault(path, f"a file must have {wanted} pages (the channels it stands for)", str(image.pages))
            good = False
        elif images and (_size(image), image.dtype) != (_size(images[0]), images[0].dtype):
            first = f"{_size(images[0])}, {images[0].dtype}"
            rule = f"the channels of one pit or slide must agree in size and bit depth ({first})"
            reading.fault(path, rule, f"{_size(image)}, {image.dtype}")
            good = False
        else:
            images.append(image)
    return images if good and _alike(reading, unit, images) else None


def _alike(reading: _Reading, unit: Unit, images: Sequence[OpenImage]) -> bool:
    """Check that the images are of one kind with all before them, and crops of their size, before anything is decoded."""
    crop = reading.description.crop
    first = images[0]
    if reading.dtype is None:
        reading.dtype, reading.white_is_zero = first.dtype, first.white_is_zero
    mixed = [path for path, image in zip(unit.files, images, strict=True) if image.white_is_zero != reading.white_is_zero]
    for path in mixed:
        name = "white" if reading.white_is_zero else "black"
        reading.fault(path, f"every image must call the same value white, and the first calls 0 {name} (photometric tag)")
    if first.dtype != reading.dtype:
        reading.fault(unit.files[0], f"every image must have one bit depth, that of the first ({reading.dtype})")
    elif reading.description.by_pit and (first.height, first.width) != (crop, crop):
        reading.fault(unit.files[0], f"every image must be {crop} x {crop} pixels", _size(first))
    else:
        return not mixed
    return False


def _fitting(reading: _Reading, unit: Unit, image: OpenImage) -> list[int]:
    """Give the pits of a slide whose whole crops lie on its frame, and note those that lie beside it."""
    if reading.description.by_pit:
        return list(unit.pits)
    crop = reading.description.crop
    fitting = []
    for index in unit.pits:
        pit = reading.pits[index]
        left, top = corner(pit, crop)
        if min(left, top) >= 0 and left + crop <= image.width and top + crop <= image.height:
            fitting.append(index)
        elif not (-0.5 <= (pit.x or 0) < image.width and -0.5 <= (pit.y or 0) < image.height):
            reading.outside.append(f"{pit.pit} ({pit.x:g}, {pit.y:g}) of {_size(image)}")
    return fitting


def _cut(reading: _Reading, unit: Unit, images: Sequence[OpenImage], fitting: Sequence[int], packed: Grey) -> None:
    """Decode the images of one pit or slide and put its crops into their places."""
    crop, bits = reading.description.crop, reading.description.bits
    for number, (path, image) in enumerate(zip(unit.files, images, strict=True)):
        try:
            values = image.values()
            if bits is not None and int(values.max()) >= 2**bits:
                raise ImageFault(f"its values reach {int(values.max())}, more than `bits = {bits}` in foil.toml allows")
        except ImageFault as fault:
            reading.fault(path, f"every image must be readable, but {fault}")
            continue
        channels = slice(number, number + len(values))
        for index in fitting:
            left, top = (0, 0) if reading.description.by_pit else corner(reading.pits[index], crop)
            packed[index, channels] = values[:, top : top + crop, left : left + crop]


def corner(pit: Pit, crop: int) -> tuple[int, int]:
    """Give the left and upper edge of a pit's crop on its frame."""
    assert pit.x is not None and pit.y is not None  # frames require both columns
    # Halves go up, always: rounding them to even would let crops that a whole crop parts share a row of pixels.
    return math.floor(pit.x + 0.5) - crop // 2, math.floor(pit.y + 0.5) - crop // 2


def _size(image: OpenImage) -> str:
    return f"{image.width} x {image.height}"
