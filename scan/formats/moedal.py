"""Lists of accepted hits as MoEDAL keeps them: JSON, [image, x, y] on frames or [x, y] on the foil, a file for each foil.

Knows nothing of scores: whoever reads these lists takes every place as a hit.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from scan.errors import ScanError
from scan.formats.context import FormatContext, file_name, write_file
from scan.hits import Hit

FOLDER = "moedal"
LOCAL, GLOBAL = "_local.json", "_global.json"
# Digits of a place on the foil, in pixels.
DIGITS = 2


def write_local(hits: Sequence[Hit], out: Path, context: FormatContext) -> None:
    """Write [image, x, y], whole pixels from the image's top-left corner; an image that is a number is written as one."""
    for foil, accepted in _by_foil(hits):
        rows = [[int(hit.slide) if hit.slide.isdecimal() else hit.slide, round(hit.x), round(hit.y)] for hit in accepted]
        write_file(out / FOLDER / file_name(LOCAL, foil), _json(rows))


def write_global(hits: Sequence[Hit], out: Path, context: FormatContext) -> None:
    """Write [x, y] on the foil, in pixels. Raises ScanError where no positions are known."""
    for foil, accepted in _by_foil(hits):
        rows: list[list[float]] = []
        for hit in accepted:
            if hit.x_foil is None or hit.y_foil is None:
                raise ScanError(
                    f"places on the foil need the positions of its frames, but hit {hit.hit} has none; scan with positions, or "
                    "write another format."
                )
            rows.append([round(hit.x_foil, DIGITS), round(hit.y_foil, DIGITS)])
        write_file(out / FOLDER / file_name(GLOBAL, foil), _json(rows))


def _by_foil(hits: Sequence[Hit]) -> list[tuple[str, list[Hit]]]:
    """Give each foil with its accepted hits, in their order; none of a foil are an empty list."""
    foils: dict[str, list[Hit]] = {hit.foil: [] for hit in hits}
    for hit in hits:
        if hit.accepted:
            foils[hit.foil].append(hit)
    return list(foils.items())


def _json(rows: Sequence[Sequence[object]]) -> bytes:
    return ("[" + ",\n ".join(json.dumps(row) for row in rows) + "]\n").encode()
