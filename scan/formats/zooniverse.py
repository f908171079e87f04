"""A set of subjects for Zooniverse: manifest.csv, and beside it crops of 56 pixels as PNG, a file for each light.

A subject's images are the lights, one after the other. Columns that begin with # are kept from volunteers, so that scores do
not lead them. Knows nothing of foils.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from pitsearch.csv_text import csv_text
from scan.errors import ScanError
from scan.formats.context import FormatContext, by_frame, file_name, write_file
from scan.hit_crops import cut_hits
from scan.hits import Hit

FOLDER = "zooniverse"
MANIFEST = "manifest.csv"
# The edge of a crop as people look at it, in pixels.
EDGE = 56
HIDDEN = ("#foil", "#slide", "#x", "#y", "#p_signal", "#class", "#accepted")


def write_zooniverse(hits: Sequence[Hit], out: Path, context: FormatContext) -> None:
    """Write the manifest and the crops, frame by frame. Raises ScanError where a hit's frame is not known."""
    header = ["hit", *(f"image_{number}" for number in range(1, len(context.channels) + 1)), *HIDDEN]
    rows: list[list[object]] = []
    for foil, slide, members in by_frame(hits):
        frame = context.frames.get(f"{foil}:{slide}")
        if frame is None:
            raise ScanError(
                f"crops need the frames of all hits, but got none of {foil}:{slide}; give the folder that was scanned."
            )
        crops = cut_hits(context.pixels(frame), members, EDGE)
        # Eight bits, for browsers show no more.
        shown = np.clip(crops * (255.0 / context.full_scale), 0, 255).round().astype(np.uint8)
        for hit, images in zip(members, shown, strict=True):
            files = [file_name(f"_{channel}.png", hit.hit) for channel in context.channels]
            for file, image in zip(files, images, strict=True):
                stream = io.BytesIO()
                Image.fromarray(image).save(stream, "PNG")
                write_file(out / FOLDER / file, stream.getvalue())
            place = [hit.foil, hit.slide, f"{hit.x:.12g}", f"{hit.y:.12g}"]
            rows.append([hit.hit, *files, *place, f"{hit.p_signal:.6f}", hit.class_name, int(hit.accepted)])
    # Last, so that every file that it names is there.
    write_file(out / FOLDER / MANIFEST, csv_text(header, rows).encode())
