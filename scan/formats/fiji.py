"""Regions for Fiji and ImageJ: RoiSet.zip, one for each frame, the box of each hit with its name, colour and properties.

Dropped on Fiji's window over the frame's image, it opens in the ROI Manager. Knows nothing of foils.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Sequence
from pathlib import Path

from roifile import ROI_OPTIONS, ROI_TYPE, ImagejRoi

from scan.errors import ScanError
from scan.formats.context import COLOURS, FormatContext, box, by_frame, file_name, write_file
from scan.hits import Hit

FOLDER = "fiji"
ENDING = "_RoiSet.zip"
# What a region's edges may be, by the format.
EDGES = range(-5000, 60_536)
# A time that zip files can hold: the same hits give the same bytes.
LONG_AGO = (1980, 1, 1, 0, 0, 0)


def write_fiji(hits: Sequence[Hit], out: Path, context: FormatContext) -> None:
    """Write the regions of each frame. Raises ScanError for a frame that is too large for the format."""
    for foil, slide, members in by_frame(hits):
        stream = io.BytesIO()
        names: set[str] = set()
        with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
            for hit in members:
                entry = file_name(".roi", hit.hit)
                if entry in names:
                    raise ScanError(f"the hits of a frame must have names that differ, but got {hit.hit!r} twice; rename one.")
                names.add(entry)
                archive.writestr(zipfile.ZipInfo(entry, LONG_AGO), _region(hit, context.crop).tobytes())
        write_file(out / FOLDER / file_name(ENDING, foil, slide), stream.getvalue())


def _region(hit: Hit, crop: int) -> ImagejRoi:
    left, top, edge = box(hit, crop)
    if not all(value in EDGES for value in (left, top, left + edge, top + edge)):
        raise ScanError(
            f"regions of Fiji lie within {EDGES[-1]} pixels of the frame's corner, but hit {hit.hit} lies at {hit.x:g}, "
            f"{hit.y:g}; write another format."
        )
    return ImagejRoi(
        roitype=ROI_TYPE.RECT,
        name=hit.hit,
        left=left,
        top=top,
        right=left + edge,
        bottom=top + edge,
        # Properties are read where this version or a later one is written.
        version=228,
        stroke_width=1,
        stroke_color=bytes([255, *COLOURS[hit.accepted]]),
        props=_properties(hit),
        options=ROI_OPTIONS.NONE,
    )


def _properties(hit: Hit) -> str:
    values = {
        "p_signal": f"{hit.p_signal:.6f}",
        "class": hit.class_name,
        "spread": f"{hit.spread:.6f}",
        "accepted": str(int(hit.accepted)),
    }
    return "".join(f"{key}: {' '.join(value.split())}\n" for key, value in values.items())
