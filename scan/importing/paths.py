"""Read a CSV with a column `path`: a row for each pit, its label, and the file of its image, relative to the CSV.

The path may hold `{channel}`, for a file a light; a TIFF may hold every light as its pages. Windows paths are taken as well.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from foils.description import Channel
from foils.folder_writer import WrittenPit
from foils.synthetic.lighting import QMUL_RIG
from scan.errors import ScanError
from scan.importing.source import Imported, Source, lights_for, named, pages_of, pit_of, read_rows

CHANNEL = "{channel}"


def read_paths(source: Source) -> Imported:
    """Read the pits of a CSV."""
    rows = [{**row, "path": row["path"].replace("\\", "/")} for row in read_rows(source.path, ("path", "label"))]
    for number, row in enumerate(rows, start=1):
        if not row["path"]:
            raise ScanError(
                f"{source.path}: every row must have a path, but row {number} has none; add it, or take the row out."
            )
    first = rows[0]["path"]
    lights = source.lights
    if CHANNEL in first and lights is None:
        there = [light for light in QMUL_RIG if (source.path.parent / first.replace(CHANNEL, light.name)).is_file()]
        lights = lights_for(len(there), None, source.path)
    elif CHANNEL not in first:
        lights = lights_for(len(pages_of(source.path.parent / first)), source.lights, source.path)
    assert lights is not None  # given, or found above
    return Imported(lights, _pits(source.path, rows, lights))


def _pits(path: Path, rows: Sequence[dict[str, str]], lights: Sequence[Channel]) -> Iterator[WrittenPit]:
    names = _names([row["path"] for row in rows])
    for row, name in zip(rows, names, strict=True):
        text = row["path"]
        files = [text.replace(CHANNEL, light.name) for light in lights] if CHANNEL in text else [text]
        pages = [pages_of(path.parent / file) for file in files]
        if len({page.shape[1:] for page in pages}) > 1:
            raise ScanError(f"{path.parent / files[0]}: the images of a pit must agree in size, but differ; replace them.")
        yield WrittenPit(pit_of(row, name, path, ("path",)), np.concatenate(pages))


def _names(paths: Sequence[str]) -> list[str]:
    """Name each pit by its file, and where two files have one name by their folders too."""
    files = [Path(path.replace(f"_{CHANNEL}", "").replace(CHANNEL, "")) for path in paths]
    by_file = [named(file.stem) for file in files]
    return by_file if len(set(by_file)) == len(files) else [named((file.parent / file.stem).as_posix()) for file in files]
