"""Cut the crops of hits out of their frames again, frame by frame; and read what a scan wrote beside its hits.

Knows nothing of models or pages.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

import numpy as np

from foils.frames import Frame, by_number, cut_crops, list_frames, read_frame
from foils.open_image import Grey
from foils.resize import resized
from pitsearch.errors import reason
from scan.errors import ScanError
from scan.hits import Hit
from scan.settings import SETTINGS, parse_settings


@dataclass(frozen=True)
class CropOrder:
    """Hits in the order of their frames, each with its frame."""

    hits: tuple[Hit, ...]
    frames: Mapping[tuple[str, str], Frame]

    @classmethod
    def of(cls, hits: Sequence[Hit], frames: Sequence[Frame]) -> CropOrder:
        """Put hits into the order of their frames, which are all there."""
        ordered = sorted(hits, key=lambda hit: (by_number(hit.foil), by_number(hit.slide)))
        return cls(tuple(ordered), {_key(frame): frame for frame in frames})

    def crops(self, channels: int, edge: int) -> Iterator[Grey]:
        """Cut crops `[hits, channels, edge, edge]` in this order, those of a frame at a time; each frame is read once."""
        for key, group in groupby(self.hits, key=_key):
            hits = list(group)
            pixels = read_frame(self.frames[key], channels)
            height, width = pixels.shape[1:]
            for hit in hits:
                if not (-0.5 <= hit.x < width and -0.5 <= hit.y < height):
                    raise ScanError(
                        f"a hit must lie on its frame of {width} x {height}, but got {hit.hit} at ({hit.x:g}, {hit.y:g}) of "
                        f"{self.frames[key].name}; give the frames that were scanned."
                    )
            yield cut_hits(pixels, hits, edge)


def cut_hits(pixels: Grey, hits: Sequence[Hit], edge: int) -> Grey:
    """Cut crops `[hits, channels, edge, edge]` of a frame, each of the frame as it was shrunk when the hit was found."""
    crops = np.empty((len(hits), len(pixels), edge, edge), pixels.dtype)
    for scale in {hit.scale for hit in hits}:
        found = [number for number, hit in enumerate(hits) if hit.scale == scale]
        window = round(edge * scale)
        cut = cut_crops(pixels, [(hits[number].x, hits[number].y) for number in found], window)
        crops[found] = cut if window == edge else resized(cut, edge)
    return crops


def order_by_frame(hits: Sequence[Hit], folder: Path, channels: Sequence[str]) -> CropOrder:
    """Find the frames of hits. Raises ScanError where one is not in the folder, DataError where the folder has no frames."""
    frames, faults = list_frames(folder, channels)
    names = {_key(frame) for frame in frames}
    lost = next((hit for hit in hits if _key(hit) not in names), None)
    if lost is not None:
        raise ScanError(
            f"{folder}: the frames of all hits must be there, but {lost.foil}:{lost.slide} of {lost.hit} is not"
            f"{f' ({faults[0]})' if faults else ''}; give --frames."
        )
    return CropOrder.of(hits, frames)


def frames_of(hits_file: Path) -> Path:
    """Give the folder of frames that a scan names beside its hits. Raises ScanError where it names none."""
    path = hits_file.parent / SETTINGS
    try:
        folder = parse_settings(path)["frames_folder"]
        if not isinstance(folder, str) or not folder:
            raise ValueError("`frames_folder` must be a path")
    except (OSError, ValueError, KeyError) as error:
        raise ScanError(
            f"{path}: the folder of the hits' frames must be named there, but: {reason(error)}; give --frames."
        ) from None
    return Path(folder)


def _key(placed: Hit | Frame) -> tuple[str, str]:
    return placed.foil, placed.slide
