"""Look at one frame in a worker process: read it, find its objects, and write its heat map where that is asked for.

Knows nothing of a scan's folder.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import tifffile

from foils.atomic_write import write_whole
from foils.errors import DataError
from foils.frames import Frame, read_frame
from foils.open_image import Grey
from models.inference.bundle import Bundle, read_bundle
from models.process import one_thread
from pitsearch.errors import reason
from scan.detect import Detector
from scan.errors import ScanError
from scan.heat_map import HeatMap
from scan.record import FrameResult, state_of


@dataclass(frozen=True)
class Look:
    """What is done to every frame."""

    # The bundle's folder or graph, which each process reads once.
    bundle: Path
    # The least P(signal) of a hit that is kept.
    least: float
    # By how much frames are shrunk.
    scales: tuple[float, ...]
    # Where heat maps go; None for none.
    heat: Path | None = None
    # The edge of a frame's pixel in micrometres, where it is known.
    pixel_um: float | None = None

    def __call__(self, frame: Frame) -> FrameResult:
        """Find the objects of a frame; what is wrong with it is part of the result."""
        detector = _detector(self.bundle, self.least, self.scales, self.heat is not None)
        state = state_of(frame)  # before it is read: what is written to it meanwhile counts as changed
        try:
            pixels = read_frame(frame, len(detector.bundle.ensemble.lights))
            _check_depth(pixels, frame, detector.bundle)
        except DataError as error:
            return FrameResult(frame, None, fault=error.faults[0])
        with one_thread():
            detections, heat = detector.detect(pixels)
        if self.heat is not None and heat is not None:
            _write_heat(self.heat / f"{frame.foil}_s{frame.slide}.tif", heat, self.scales[0], self.pixel_um)
        return FrameResult(frame, detections, pixels.shape[2], pixels.shape[1], state=state)


@lru_cache(maxsize=2)
def _detector(bundle: Path, least: float, scales: tuple[float, ...], whole: bool) -> Detector:
    return Detector(read_bundle(bundle), least, scales, whole)


def _check_depth(pixels: Grey, frame: Frame, bundle: Bundle) -> None:
    """Raise DataError where pixels are not of the depth that the model was made for."""
    full_scale = bundle.ensemble.full_scale
    dtype = np.dtype(np.uint8 if full_scale <= np.iinfo(np.uint8).max else np.uint16)
    largest = int(pixels.max(initial=0))
    if pixels.dtype != dtype or largest > full_scale:
        got = f"{pixels.dtype} up to {largest}"
        raise DataError(
            f"{frame.files[0]}: a frame must have {dtype} values up to {full_scale}, as the model's data, but got {got}; use "
            "images of that many bits."
        )


def _write_heat(path: Path, heat: HeatMap, scale: float, pixel_um: float | None) -> None:
    """Write a heat map as TIFF, a page a member, float32, with the size of its pixels."""
    per_cm = None if pixel_um is None else 1e4 / (pixel_um * scale * heat.stride)
    size: dict[str, Any] = {} if per_cm is None else {"resolution": (per_cm, per_cm), "resolutionunit": "CENTIMETER"}
    encoded = io.BytesIO()
    tifffile.imwrite(encoded, heat.members, photometric="minisblack", **size)
    try:
        write_whole(path, lambda stream: stream.write(encoded.getbuffer()))
    except OSError as error:
        raise ScanError(f"{path}: a heat map must be writable, but: {reason(error)}; make room.") from None
