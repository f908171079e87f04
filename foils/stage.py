"""Where the frames of one scan lie on the foil, and from there the way between a frame's pixels and the foil's coordinates.

Stage positions come from the microscope (`stage.json`) or from a grid of frames. Three datum holes (`datum.toml`) through
every foil of a stack give coordinates that all its scans share. Knows nothing of pits or models.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any

from cattrs import Converter

from foils.errors import DataError
from pitsearch.errors import reason
from pitsearch.json_text import MOST_BYTES, parse_json
from pitsearch.regular_file import read_regular
from pitsearch.toml_text import read_toml_text, shown
from pitsearch.typed_values import MISFITS, Between, reason_of, strict

INCH_UM = 25_400.0
# A microscope's stage travels some inches.
MOST_INCHES = 1e4
# Pixels of a frame's edge, and of a datum hole's place.
MOST_PIXELS = 1e7

Place = tuple[float, float]
_Pixels = Annotated[float, Between(-MOST_PIXELS, MOST_PIXELS)]
# A place on a frame: the frame's slide, x, y.
Hole = tuple[str | int, _Pixels, _Pixels]


@dataclass(frozen=True)
class DatumFile:
    """What `datum.toml` says."""

    # Three datum holes, each as the number of a frame and pixels on it.
    holes: tuple[Hole, Hole, Hole]
    # Whether this is a scan of the foil's reverse side.
    reverse: bool = False
    # Whether x runs to the left in the scan's positions.
    flipped: bool = False


@dataclass(frozen=True)
class Stage:
    """The frames of one scan.

    *Scan* coordinates are micrometres from the middle of the first frame, x to the right, y downwards. *Foil* coordinates are
    pixels: with datum holes from the first hole, the third one lying on the x axis; without, scan coordinates over the pixel.
    """

    # The middle of each frame in scan coordinates, by slide.
    centres: Mapping[str, Place]
    pixel_um: float
    # Of a frame, in pixels.
    width: int
    height: int
    # Whether x runs to the left in the scan's positions.
    flipped: bool = False
    # Three datum holes, each as a slide and pixels on its frame.
    holes: tuple[tuple[str, float, float], ...] | None = None
    # Whether this is a scan of the foil's reverse side.
    reverse: bool = False

    def __post_init__(self) -> None:
        for what, value in (("pixel_um", self.pixel_um), ("width", self.width), ("height", self.height)):
            if not 0 < value <= MOST_PIXELS:
                raise DataError(
                    f"`{what}` of a scan's frames must be above 0 and at most {MOST_PIXELS:g}, but got {value}; correct it."
                )

    def on_scan(self, slide: str, x: float, y: float) -> Place:
        """Give the scan coordinates of a place on a frame. Raises DataError for a slide without a position."""
        across, down = self._centre(slide)
        from_middle = -(x - self.width / 2) if self.flipped else x - self.width / 2
        return across + from_middle * self.pixel_um, down + (y - self.height / 2) * self.pixel_um

    def on_foil(self, slide: str, x: float, y: float) -> Place:
        """Give the foil coordinates of a place on a frame. Raises DataError for a slide without a position."""
        across, down = self.on_scan(slide, x, y)
        origin, cos, sin = self._axes
        across, down = (across - origin[0]) / self.pixel_um, (down - origin[1]) / self.pixel_um
        turned = across * cos + down * sin, down * cos - across * sin
        return (-turned[0] if self.reverse else turned[0]), turned[1]

    def on_frame(self, slide: str, x_foil: float, y_foil: float) -> Place:
        """Give the pixels on a frame of a place on the foil, which may lie beyond the frame's edge."""
        origin, cos, sin = self._axes
        x_foil = -x_foil if self.reverse else x_foil
        across = (x_foil * cos - y_foil * sin) * self.pixel_um + origin[0]
        down = (y_foil * cos + x_foil * sin) * self.pixel_um + origin[1]
        centre = self._centre(slide)
        from_middle = (across - centre[0]) / self.pixel_um
        x = self.width / 2 + (-from_middle if self.flipped else from_middle)
        return x, (down - centre[1]) / self.pixel_um + self.height / 2

    def _centre(self, slide: str) -> Place:
        centre = self.centres.get(slide_key(slide))
        if centre is None:
            raise DataError(
                f"every frame must have a position on the foil, but slide {shown(slide)} has none; add it to the positions."
            )
        return centre

    @cached_property
    def _axes(self) -> tuple[Place, float, float]:
        """The foil's origin in scan coordinates, and cosine and sine of the angle by which its x axis is turned."""
        if self.holes is None:
            return (0.0, 0.0), 1.0, 0.0
        first, third = (self.on_scan(*self.holes[number]) for number in (0, 2))
        across, down = third[0] - first[0], third[1] - first[1]
        # The arctangent of the ratio, as the users' lists are made: where the third hole lies to the left, x runs away from it,
        # which negating x in a scan of the reverse side makes good.
        theta = math.atan(down / across) if across else math.copysign(math.pi / 2, down)
        return first, math.cos(theta), math.sin(theta)


