"""Write the queue: hits worth labelling, as a data-set folder without labels, with the gallery to label them in.

Knows nothing of how hits are chosen, nor of what becomes of the labels.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from foils.dataset import Dataset
from foils.description import BITS, Channel, Description
from foils.errors import DataError
from foils.folder_writer import WrittenPit, check_new, write_folder
from foils.pit import Pit
from models.inference.bundle import Bundle
from scan.choosing import Choice, choose
from scan.errors import ScanError
from scan.gallery import EDGE, Answers, Gallery, write_gallery
from scan.hit_crops import CropOrder, frames_of, order_by_frame
from scan.hits import Hit, read_hits

PAGE = "hits.html"
# Hits whose crops are compared, which takes 1 GB of memory under ten lights; of more, those with the highest scores.
MOST_HITS = 10_000


@dataclass(frozen=True)
class Queue:
    """What was written."""

    folder: Path
    # Why each hit was chosen, and how many for that.
    counts: dict[str, int]
    # Of the list of hits.
    hits: int
    # The hits that were not looked at, for they are so many.
    passed_over: int


def write_queue(
    bundle: Bundle,
    hits_file: str | Path,
    folder: str | Path,
    count: int,
    *,
    frames: Path | None = None,
    seen: Dataset | None = None,
    background: str = "misc",
) -> Queue:
    """Choose hits and write them into a new data-set folder, with an empty column `label`, and the page to label them.

    `frames`: the folder of frames, where it is not the one that the scan names; `seen`: the labelled data so far; `background`:
    the label that the page's key `n` gives. Raises ScanError or DataError, with nothing written, where something does not fit.
    """
    folder, hits_file = Path(folder), Path(hits_file)
    check_new(folder)
    hits = sorted(read_hits(hits_file), key=lambda hit: -hit.p_signal)
    if not hits:
        raise ScanError(f"{hits_file}: at least one hit is needed, but got none; scan with a lower threshold.")
    lights, edge = bundle.ensemble.lights, bundle.ensemble.size
    channels = tuple(Channel(light.name, light.kind, light.azimuth_deg) for light in lights)
    names = [light.name for light in lights]
    _check_seen(seen, channels, edge)
    hits = _elsewhere(hits, seen, edge / 2)
    if not hits:
        raise ScanError(f"{hits_file}: at least one hit must be new, but the data hold all; scan other frames.")
    ordered = order_by_frame(hits[:MOST_HITS], frames or frames_of(hits_file), names)
    crops = np.concatenate(list(ordered.crops(len(names), edge)))
    choices = choose(ordered.hits, crops, channels, count, None if seen is None else seen.crops())
    signal = bundle.source.signal if bundle.source else (seen.description.signal if seen else "candidate")
    source_um = None if bundle.source is None else bundle.source.pixel_um
    bits = bundle.ensemble.full_scale.bit_length()
    description = Description(
        folder.resolve().name, signal, "", edge, channels, pixel_um=source_um, bits=bits if bits in BITS and bits < 16 else None
    )
    chosen = [ordered.hits[choice.index] for choice in choices]
    pits = [
        WrittenPit(_pit(hit.hit, hit.foil, hit.slide, hit.x, hit.y, choice, hit.p_signal, hit.spread), crops[choice.index])
        for hit, choice in zip(chosen, choices, strict=True)
    ]
    why = tuple((hit.hit, choice.why) for hit, choice in zip(chosen, choices, strict=True))
    answers = Answers(signal, background, further=_further(seen, signal, background))
    shown = CropOrder.of(chosen, list(ordered.frames.values()))
    gallery = Gallery(f"{folder.resolve().name}: hits to label", tuple(names), answers, folder.resolve().name, why=why)

    def add_gallery(unfinished: Path) -> None:
        write_gallery(unfinished / PAGE, shown.hits, shown.crops(len(names), EDGE), gallery)

    write_folder(folder, description, pits, finish=add_gallery)
    return Queue(folder, dict(Counter(choice.why for choice in choices)), len(hits), max(len(hits) - MOST_HITS, 0))


def _pit(name: str, foil: str, slide: str, x: float, y: float, choice: Choice, p_signal: float, spread: float) -> Pit:
    further = (("why", choice.why), ("p_signal", f"{p_signal:.6f}"), ("spread", f"{spread:.6f}"))
    return Pit(name, "", foil, slide, x, y, "", further)


def _further(seen: Dataset | None, signal: str, background: str) -> tuple[str, ...]:
    """Give the labels of the data that no key has yet."""
    labels: Sequence[str] = () if seen is None else seen.description.labels or tuple(sorted(set(seen.labels.tolist())))
    return tuple(label for label in labels if label not in (signal, background, "maybe"))


def _elsewhere(hits: Sequence[Hit], seen: Dataset | None, size: float) -> list[Hit]:
    """Leave out the hits at the places of pits that have labels."""
    places: dict[tuple[str, str], list[tuple[float, float]]] = defaultdict(list)
    for pit in seen.pits if seen else ():
        if pit.x is not None and pit.y is not None:
            places[pit.foil, pit.slide].append((pit.x, pit.y))
    return [
        hit for hit in hits if all(math.hypot(hit.x - x, hit.y - y) >= size for x, y in places.get((hit.foil, hit.slide), ()))
    ]


def _check_seen(seen: Dataset | None, channels: Sequence[Channel], edge: int) -> None:
    if seen is None:
        return
    about = seen.description
    if about.channels != tuple(channels) or about.crop != edge:
        raise DataError(
            f"{seen.folder}: the labelled data must have the lights and the crop of the model ({len(channels)} lights, {edge} "
            f"pixels), but got {len(about.channels)} lights, {about.crop} pixels; give the data that it was made from."
        )
