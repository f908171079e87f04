"""Regions for QuPath: GeoJSON, a file for each frame, the box of each hit as a detection with its class and measurements.

QuPath opens such a file on the frame's image (File, Import objects). Knows nothing of foils.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from scan.formats.context import COLOURS, FormatContext, box, by_frame, file_name, write_file
from scan.hits import Hit

FOLDER = "qupath"
ENDING = ".geojson"


def write_qupath(hits: Sequence[Hit], out: Path, context: FormatContext) -> None:
    """Write a collection of features for each frame; places are pixels from the image's top-left corner."""
    for foil, slide, members in by_frame(hits):
        collection = {"type": "FeatureCollection", "features": [_feature(hit, context.crop) for hit in members]}
        write_file(out / FOLDER / file_name(ENDING, foil, slide), (json.dumps(collection, indent=1) + "\n").encode())


def _feature(hit: Hit, crop: int) -> dict[str, Any]:
    left, top, edge = box(hit, crop)
    right, bottom = left + edge, top + edge
    # A ring ends where it begins, and runs counter-clockwise where y points up (RFC 7946).
    ring = [[left, top], [right, top], [right, bottom], [left, bottom], [left, top]]
    return {
        "type": "Feature",
        "geometry": {"type": "Polygon", "coordinates": [ring]},
        "properties": {
            "objectType": "detection",
            "name": hit.hit,
            "classification": {"name": hit.class_name, "color": list(COLOURS[hit.accepted])},
            "isLocked": True,
            "measurements": {
                "p_signal": hit.p_signal,
                "spread": hit.spread,
                "accepted": int(hit.accepted),
                "x": hit.x,
                "y": hit.y,
            },
        },
    }