def slide_key(slide: str | int) -> str:
    """Give the name under which a slide's position is kept: 007 is 7."""
    text = str(slide)
    return str(int(text)) if text.isdecimal() and len(text) < 20 else text


def read_stage(stage: Path, datum: Path | None = None, *, pixel_um: float, width: int, height: int) -> Stage:
    """Read the positions of a scan, and its datum holes. Raises DataError.

    `stage`: JSON, one object, the number of an image as text -> [x, y] in inches, y pointing up. They are recentred on the
    image of the lowest number. `datum`: TOML, `holes = [[image, x, y], [image, x, y], [image, x, y]]`, `reverse`, `flipped`.
    """
    positions = _read(stage, "positions", lambda path: _positions(parse_json(read_regular(path, MOST_BYTES))))
    x_first, y_first = positions[min(positions)]
    centres = {str(number): ((x - x_first) * INCH_UM, (y_first - y) * INCH_UM) for number, (x, y) in positions.items()}
    if datum is None:
        return Stage(centres, pixel_um, width, height)
    converter = strict(Converter(), forbid_extra_keys=True)
    file: DatumFile = _read(datum, "datum holes", lambda path: converter.structure(read_toml_text(path).table, DatumFile))
    holes = tuple((slide_key(slide), x, y) for slide, x, y in file.holes)
    placed = Stage(centres, pixel_um, width, height, file.flipped, holes, file.reverse)
    try:
        places = [placed.on_scan(*hole) for hole in holes]
    except DataError:
        missing = ", ".join(shown(slide) for slide, _, _ in holes if slide not in centres)
        raise DataError(
            f"{datum}: datum holes must lie on frames that {stage.name} lists, but got {missing}; correct the holes."
        ) from None
    if len(set(places)) < len(places):
        raise DataError(f"{datum}: datum holes must lie apart, but two are at one place; correct `holes`.")
    return placed


def grid_stage(columns: int, slides: Sequence[str], *, pixel_um: float, width: int, height: int) -> Stage:
    """Place frames that were numbered row by row and touch one another. Raises DataError.

    Numbers count from 1 (from 0 where there is a slide 0), so that a missing frame leaves a gap. Slides that are not all
    numbers follow one another in the order given.
    """
    if columns < 1:
        raise DataError(f"a grid of frames must have at least 1 column, but got {columns}; correct the number of columns.")
    keys = [slide_key(slide) for slide in slides]
    if len(set(keys)) < len(keys):
        raise DataError("the frames of a grid must be of different slides, but one stands twice; scan one foil at a time.")
    numbers = [int(key) for key in keys if key.isdecimal()]
    first = 0 if 0 in numbers else 1
    indices = [number - first for number in numbers] if len(numbers) == len(keys) else list(range(len(keys)))
    centres = {
        key: (index % columns * width * pixel_um, index // columns * height * pixel_um)
        for key, index in zip(keys, indices, strict=True)
    }
    return Stage(centres, pixel_um, width, height)


def _read(path: Path, what: str, read: Callable[[Path], Any]) -> Any:
    """Read a file, and say on one line what is wrong with it."""
    try:
        return read(path)
    except OSError as error:
        raise DataError(f"{path}: the {what} of a scan must be readable, but: {reason(error)}; correct the path.") from None
    except MISFITS as error:
        raise DataError(
            f"{path}: the {what} of a scan must be as docs/data-format.md says, but: {reason_of(error)}; correct the file."
        ) from None


def _positions(value: Any) -> dict[int, Place]:
    """Read the positions, in inches, by the number of the image. Raises ValueError."""
    converter = strict(Converter())
    inches = Annotated[float, Between(-MOST_INCHES, MOST_INCHES)]
    places: dict[str, Place] = converter.structure(value, dict[str, tuple[inches, inches]])
    if not places:
        raise ValueError("it must have the position of at least one image, but has none")
    for name in places:
        if not name.isdecimal() or len(name) > 18:
            raise ValueError(f"images must be named by their numbers, but got {shown(name)}")
    by_number = {int(name): place for name, place in places.items()}
    if len(by_number) < len(places):
        raise ValueError("the numbers of images must differ, but one stands twice")
    return by_number
