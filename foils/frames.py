"""Frames of unlabelled foil: find them in a folder, each with its file of every light, and read their pixels.

Files are named `{foil}_s{slide}_{channel}` and end as images do; in a data set's folder, as its `pattern` says. Knows nothing
of pits or models.
"""

from __future__ import annotations

import errno
import os
import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from foils.crops import corner
from foils.description import PLACEHOLDERS, read_description
from foils.errors import DataError
from foils.image_faults import ImageFault
from foils.images import read_pages
from foils.open_image import Grey
from pitsearch.errors import reason

SUFFIXES = (".png", ".tga", ".tif", ".tiff", ".bmp")
PATTERN = "{foil}_s{slide}_{channel}"


@dataclass(frozen=True)
class Frame:
    """One field of view on a foil, with the files of its lights."""

    foil: str
    slide: str
    # A file for each light, in the order that was asked for; one file alone where its pages are the lights.
    files: tuple[Path, ...]

    @property
    def name(self) -> str:
        """The frame's name, `foil:slide`."""
        return f"{self.foil}:{self.slide}"


def find_frames(folder: str | Path, channels: Sequence[str]) -> list[Frame]:
    """Find the frames of a folder; raises DataError as `list_frames` does, and where it finds any fault."""
    frames, faults = list_frames(folder, channels)
    if faults:
        raise DataError(faults)
    return frames


def list_frames(folder: str | Path, channels: Sequence[str]) -> tuple[list[Frame], list[str]]:
    """Find the frames of a folder, in the order of foils and slides, numbers by their value; and what is wrong with others.

    `channels`: the names of the lights that each must have. Files of other lights are left alone. A fault is a frame that lacks
    a light, or has two files of one. Raises DataError where there is no frame at all.
    """
    folder = Path(folder)
    expression, has_channel = _expression(folder, channels)
    lights: dict[tuple[str, str], dict[str, list[Path]]] = defaultdict(lambda: defaultdict(list))
    for path in _images(folder):
        match = expression.fullmatch(path.relative_to(folder).with_suffix("").as_posix())
        if match is not None:
            named = match.groupdict()
            lights[named.get("foil") or "foil", named["slide"]][named.get("channel") or ""].append(path)
    if not lights:
        raise DataError(
            f"{folder}: frames must be named {PATTERN} ({', '.join(channels)}) and end in {', '.join(SUFFIXES)}, but got none; "
            "rename them, or correct the path."
        )
    wanted = tuple(channels) if has_channel else ("",)
    frames, faults = [], []
    for (foil, slide), files in lights.items():
        missing = [channel for channel in wanted if channel not in files]
        twice = [paths for channel in wanted if len(paths := files.get(channel, [])) > 1]
        if missing:
            rule = "every frame must have all lights of the model"
            faults.append(f"{folder}: {rule}, but got {foil}:{slide} without {', '.join(missing)}; add the files.")
        elif twice:
            faults.append(
                f"{twice[0][0]}: a light of a frame must be one file, but got {twice[0][1].name} too; remove one of them."
            )
        else:
            frames.append(Frame(foil, slide, tuple(files[channel][0] for channel in wanted)))
    return sorted(frames, key=lambda frame: (by_number(frame.foil), by_number(frame.slide))), faults


def _images(folder: Path) -> list[Path]:
    """List the image files of a folder, at every depth."""
    try:
        if not folder.is_dir():
            raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR))
        return sorted(path for path in folder.rglob("*") if path.suffix.lower() in SUFFIXES)
    except OSError as error:
        raise DataError(f"{folder}: frames must lie in a readable folder, but: {reason(error)}; correct the path.") from None


def by_number(text: str) -> list[tuple[int, str]]:
    """Give what sorts names by the numbers in them: s2 comes before s10."""
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in re.split(r"(\d+)", text) if part]


def read_frame(frame: Frame, channels: int) -> Grey:
    """Read the pixels of a frame, `[channels, y, x]`, as stored. Raises DataError where they cannot be had."""
    images: list[Grey] = []
    for path in frame.files:
        try:
            images.append(read_pages(path))
        except ImageFault as fault:
            raise DataError(f"{path}: every image must be readable, but {fault}; replace the file.") from None
    first = images[0]
    for path, image in zip(frame.files, images, strict=True):
        if (image.shape, image.dtype) != (first.shape, first.dtype):
            raise DataError(
                f"{path}: the lights of a frame must agree in size and bit depth ({_kind(first)}), but got {_kind(image)}; "
                "replace the file."
            )
    pixels = np.concatenate(images)
    if len(pixels) != channels:
        raise DataError(
            f"{frame.files[0]}: a frame must have {channels} lights, but got {len(pixels)} pages; correct the file."
        )
    return pixels


def cut_crops(pixels: Grey, places: Sequence[tuple[float, float]], edge: int) -> Grey:
    """Cut crops `[places, channels, edge, edge]` of a frame `[channels, y, x]` around places (x, y) that lie well within it.

    Beyond the frame its edge is repeated, for crops to be looked at; a crop that is scored lies within.
    """
    margin = edge
    padded = np.pad(pixels, ((0, 0), (margin, margin), (margin, margin)), mode="edge")
    crops = np.empty((len(places), len(pixels), edge, edge), pixels.dtype)
    for number, (x, y) in enumerate(places):
        left, top = (value + margin for value in corner(x, y, edge))
        crops[number] = padded[:, top : top + edge, left : left + edge]
    return crops


def is_within(x: float, y: float, edge: int, height: int, width: int) -> bool:
    """Tell whether a crop around a place lies on its frame as a whole."""
    left, top = corner(x, y, edge)
    return min(left, top) >= 0 and left + edge <= width and top + edge <= height


def _expression(folder: Path, channels: Sequence[str]) -> tuple[re.Pattern[str], bool]:
    """Give what the names of files are matched with, less their endings, and whether a file is one light."""
    pattern, anywhere = PATTERN, "(?:.*/)?"
    if (folder / "foil.toml").is_file():
        faults: list[str] = []
        description = read_description(folder, faults)
        if description is None:
            raise DataError(faults)
        if description.by_pit:
            raise DataError(
                f"{folder}: frames are whole slides, but got a data set of crops (pattern {description.pattern!r}); "
                "score its pits with `pitsearch predict`."
            )
        pattern, anywhere = Path(description.pattern).with_suffix("").as_posix(), ""
    one_of = "|".join(re.escape(channel) for channel in channels)
    parts = {"foil": r"(?P<foil>[^/]+)", "slide": r"(?P<slide>[A-Za-z0-9.-]+)", "channel": f"(?P<channel>{one_of})"}
    return re.compile(anywhere + "".join(_parts(pattern, parts))), "{channel}" in pattern


def _parts(pattern: str, parts: dict[str, str]) -> Iterator[str]:
    """Give the pieces of an expression; a placeholder that stands again must say the same again."""
    seen: set[str] = set()
    for piece in re.split(r"(\{\w+\})", pattern):
        name = piece.strip("{}")
        if piece.startswith("{") and name in PLACEHOLDERS:
            yield f"(?P={name})" if name in seen else parts[name]
            seen.add(name)
        else:
            yield re.escape(piece)


def _kind(pixels: Grey) -> str:
    return f"{pixels.shape[2]} x {pixels.shape[1]} {pixels.dtype}"
