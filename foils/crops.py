"""Read the crops of pits: from files of their own, or cut out of frames. Collects every fault of every image.

Knows nothing of labels, caches or training.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import BinaryIO

import numpy as np
import numpy.typing as npt

from foils.description import EDGES, Description
from foils.errors import DataError
from foils.image_faults import ImageFault
from foils.image_files import HashedFile, check_unchanged, open_file
from foils.images import open_image
from foils.open_image import Box, Grey, OpenImage
from foils.pit import Pit
from foils.resize import resized
from foils.units import Unit, most_bytes

Flags = npt.NDArray[np.bool_]
# Of the pits outside their frames, these are named.
SHOWN = 5


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
    # What was known of each file when the data set's fingerprint was taken.
    files: Mapping[Path, HashedFile]
    # The files of channels that have none.
    absent: set[Path]
    faults: list[str] = field(default_factory=list)
    # Of the first image, whose like all others must be.
    dtype: np.dtype[np.uint8 | np.uint16] | None = None
    white_is_zero: bool | None = None
    # Pits whose centre is not on their frame, and where it is.
    outside: list[str] = field(default_factory=list)
    # Whether every pit would lie on its frame were x and y exchanged.
    exchangeable: bool = True

    def fault(self, path: Path, rule: str, received: str = "", remedy: str = "replace the file") -> None:
        name = f"{path.relative_to(self.folder)}{f' ({received})' if received else ''}"
        self.faults.append(f"{name}: {rule}; {remedy}.")


def read_crops(
    folder: Path, description: Description, pits: Sequence[Pit], units: Sequence[Unit], files: Mapping[Path, HashedFile]
) -> Crops:
    """Read all crops. Raises DataError with every fault of every image."""
    absent, channel_faults = _absent_channels(folder, description, units)
    reading = _Reading(folder, description, pits, files, absent)
    inside = np.zeros(len(pits), np.bool_)
    packed: Grey | None = None
    for unit in units:
        with ExitStack() as opened:
            images = _open_unit(reading, unit, opened)
            if images is None:
                continue
            if packed is None:
                packed = np.zeros(
                    (len(pits), len(description.channels), description.crop, description.crop), images[0].image.dtype
                )
            boxes = _boxes(reading, unit, images[0].image)
            inside[list(boxes)] = True
            _cut(reading, images, boxes, packed)
    faults = [*channel_faults, *reading.faults]
    if reading.outside:
        faults.append(_outside(reading))
    elif packed is not None and not faults and not inside.any():
        faults.append(
            f"labels.csv: crops of {description.window} pixels must fit on the frames, but got all {len(pits)} pits "
            "nearer to a border; correct x and y (pixels, from the top-left corner), or "
            f"`{'resize_from' if description.resize_from else 'crop'}` in foil.toml."
        )
    if faults or packed is None:
        raise DataError(faults)
    return Crops(packed if inside.all() else packed[inside], inside)


def _outside(reading: _Reading) -> str:
    places = reading.outside
    remedy = "correct x and y (pixels, from the top-left corner, x to the right)"
    if reading.exchangeable:
        remedy = "x and y look swapped (exchanged, they put every pit on its frame): exchange the names of the two columns"
    return (
        f"labels.csv: pits must lie on their frames, but got {len(places)} outside: {', '.join(places[:SHOWN])}"
        f"{', ...' if len(places) > SHOWN else ''}; {remedy}."
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


@dataclass(frozen=True)
class _OpenFile:
    """An image whose header was checked, and the open file that it is decoded from."""

    path: Path
    stream: BinaryIO
    image: OpenImage


def _open_unit(reading: _Reading, unit: Unit, opened: ExitStack) -> list[_OpenFile] | None:
    """Read the headers of one pit or slide; None, with faults added, where one of its images cannot be used."""
    description = reading.description
    wanted = len(description.channels) if description.paged else 1
    images: list[_OpenFile] = []
    good = reading.absent.isdisjoint(unit.files)
    for path in unit.files:
        if path in reading.absent:
            continue  # its channel has its fault already
        try:
            stream = opened.enter_context(open_file(path, most_bytes(description)))
            check_unchanged(stream, reading.files.get(path))
            image = open_image(stream, path.suffix, wanted)
        except ImageFault as fault:
            reading.fault(path, f"every image must be readable, but {fault}")
            good = False
            continue
        first = images[0].image if images else image
        if image.pages != wanted:
            reading.fault(path, f"a file must have {wanted} pages (the channels it stands for)", str(image.pages))
            good = False
        elif (_size(image), image.dtype) != (_size(first), first.dtype):
            rule = f"the channels of one pit or slide must agree in size and bit depth ({_size(first)}, {first.dtype})"
            reading.fault(path, rule, f"{_size(image)}, {image.dtype}")
            good = False
        else:
            images.append(_OpenFile(path, stream, image))
    return images if good and _alike(reading, images) else None


def _alike(reading: _Reading, images: Sequence[_OpenFile]) -> bool:
    """Check that the images are of one kind with all before them, and crops of their size, before anything is decoded."""
    edge = reading.description.stored_crop
    path, first = images[0].path, images[0].image
    if reading.dtype is None:
        reading.dtype, reading.white_is_zero = first.dtype, first.white_is_zero
    mixed = [one.path for one in images if one.image.white_is_zero != reading.white_is_zero]
    for other in mixed:
        name = "white" if reading.white_is_zero else "black"
        reading.fault(other, f"every image must call the same value white, and the first calls 0 {name} (photometric tag)")
    if first.dtype != reading.dtype:
        reading.fault(path, f"every image must have one bit depth, that of the first ({reading.dtype})")
    elif reading.description.by_pit and (first.height, first.width) != (edge, edge):
        reading.fault(path, f"every image must be {edge} x {edge} pixels", _size(first), _size_remedy(reading, first))
    else:
        return not mixed
    return False


def _size_remedy(reading: _Reading, image: OpenImage) -> str:
    """Say what can be done about a crop of another size."""
    edges = {key: getattr(reading.description, key) for key in ("crop", "resize_from", "cut_from")}
    if edges["resize_from"] or edges["cut_from"]:
        return f"replace the file, or correct `{'resize_from' if edges['resize_from'] else 'cut_from'}` in foil.toml"
    if image.width != image.height or image.width not in EDGES:
        return "replace the file"
    edge = image.width
    cut = f" or `cut_from = {edge}` (their middle is kept)" if edge > edges["crop"] and not (edge - edges["crop"]) % 2 else ""
    return f"replace the file, or, if all are {edge} x {edge}, add `resize_from = {edge}`{cut} to foil.toml"


def _boxes(reading: _Reading, unit: Unit, image: OpenImage) -> dict[int, Box]:
    """Give what is cut for each pit whose whole crop lies on its image, and note the pits that lie beside their frame."""
    description = reading.description
    edge = description.window
    if description.by_pit:
        margin = (description.stored_crop - edge) // 2
        return dict.fromkeys(unit.pits, Box(margin, margin, edge, edge))
    boxes = {}
    for index in unit.pits:
        pit = reading.pits[index]
        assert pit.x is not None and pit.y is not None  # frames require both columns
        x, y = pit.x, pit.y
        left, top = corner(x, y, edge)
        reading.exchangeable &= _on(image, y, x)
        if min(left, top) >= 0 and left + edge <= image.width and top + edge <= image.height:
            boxes[index] = Box(left, top, edge, edge)
        elif not _on(image, x, y):
            reading.outside.append(f"{pit.pit} ({x:g}, {y:g}) of {_size(image)}")
    return boxes


def _on(image: OpenImage, x: float, y: float) -> bool:
    return -0.5 <= x < image.width and -0.5 <= y < image.height


def _cut(reading: _Reading, images: Sequence[_OpenFile], boxes: Mapping[int, Box], packed: Grey) -> None:
    """Decode the crops of one pit or slide, a file after the other, and put them into their places."""
    for number, opened in enumerate(images if boxes else ()):
        try:
            parts = _decode(opened, list(boxes.values()), reading)
        except ImageFault as fault:
            reading.fault(opened.path, f"every image must be readable, but {fault}")
            continue
        channels = slice(number, number + opened.image.pages)
        for index, part in zip(boxes, parts, strict=True):
            packed[index, channels] = resized(part, packed.shape[-1]) if reading.description.resize_from else part


def _decode(opened: _OpenFile, boxes: Sequence[Box], reading: _Reading) -> list[Grey]:
    """Decode parts of an image. Raises ImageFault where they cannot be had, or the file was written meanwhile."""
    bits = reading.description.bits
    try:
        parts = opened.image.parts(boxes)
    finally:
        if not isinstance(opened.stream, BytesIO):
            check_unchanged(opened.stream, reading.files.get(opened.path))
    largest = max(int(part.max()) for part in parts)
    if bits is not None and largest >= 2**bits:
        raise ImageFault(f"its values reach {largest}, more than `bits = {bits}` in foil.toml allows")
    return parts


def corner(x: float, y: float, crop: int) -> tuple[int, int]:
    """Give the left and upper edge of the crop around a place on its frame."""
    # Halves go up, always: rounding them to even would let crops that a whole crop parts share a row of pixels.
    return math.floor(x + 0.5) - crop // 2, math.floor(y + 0.5) - crop // 2


def _size(image: OpenImage) -> str:
    return f"{image.width} x {image.height}"
