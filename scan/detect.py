"""Find and score the objects on one frame: look where the networks or blobs say, and score crops there as `predict` does.

Knows nothing of folders, or of where frames lie on the foil.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from foils.frames import cut_crops, is_within
from foils.open_image import Grey
from foils.resize import resized, scaled
from models.inference.bundle import Bundle
from models.inference.dense import DenseScorer, is_dense
from models.inference.graph import Graph
from models.inference.scorer import Scorer, score_crops
from models.metrics import Floats
from scan.blobs import blobs
from scan.heat_map import HeatMap, heat_map
from scan.maxima import maxima, most_probable

# The map is looked at from this share of what is asked of a crop on: at the edge of a crop its values are not the network's.
SHARE = 0.4
# So many members say where to look; all of them score what is found.
LOOKING = 2
# Digits of P(signal) and of spreads.
DIGITS = 7
# Hits closer than this share of a crop's edge are one: 12 of 28 pixels, about a pit's width.
APART = 3 / 7


@dataclass(frozen=True)
class Detections:
    """The objects on a frame, the most probable first."""

    # Pixels of the frame, `[objects]` each.
    x: Floats
    y: Floats
    p_signal: Floats
    # The number of the most probable class, `[objects]`.
    classes: npt.NDArray[np.int64]
    # The standard deviation of the members' P(signal), `[objects]`.
    spread: Floats
    # By how much the frame was shrunk, `[objects]`.
    scale: Floats


@dataclass(frozen=True)
class Detector:
    """A model that looks at frames."""

    bundle: Bundle
    # The least P(signal) of a hit that is kept.
    least: float
    # By how much a frame is shrunk before it is looked at; each is looked at in turn.
    scales: tuple[float, ...] = (1.0,)
    # Whether the maps of all members are wanted, and not only as many as say where to look.
    whole: bool = False

    @cached_property
    def dense(self) -> DenseScorer | None:
        """The fully convolutional networks; None where blobs are looked for."""
        ensemble = self.bundle.ensemble
        if not is_dense(ensemble):
            return None
        return DenseScorer(ensemble, None if self.whole else LOOKING)

    @cached_property
    def _scorer(self) -> Any:
        ensemble = self.bundle.ensemble
        return ensemble if isinstance(ensemble, Graph) else Scorer(ensemble)

    def detect(self, pixels: Grey) -> tuple[Detections, HeatMap | None]:
        """Find the objects on a frame `[channels, y, x]`, and give the map at the first scale where there is one."""
        parts, first = [], None
        for scale in self.scales:
            found, heat = self._at_scale(pixels, scale)
            first = heat if first is None else first
            parts.append(found)
        joined = join(parts)
        reach: Floats = APART * self.bundle.ensemble.size * joined.scale
        return _take(joined, most_probable(np.stack([joined.x, joined.y], 1), joined.p_signal, reach)), first

    def _at_scale(self, pixels: Grey, scale: float) -> tuple[Detections, HeatMap | None]:
        size, window = self.bundle.ensemble.size, round(self.bundle.ensemble.size * scale)
        shrunk = pixels if scale == 1.0 else scaled(pixels, 1 / scale)
        if min(shrunk.shape[1:]) < size:
            return _NOTHING, None
        heat = None if self.dense is None else heat_map(self.dense, shrunk)
        if heat is None:
            middles = [(column, row) for row, column in blobs(shrunk, self.bundle.ensemble.lights, size)]
        else:
            middles = [heat.place(row, column) for row, column in maxima(heat.mean, SHARE * self.least)]
        # Whole pixels, so that a hit is scored as it is written down.
        places = [(float(round(x * scale)), float(round(y * scale))) for x, y in middles]
        places = [place for place in dict.fromkeys(places) if is_within(*place, window, *pixels.shape[1:])]
        return self._scored(pixels, places, scale), heat

    def _scored(self, pixels: Grey, places: Sequence[tuple[float, float]], scale: float) -> Detections:
        """Score crops around places, and keep what is probable enough."""
        if not places:
            return _NOTHING
        size = self.bundle.ensemble.size
        crops = cut_crops(pixels, places, round(size * scale))
        crops = crops if scale == 1.0 else resized(crops, size)
        scorer = self._scorer
        p_signal, p_class, spread = scorer.outputs(crops) if isinstance(scorer, Graph) else score_crops(scorer, crops)
        x, y = np.array(places).T
        # Rounded as they are kept, so that a scan that goes on gives the same hits.
        p_signal, spread = np.round(p_signal, DIGITS), np.round(spread, DIGITS)
        found = Detections(x, y, p_signal, p_class.argmax(1), spread, np.full(len(places), scale))
        return _take(found, np.flatnonzero(p_signal >= self.least))


def join(parts: Sequence[Detections]) -> Detections:
    """Join the objects of several."""
    return Detections(**{name: np.concatenate([getattr(part, name) for part in parts]) for name in FIELDS})


def _take(found: Detections, chosen: npt.NDArray[np.int64]) -> Detections:
    return Detections(**{name: getattr(found, name)[chosen] for name in FIELDS})


FIELDS = tuple(field.name for field in fields(Detections))
_EMPTY: dict[str, Any] = {name: np.zeros(0, np.int64 if name == "classes" else np.float64) for name in FIELDS}
_NOTHING = Detections(**_EMPTY)
