"""What the writers of all formats are given, and what they share. Knows no format."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from foils.atomic_write import write_whole
from foils.crops import corner
from foils.frames import Frame, by_number
from foils.open_image import Grey
from pitsearch.errors import reason
from scan.errors import ScanError
from scan.hits import Hit

# Of a hit, by whether it is accepted, as red, green, blue: told apart also by those who see no red or no green.
COLOURS: Mapping[bool, tuple[int, int, int]] = {True: (230, 159, 0), False: (86, 180, 233)}


@dataclass(frozen=True)
class FormatContext:
    """What is known beside the hits."""

    # By name, `foil:slide`.
    frames: Mapping[str, Frame]
    # The names of the lights, in the order of a frame's pixels.
    channels: tuple[str, ...]
    # The edge of a crop that the model scores, in pixels of a frame that was not shrunk.
    crop: int
    pixel_um: float | None
    # Reads a frame, `[channels, y, x]`.
    pixels: Callable[[Frame], Grey]
    # The largest value that a pixel can have.
    full_scale: int = 255


def by_frame(hits: Sequence[Hit]) -> Iterator[tuple[str, str, list[Hit]]]:
    """Give the hits of each frame with its foil and slide, numbers by their value."""
    frames: dict[tuple[str, str], list[Hit]] = {}
    for hit in hits:
        frames.setdefault((hit.foil, hit.slide), []).append(hit)
    for (foil, slide), members in sorted(frames.items(), key=lambda item: [by_number(name) for name in item[0]]):
        yield foil, slide, members


def file_name(ending: str, foil: str, slide: str | None = None) -> str:
    """Name the file of a frame, or of a foil; it stays in its folder whatever the foil is called."""
    name = f"{foil}{ending}" if slide is None else f"{foil}_s{slide}{ending}"
    return re.sub(r"[/\0]", "_", name)


def box(hit: Hit, crop: int) -> tuple[int, int, int]:
    """Give the left and upper edge of what the model saw of a hit, and its size, in pixels of the frame."""
    edge = round(crop * hit.scale)
    return *corner(hit.x, hit.y, edge), edge


def write_file(path: Path, content: bytes) -> None:
    """Write a file, and the folder above it where that is missing. Raises ScanError."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, lambda stream: stream.write(content))
    except OSError as error:
        raise ScanError(f"{path}: the hits must be writable, but: {reason(error)}; choose another --out.") from None
