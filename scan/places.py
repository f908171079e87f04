"""Bring what was found on single frames together: each object once, with its place on the foil; and the area that was seen.

Knows nothing of how objects are found.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from foils.errors import DataError
from foils.frames import by_number
from foils.stage import Stage
from models.inference.bundle import Bundle
from scan.detect import APART, Detections, join
from scan.errors import ScanError
from scan.hits import Hit
from scan.maxima import Floats, most_probable
from scan.record import FrameResult

# Digits of a model's hash in a hit.
DIGITS = 12
UM2_PER_CM2 = 1e8
# Cells along a frame's edge, by which the area of frames that overlap is measured.
CELLS = 32


@dataclass(frozen=True)
class _Found:
    """The objects of all frames of a foil."""

    # The frame of each, `[objects]`, as its number among the results.
    frame: npt.NDArray[np.int64]
    detections: Detections
    # In the scan, in micrometres, `[objects, 2]`; None where the frames' positions are not known.
    on_scan: Floats | None


def check_placed(results: Sequence[FrameResult], stage: Stage) -> None:
    """Raise ScanError where frames cannot be placed: of several foils, of another size, or without a position."""
    foils = sorted({result.frame.foil for result in results})
    if len(foils) > 1:
        raise ScanError(
            f"positions are those of one foil, but got {', '.join(foils[:3])}; scan one foil at a time, or without them."
        )
    for result in results:
        if (result.width, result.height) != (stage.width, stage.height):
            raise ScanError(
                f"frames with positions must be {stage.width} x {stage.height} pixels each, as the first is, but "
                f"{result.frame.name} is {result.width} x {result.height}; scan without positions."
            )
        try:
            stage.on_scan(result.frame.slide, 0.0, 0.0)
        except DataError as error:
            raise ScanError(error.faults[0]) from None


def joined_hits(results: Sequence[FrameResult], bundle: Bundle, model: str, threshold: float, stage: Stage | None) -> list[Hit]:
    """Give the hits of all frames, foil by foil, the most probable first; where frames overlap, each object once."""
    by_foil: Mapping[str, list[FrameResult]] = defaultdict(list)
    for result in results:
        by_foil[result.frame.foil].append(result)
    classes = bundle.ensemble.config.labelling.classes
    hits: list[Hit] = []
    for foil in sorted(by_foil, key=by_number):
        there = by_foil[foil]
        found = _found(there, stage)
        objects = found.detections
        order = np.argsort(-objects.p_signal, kind="stable")
        if found.on_scan is not None and stage is not None:
            reach: Floats = APART * bundle.ensemble.size * objects.scale * stage.pixel_um
            order = most_probable(found.on_scan, objects.p_signal, reach)
        for number in order:
            slide, x, y = there[found.frame[number]].frame.slide, float(objects.x[number]), float(objects.y[number])
            nowhere = (None, None)
            scanned = nowhere if stage is None else stage.on_scan(slide, x, y)
            on_foil = nowhere if stage is None else stage.on_foil(slide, x, y)
            p_signal = float(objects.p_signal[number])
            hits.append(
                Hit(
                    hit=f"{foil}h{len(hits) + 1:06d}",
                    foil=foil,
                    slide=slide,
                    x=x,
                    y=y,
                    x_um=scanned[0],
                    y_um=scanned[1],
                    x_foil=on_foil[0],
                    y_foil=on_foil[1],
                    p_signal=p_signal,
                    class_name=classes[int(objects.classes[number])],
                    spread=float(objects.spread[number]),
                    accepted=p_signal >= threshold,
                    threshold=threshold,
                    model=model[:DIGITS],
                    scale=float(objects.scale[number]),
                )
            )
    return hits


def area_cm2(results: Sequence[FrameResult], pixel_um: float, stage: Stage | None) -> float:
    """Measure the foil that frames show, in square centimetres; where positions are known, what two show counts once."""
    if stage is None:
        return sum(result.width * result.height for result in results) * pixel_um**2 / UM2_PER_CM2
    cell = min(stage.width, stage.height) * pixel_um / CELLS
    edges = ((0, 0), (stage.width, stage.height))
    corners = np.array([[stage.on_scan(result.frame.slide, x, y) for x, y in edges] for result in results])
    if not len(corners):
        return 0.0
    places = np.sort(corners, 1)  # a flipped frame's left edge lies to the right
    places -= places.min((0, 1))
    cells = np.rint(places / cell).astype(int)
    if int(np.prod(cells.max((0, 1)))) > 10**9:
        raise ScanError(
            "frames must lie on one foil, but their positions are metres apart; correct the positions, or scan without them."
        )
    seen = np.zeros(cells.max((0, 1)), np.bool_)
    for (left, top), (right, bottom) in cells:
        seen[left:right, top:bottom] = True
    return float(seen.sum()) * cell**2 / UM2_PER_CM2


def _found(results: Sequence[FrameResult], stage: Stage | None) -> _Found:
    """Join the objects of frames."""
    parts = [result.detections for result in results if result.detections is not None]
    frame = np.repeat(np.arange(len(parts)), [len(part.x) for part in parts])
    joined = join(parts)
    if stage is None:
        return _Found(frame, joined, None)
    on_scan = [
        stage.on_scan(results[number].frame.slide, float(x), float(y))
        for number, x, y in zip(frame.tolist(), joined.x, joined.y, strict=True)
    ]
    return _Found(frame, joined, np.array(on_scan).reshape(-1, 2))
