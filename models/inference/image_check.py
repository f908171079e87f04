"""Check that images are such as a model was made for: channels, crop size, depth, pixel size, and what is called signal.

Knows nothing of files, nor of how images are scored.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from models.errors import BundleError
from models.inference.bundle_schema import SourceData
from models.inference.ensemble import Ensemble
from models.inference.graph import Graph
from spaces.choices.channels import Light

# The share by which pixels may differ in size: a pit that is larger by more looks like another kind of pit.
PIXELS_DIFFER = 0.05


@dataclass(frozen=True)
class ImageKind:
    """What is known of images; None where that is not known, and then not checked."""

    # What they come from, for the error.
    where: str
    lights: Sequence[Light] | None = None
    # The edge of a crop in pixels.
    crop: int | None = None
    full_scale: int | None = None
    # The edge of a pixel, in micrometres.
    pixel_um: float | None = None
    # The label that they call signal.
    signal: str | None = None


def check_kind(ensemble: Ensemble | Graph, source: SourceData | None, images: ImageKind) -> None:
    """Raise BundleError where images are not such as a model was made for."""
    pairs: list[tuple[str, str, str | None]] = [
        ("channels", _lights(ensemble.lights), None if images.lights is None else _lights(images.lights)),
        ("crop size", str(ensemble.size), _text(images.crop)),
        ("full scale", str(ensemble.full_scale), _text(images.full_scale)),
    ]
    # A scheme that names its own signal asks the same of whatever data.
    if source is not None and ensemble.config.labelling.rule.positive is None:
        pairs.append(("signal label", source.signal, images.signal))
    made, got_um = None if source is None else source.pixel_um, images.pixel_um
    if made is not None and got_um is not None and not math.isclose(made, got_um, rel_tol=PIXELS_DIFFER):
        pairs.append(("pixel size in micrometres", f"{made:g}", f"{got_um:g}"))
    for what, wanted, got in pairs:
        if got is not None and wanted != got:
            raise BundleError(
                f"{images.where}: the data must have the {what} that the model was made for ({wanted}), but has ({got}); "
                "use images from the same set-up, or a model made for these."
            )


def check_crops(ensemble: Ensemble | Graph, crops: Any, channels: Sequence[str] | None) -> None:
    """Raise BundleError where an array is not `[pits, channels, y, x]` of the values that a model was made for."""
    dtype = np.dtype(np.uint8 if ensemble.full_scale <= np.iinfo(np.uint8).max else np.uint16)
    names = [light.name for light in ensemble.lights]
    wanted = (len(names), ensemble.size, ensemble.size)
    if not isinstance(crops, np.ndarray) or crops.ndim != 4 or crops.shape[1:] != wanted:
        got = [*crops.shape] if isinstance(crops, np.ndarray) else type(crops).__name__
        raise BundleError(
            f"crops must be an array [pits, {', '.join(map(str, wanted))}], for the channels {', '.join(names)}, but got "
            f"{got}; cut and order them as the model's data were."
        )
    if crops.dtype != dtype:
        raise BundleError(
            f"crops must be {dtype} as the microscope stored them, never scaled, but got {crops.dtype}; convert them to that."
        )
    if crops.size and int(crops.max()) > ensemble.full_scale:
        raise BundleError(
            f"crops must have values up to {ensemble.full_scale}, but got {int(crops.max())}; use images of that many bits."
        )
    if channels is not None and list(channels) != names:
        raise BundleError(
            f"the channels must be {', '.join(names)}, in that order, but got {', '.join(map(str, channels))}; order them so."
        )


def _text(value: int | None) -> str | None:
    return None if value is None else str(value)


def _lights(lights: Sequence[Light]) -> str:
    return ", ".join(f"{light.name} {light.kind} {light.azimuth_deg}" for light in lights)
