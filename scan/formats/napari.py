"""Points for napari: CSV, a file for each frame, `index,axis-0,axis-1` and a column for each property.

napari's own reader opens it as a layer of points over the frame's image. Knows nothing of foils.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from pitsearch.csv_text import csv_text
from scan.formats.context import FormatContext, by_frame, file_name, write_file
from scan.hits import Hit

FOLDER = "napari"
ENDING = "_points.csv"
# napari knows a table of points by the first three: axis 0 is y, axis 1 is x, at the middles of pixels.
COLUMNS = ("index", "axis-0", "axis-1", "hit", "p_signal", "class", "spread", "accepted")


def write_napari(hits: Sequence[Hit], out: Path, context: FormatContext) -> None:
    """Write the points of each frame."""
    for foil, slide, members in by_frame(hits):
        rows: list[list[object]] = []
        for index, hit in enumerate(members):
            scores = [f"{hit.p_signal:.6f}", hit.class_name, f"{hit.spread:.6f}", int(hit.accepted)]
            rows.append([index, f"{hit.y:.12g}", f"{hit.x:.12g}", hit.hit, *scores])
        write_file(out / FOLDER / file_name(ENDING, foil, slide), csv_text(COLUMNS, rows).encode())
