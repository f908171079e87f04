"""Hold a list of hits against a list of true places: how many were found, how purely, how near, and at which scores.

Knows nothing of tables or figures.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from scan.errors import ScanError
from scan.intervals import Estimate, rate
from scan.match import ONE_TO_ONE, RADIUS, Links, Match, link, match
from scan.place_list import Places, PointList, comparable
from scan.settings import read_settings

# Points of a curve.
MOST_THRESHOLDS = 60
DISTANCES = 30
# The curve against distance goes so many times as far as the radius.
FARTHER = 2.0
# Of cm2, of pixels, of micrometres.
MOST = 1e9
# Two lists name one place where they agree to this, in pixels.
SAME = 0.5


@dataclass(frozen=True)
class CurvePoint:
    """Efficiency and purity at one score or distance."""

    at: float
    efficiency: Estimate | None
    purity: Estimate | None


@dataclass(frozen=True)
class Residuals:
    """Hit less true place, over the pairs, in pixels: means and standard deviations."""

    x_mean: float
    x_deviation: float
    y_mean: float
    y_deviation: float


@dataclass(frozen=True)
class Comparison:
    """What a list of hits is worth."""

    match: Match
    radius: float
    # Whether distances are on the foil; otherwise on frames.
    on_foil: bool
    # Hits that count, and those that were left out because the scan had not accepted them.
    hits: int
    not_accepted: int
    # False hits near a place that another hit found.
    second: int
    # False hits near a place of the full list that is none of the true places; None without a full list.
    fragments: int | None
    # False hits per cm2, and the area; None where it is not known.
    per_cm2: Estimate | None
    area_cm2: float | None
    # None without pairs.
    residuals: Residuals | None
    # Over all hits with a score, accepted or not; empty without scores.
    by_score: tuple[CurvePoint, ...]
    # Over the hits that count.
    by_distance: tuple[CurvePoint, ...]
    # The least score of a hit that counts.
    threshold: float | None


def compare(
    hits: Places,
    truth: Places,
    *,
    radius: float = RADIUS,
    rule: str = ONE_TO_ONE,
    full: Places | None = None,
    area_cm2: float | None = None,
    all_hits: bool = False,
) -> Comparison:
    """Match hits with true places. Raises ScanError where that is not possible.

    By default only hits that the scan accepted count. `full`: all places of the foil, of which `truth` are those in the region
    that is evaluated.
    """
    if area_cm2 is not None and not 0 < area_cm2 < 1e9:
        raise ScanError(f"an area must be above 0 cm2, but got {area_cm2:g}; correct --area-cm2.")
    lists = comparable(hits, truth, *([] if full is None else [full]))
    points, places = lists[0], lists[1]
    counts = np.ones(len(hits), np.bool_) if all_hits or hits.accepted is None else hits.accepted
    links = link(points, places, radius * FARTHER)
    near = links.within(radius)
    counted = near.of_hits(counts)
    matched = match(counted, rule)
    false = counts.copy()
    false[matched.pairs[:, 0] if rule == ONE_TO_ONE else near.hits] = False
    offsets = points.points[matched.pairs[:, 0]] - places.points[matched.pairs[:, 1]]
    return Comparison(
        matched,
        radius,
        places.on_foil,
        int(counts.sum()),
        int((~counts).sum()),
        int(false[np.unique(counted.hits)].sum()),
        None if full is None else _fragments(points.take(false), places, lists[2], radius),
        None if area_cm2 is None else rate(matched.false, area_cm2),
        area_cm2,
        Residuals(*_spread(offsets[:, 0]), *_spread(offsets[:, 1])) if len(offsets) else None,
        _by_score(near, hits, rule),
        tuple(
            _point(distance, links.within(distance).of_hits(counts), rule)
            for distance in np.linspace(0, radius * FARTHER, DISTANCES + 1)[1:].tolist()
        ),
        float(hits.scores[counts].min()) if hits.scores is not None and counts.any() else None,
    )


def read_area(hits: Path, slides: int | None = None) -> float | None:
    """Give the area in cm2 that a scan covered, from scan.json beside its hits; None where that is not known.

    `slides`: of so many of its frames. Raises ScanError for a file that is none of ours.
    """
    told = read_settings(hits if hits.is_dir() else hits.parent, "scan again, or remove it")
    if told is None:
        return None
    if slides is None:
        return _number(told, "area_cm2")
    width, height, pixel_um = (_number(told, key) for key in ("width", "height", "pixel_um"))
    if width is None or height is None or pixel_um is None:
        return None
    return slides * width * height * (pixel_um * 1e-4) ** 2


def _number(told: Mapping[str, Any], key: str) -> float | None:
    value: Any = told.get(key)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < MOST:
        return None
    return float(value)


def _fragments(false: PointList, places: PointList, full: PointList, radius: float) -> int:
    """Count the false hits near a place of the full list that is none of the true places."""
    if not len(full.points) or not len(false.points):
        return 0
    known = link(full, places, SAME).hits
    others = np.ones(len(full.points), np.bool_)
    others[known] = False
    return len(np.unique(link(false, full.take(others), radius).hits))


def _spread(offsets: Any) -> tuple[float, float]:
    return float(offsets.mean()), float(offsets.std())


def _by_score(near: Links, hits: Places, rule: str) -> tuple[CurvePoint, ...]:
    if hits.scores is None or not len(hits):
        return ()
    thresholds = np.unique(hits.scores)
    if len(thresholds) > MOST_THRESHOLDS:
        # Half of them with as many hits between two, half with as much score: most hits of a scan have a low one.
        shares = np.linspace(0, 1, MOST_THRESHOLDS // 2)
        by_count = np.quantile(thresholds, shares, method="nearest")
        evenly = thresholds[0] + shares * (thresholds[-1] - thresholds[0])
        by_value = thresholds[np.minimum(np.searchsorted(thresholds, evenly), len(thresholds) - 1)]
        thresholds = np.unique(np.concatenate([by_count, by_value]))
    return tuple(_point(float(least), near.of_hits(hits.scores >= least), rule) for least in thresholds)


def _point(at: float, links: Links, rule: str) -> CurvePoint:
    matched = match(links, rule)
    return CurvePoint(at, matched.efficiency, matched.purity)
