"""Decide on the threshold of a scan, and on the false hits to expect at it, from what the user gives to tell them from.

Clean frames show what a model accepts where there is no signal. Without them, the background pits that the model was scored on
tell it, for a known number of such pits on a square centimetre.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from models.inference.bundle import Bundle
from pitsearch.errors import reason
from pitsearch.regular_file import read_regular
from scan.errors import ScanError
from scan.false_hits import FalseHits, Floats, from_background, from_clean, threshold_for
from scan.record import FrameResult

# The scores of the pits that the model was made from, beside its weights.
SCORES, MOST_BYTES = "scores.csv", 2**28


@dataclass(frozen=True)
class ExpectedOptions:
    """What false hits are told from, and how many are allowed."""

    # A folder of frames that hold no signal.
    clean: Path | None = None
    # Background pits on a square centimetre of foil.
    background_per_cm2: float | None = None
    # False hits on a square centimetre that the threshold is to allow; None: the threshold is the model's.
    per_cm2: float | None = None

    def check(self) -> None:
        """Raise ScanError where they do not go together."""
        if self.clean is not None and self.background_per_cm2 is not None:
            raise ScanError(
                "false hits are told from clean frames or from a background rate, but got both; leave one of --clean and "
                "--background-per-cm2 out."
            )
        if self.per_cm2 is not None and self.clean is None and self.background_per_cm2 is None:
            raise ScanError(
                "--per-cm2 needs an estimate of false hits, but got none; add --clean FRAMES, or --background-per-cm2 NUMBER."
            )


def expect(
    options: ExpectedOptions, bundle: Bundle, place: Path, clean: Sequence[FrameResult] | None, area: float | None, least: float
) -> tuple[float, FalseHits | None]:
    """Give the threshold and the false hits to expect at it; None where nothing tells.

    `place`: of the bundle; `clean`: the clean frames; `area`: theirs, in square centimetres; `least`: the least P(signal) of
    the hits that were kept. Raises ScanError where what is asked for cannot be told.
    """
    if clean is not None:
        if not area:
            raise ScanError(
                "false hits on a square centimetre need the size of a pixel and a clean frame that can be read, but got none; "
                "add --pixel-um, or correct --clean."
            )
        parts = [result.detections.p_signal for result in clean if result.detections is not None]
        scores: Floats = np.concatenate(parts).astype(np.float64)
        threshold = bundle.threshold
        if options.per_cm2 is not None:
            threshold = max(threshold_for(scores, options.per_cm2 * area), least)
        return threshold, from_clean(scores, threshold, area)
    if options.background_per_cm2 is None:
        return bundle.threshold, None
    scores = _background(place)
    threshold = bundle.threshold
    if options.per_cm2 is not None:
        allowed = options.per_cm2 / options.background_per_cm2 * len(scores)
        threshold = max(threshold_for(scores, allowed), least)
    return threshold, from_background(scores, threshold, options.background_per_cm2)


def _background(place: Path) -> Floats:
    """Read P(signal) of the background pits that the model was scored on, never those that trained it."""
    path = (place if place.is_dir() else place.parent) / SCORES
    try:
        rows = list(csv.DictReader(io.StringIO(read_regular(path, MOST_BYTES).decode(), newline="")))
        scores = [float(row["p_signal"]) for row in rows if row["role"] == "background" and row["p_signal"]]
        if not all(0 <= score <= 1 for score in scores):
            raise ValueError("`p_signal` must be from 0 to 1, and one is not")
    except (OSError, ValueError, KeyError, csv.Error) as error:
        raise ScanError(
            f"{path}: a background rate needs the scores of the model's own background pits, but: {reason(error)}; select and "
            "export again, or give clean frames with --clean."
        ) from None
    if not scores:
        raise ScanError(f"{path}: the scores must be of background pits, too, but there are none; give clean frames.")
    return np.array(scores)
