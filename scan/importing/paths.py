"""Read a CSV with a column `path`: a row for each pit, its label, and the file of its image, relative to the CSV.

The path may hold `{channel}`, for a file a light; a TIFF may hold every light as its pages.
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
    rows = read_rows(source.path, ("path", "label"))
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
    for number, row in enumerate(rows):
        text = row["path"]
        if not text:
            raise ScanError(f"{path}: every row must have a path, but row {number + 1} has none; add it, or take the row out.")
        files = [text.replace(CHANNEL, light.name) for light in lights] if CHANNEL in text else [text]
        pages = [pages_of(path.parent / file) for file in files]
        if len({page.shape[1:] for page in pages}) > 1:
            raise ScanError(f"{path.parent / files[0]}: the images of a pit must agree in size, but differ; replace them.")
        name = Path(text.replace(f"_{CHANNEL}", "").replace(CHANNEL, "")).stem
        yield WrittenPit(pit_of(row, named(name), path, ("path",)), np.concatenate(pages))
