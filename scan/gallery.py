"""Write the page of a scan, `hits.html`: the foil's map with its hits, and a gallery to look them through and label them.

One file that needs nothing else, on the web or on the disk. Knows nothing of how hits are found, nor of files of frames.
"""

from __future__ import annotations

import base64
import hashlib
import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from foils.atomic_write import write_whole
from foils.frames import by_number
from foils.open_image import Grey
from pitsearch.errors import reason
from scan.errors import ScanError
from scan.hits import Hit, csv_of
from scan.sheets import BATCH, CropStore, cell_of, write_sheets

# Whatever hits say is escaped.
ENVIRONMENT = Environment(
    loader=FileSystemLoader(Path(__file__).parent / "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
# The edge of a crop as people look at it, in pixels of the frame.
EDGE = 56
# Of all sheets: the page holds them in base64, which takes a third more.
MOST_BYTES = 42_000_000
# The space between two frames where no positions are known, as a share of a frame.
GAP = 0.06


@dataclass(frozen=True)
class Answers:
    """The labels that a person gives with the keys y, n and m, and with 1, 2, 3, ... for further ones."""

    yes: str = "candidate"
    no: str = "misc"
    maybe: str = "maybe"
    further: tuple[str, ...] = ()


@dataclass(frozen=True)
class Gallery:
    """What a gallery shows and asks."""

    title: str
    # The names of the lights, in the order of the crops' second axis.
    channels: tuple[str, ...]
    answers: Answers = Answers()
    # The labelling campaign that labels.csv names.
    style: str = "scan"
    # Width and height of a frame, to lay frames out where no positions are known; None to guess it from the hits.
    frame: tuple[int, int] | None = None
    # Why each hit is shown, by its name.
    why: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class _Map:
    """Where things are on the map."""

    # Of each hit.
    places: list[tuple[float, float]]
    # px: pixels of the foil, um: micrometres of the scan, frames: pixels, frames side by side.
    unit: str
    # Foil, slide, left, top, width and height of each frame with hits, where they stand side by side.
    frames: Sequence[tuple[str, str, float, float, float, float]] = ()


def write_gallery(path: Path, hits: Sequence[Hit], crops: Iterable[Grey], gallery: Gallery) -> None:
    """Write the page of hits.

    `crops`: parts of `[hits, channels, edge, edge]`, in the order of the hits; they are taken one at a time, and never all in
    memory. Raises ScanError where they do not fit the hits, or the page cannot be written.
    """
    try:
        with CropStore(crops) as store:
            _check(hits, store, gallery)
            # Sheets in the order in which the page begins: whoever goes down the list decodes one after the other.
            order = sorted(range(len(hits)), key=lambda index: -hits[index].p_signal)
            shown = [hits[index] for index in order]
            sheets = (base64.b64encode(sheet).decode("ascii") for sheet in write_sheets(store, order, MOST_BYTES))
            edge = store.shape[-1] if len(store) else EDGE
            pieces = _page(shown, sheets, edge, gallery)
            write_whole(path, lambda stream: stream.writelines(piece.encode() for piece in pieces))
    except OSError as error:
        raise ScanError(f"{path}: the gallery must be writable, but: {reason(error)}; choose another place.") from None


def _check(hits: Sequence[Hit], store: CropStore, gallery: Gallery) -> None:
    if len(store) != len(hits):
        raise ScanError(f"a gallery must have a crop for each of its {len(hits)} hits, but got {len(store)}; cut them all.")
    if len(store) and store.shape[0] != len(gallery.channels):
        raise ScanError(
            f"the crops of a gallery must have its {len(gallery.channels)} lights, but got {store.shape[0]}; name each."
        )


def _page(hits: Sequence[Hit], sheets: Iterator[str], edge: int, gallery: Gallery) -> Iterator[str]:
    places = _places(hits, gallery.frame)
    why = dict(gallery.why)
    rows = [
        [
            hit.hit,
            hit.foil,
            hit.slide,
            _short(hit.x),
            _short(hit.y),
            round(hit.p_signal, 6),
            round(hit.spread, 6),
            hit.class_name,
            int(hit.accepted),
            *map(_short, place),
            why.get(hit.hit, ""),
        ]
        for hit, place in zip(hits, places.places, strict=True)
    ]
    answers = gallery.answers
    values: dict[str, Any] = {
        # Of this list of hits alone: choices of another scan never appear here.
        "key": hashlib.sha256(csv_of(sorted(hits, key=lambda hit: hit.hit)).encode()).hexdigest()[:16],
        "hits": rows,
        "lights": list(gallery.channels),
        "edge": edge,
        "cell": cell_of(edge),
        "batch": BATCH,
        "unit": places.unit,
        "frames": [[foil, slide, *map(_short, edges)] for foil, slide, *edges in places.frames],
        "answers": [["y", answers.yes], ["n", answers.no], ["m", answers.maybe]]
        + [[str(number), label] for number, label in enumerate(answers.further[:9], 1)],
        "style": gallery.style,
        "threshold": hits[0].threshold if hits else None,
    }
    template = ENVIRONMENT.get_template("gallery.html.j2")
    accepted = sum(hit.accepted for hit in hits)
    return template.generate(title=gallery.title, values=values, sheets=sheets, hits=len(hits), accepted=accepted)


def _places(hits: Sequence[Hit], frame: tuple[int, int] | None) -> _Map:
    """Place the hits on the map: on the foil, in the scan, or frame beside frame where that is not known of every hit."""
    on_foil = [(hit.x_foil, hit.y_foil) for hit in hits]
    in_scan = [(hit.x_um, hit.y_um) for hit in hits]
    for places, unit in ((on_foil, "px"), (in_scan, "um")):
        known = [(x, y) for x, y in places if x is not None and y is not None]
        if hits and len(known) == len(hits):
            return _Map(known, unit)
    width, height = frame or (
        max((hit.x for hit in hits), default=0.0) + 1,
        max((hit.y for hit in hits), default=0.0) + 1,
    )
    gap = GAP * max(width, height)
    corners: dict[tuple[str, str], tuple[float, float]] = {}
    for foil in {hit.foil for hit in hits}:
        slides = sorted({hit.slide for hit in hits if hit.foil == foil}, key=by_number)
        # About as high as wide.
        columns = max(round(math.sqrt(len(slides) * height / width)), 1)
        for number, slide in enumerate(slides):
            row, column = divmod(number, columns)
            corners[foil, slide] = column * (width + gap), row * (height + gap)
    laid_out = []
    for hit in hits:
        left, top = corners[hit.foil, hit.slide]
        laid_out.append((left + hit.x, top + hit.y))
    frames = [(foil, slide, left, top, width, height) for (foil, slide), (left, top) in corners.items()]
    return _Map(laid_out, "frames", sorted(frames, key=lambda each: (by_number(each[0]), by_number(each[1]))))


def _short(value: float) -> float | int:
    return int(value) if value == int(value) else round(value, 2)
