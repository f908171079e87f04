"""Read a CSV with a column `path`: a row for each pit, its label, and the file of its image, relative to the CSV.

The path may hold `{channel}`, for a file a light; a TIFF may hold every light as its pages. `\\` separates folders as `/` does.
All rows are checked by their files' headers before any pixel is decoded.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PureWindowsPath

import numpy as np

from foils.description import Channel
from foils.errors import DataError
from foils.folder_writer import WrittenPit
from foils.image_faults import ImageFault
from foils.image_files import MOST_BYTES, open_file
from foils.images import open_image
from foils.pit import Pit
from foils.synthetic.lighting import QMUL_RIG
from pitsearch.toml_text import shown
from scan.errors import ScanError
from scan.importing.source import Imported, Source, lights_for, named, numbered_rows, pages_of, pit_of

CHANNEL = "{channel}"
# The remedy of every fault of an image.
REMEDY = "replace the file, or take its row out"


@dataclass(frozen=True)
class PathRow:
    """A row of the table."""

    # Table and line, for people.
    where: str
    # As the row names the file, with `{channel}` where there is a file a light.
    text: str
    # The path under this machine's separators, not yet of a light.
    path: Path
    pit: Pit


@dataclass
class RowCheck:
    """Reads the rows of a table, and keeps what is wrong with them."""

    table: Path
    faults: list[str] = field(default_factory=list)

    def rows(self) -> list[PathRow]:
        """Give the rows that name a file and a label, each pit once."""
        lines: list[tuple[str, dict[str, str], Path]] = []
        for line, cells in numbered_rows(self.table, ("path", "label")):
            where = f"{self.table.name}:{line}"
            missing = next((column for column in ("path", "label") if not cells[column]), None)
            if missing is None:
                lines.append((where, cells, _on_this_machine(self.table.parent, cells["path"])))
            else:
                self.faults.append(f"{where}: every row must have a {missing}, but has none; add it, or take the row out.")
        rows: list[PathRow] = []
        seen: dict[str, str] = {}
        for (where, cells, path), name in zip(lines, _names([path for _, _, path in lines], self.table.parent), strict=True):
            pit = pit_of(cells, name, self.table, ("path",))
            if pit.pit in seen:
                self.faults.append(
                    f"{where}: the name of a pit (its column `pit`, else its file) must be its own, but got {shown(pit.pit)}, "
                    f"as on {seen[pit.pit]}; name the pits in a column `pit`."
                )
                continue
            seen[pit.pit] = where
            rows.append(PathRow(where, cells["path"], path, pit))
        return rows

    def check_images(self, rows: Sequence[PathRow], lights: Sequence[Channel]) -> None:
        """Open every image, and compare what their headers declare: as many pages as lights, one size and one depth."""
        kinds: dict[int, tuple[int, int, str]] = {}
        for number, row in enumerate(rows):
            files = _files(row, lights)
            headers = [header for file in files if (header := self._header(row, file)) is not None]
            if len(headers) < len(files):
                continue
            pages = sum(header[0] for header in headers)
            if pages != len(lights):
                self.faults.append(
                    f"{row.where}: a pit must have {len(lights)} images, as the first, but got {pages}; {REMEDY}."
                )
            elif len({header[1:] for header in headers}) > 1:
                self.faults.append(f"{row.where}: the images of a pit must agree in size and depth, but differ; replace them.")
            else:
                kinds[number] = headers[0][1:]
        if not kinds:
            return
        (most, _), *others = Counter(kinds.values()).most_common()
        if others:
            tall, wide, depth = most
            for number, (height, width, bits) in kinds.items():
                if (height, width, bits) != most:
                    self.faults.append(
                        f"{rows[number].where}: all images must be of one kind, as most are ({wide} x {tall}, {depth}), "
                        f"but got {width} x {height}, {bits}; cut or resize them all alike, or take the row out."
                    )

    def _header(self, row: PathRow, file: Path) -> tuple[int, int, int, str] | None:
        """Give pages, height, width and depth of an image; None, with its fault, where it cannot be opened."""
        try:
            with open_file(file, MOST_BYTES) as stream:
                image = open_image(stream, file.suffix)
                return image.pages, image.height, image.width, str(image.dtype)
        except ImageFault as fault:
            remedy = _remedy(row, self.table.parent)
            self.faults.append(f"{row.where}: every image must be readable, but {fault} ({_plain(row.text)}); {remedy}.")
            return None


def read_paths(source: Source) -> Imported:
    """Read the pits of a CSV. Raises DataError with the faults of all its rows."""
    check = RowCheck(source.path)
    rows = check.rows()
    if not rows:
        raise DataError(check.faults)
    lights = _lights(source, rows)
    check.check_images(rows, lights)
    if check.faults:
        raise DataError(check.faults)
    return Imported(lights, _pits(rows, lights))


def _lights(source: Source, rows: Sequence[PathRow]) -> tuple[Channel, ...]:
    """Give the lights of the first row whose images are there."""
    for row in rows:
        if CHANNEL in row.text:
            if source.lights is not None:
                return source.lights
            count = sum(file.is_file() for file in _files(row, QMUL_RIG))
        else:
            count = len(pages_of(row.path)) if row.path.is_file() else 0
        if count:
            return lights_for(count, source.lights, source.path)
    first = rows[0]
    raise ScanError(
        f"{first.where}: every image must be readable, but none of the {len(rows)} files of the column `path` is there, as "
        f"{_plain(first.text)}; {_remedy(first, source.path.parent)}."
    )


def _pits(rows: Sequence[PathRow], lights: Sequence[Channel]) -> Iterator[WrittenPit]:
    for row in rows:
        yield WrittenPit(row.pit, np.concatenate([pages_of(file) for file in _files(row, lights)]))


def _files(row: PathRow, lights: Sequence[Channel]) -> list[Path]:
    if CHANNEL not in row.text:
        return [row.path]
    return [Path(str(row.path).replace(CHANNEL, light.name)) for light in lights]


def _names(paths: Sequence[Path], folder: Path) -> list[str]:
    """Name each pit by its file, and where two files in different folders have one name, by their folders too."""
    files = [Path(str(path).replace(f"_{CHANNEL}", "").replace(CHANNEL, "")) for path in dict.fromkeys(paths)]
    by_file = {path: named(file.stem) for path, file in zip(dict.fromkeys(paths), files, strict=True)}
    if len(set(by_file.values())) < len(files):
        relative = [file.relative_to(folder) if file.is_relative_to(folder) else file for file in files]
        by_file = {path: named((file.parent / file.stem).as_posix()) for path, file in zip(by_file, relative, strict=True)}
    return [by_file[path] for path in paths]


def _on_this_machine(folder: Path, text: str) -> Path:
    """Give a path of the table. Windows writes `\\` between folders; a file here may have one in its name."""
    path = folder / text
    return path if "\\" not in text or path.exists() else folder / text.replace("\\", "/")


def _remedy(row: PathRow, folder: Path) -> str:
    """Say how a file that is missing is found: where a path begins on another machine, what to take off."""
    windows = PureWindowsPath(row.text)
    if not windows.is_absolute() and not Path(row.text).is_absolute():
        return REMEDY
    for number in range(1, len(windows.parts)):
        if folder.joinpath(*windows.parts[number:]).exists():
            cut = row.text[: len(row.text) - len(str(PureWindowsPath(*windows.parts[number:])))]
            return f"make the paths relative to the table: take {_plain(cut)} off"
    return "make the paths relative to the folder of the table"


def _plain(text: str) -> str:
    """Show a path as a person would type it, with single backslashes, on one line."""
    return f"`{text}`" if text.isprintable() else shown(text)
