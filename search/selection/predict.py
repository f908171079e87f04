"""Predict: score the pits of a data set with a bundle, and write them down.

Needs no study and no labels. Where there are labels, also says how well it did on pits that the search never saw.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from foils import DataError, Dataset
from foils.atomic_write import write_whole
from models.inference.bundle import Bundle
from models.inference.image_check import ImageKind, check_kind
from models.metrics import Flags, Floats, Score, score
from search.statistics.intervals import wilson


@dataclass(frozen=True)
class Prediction:
    """Scored pits."""

    data: Dataset
    # P(signal), `[pits]`.
    p_signal: Floats
    # Whether it reaches the bundle's threshold, `[pits]`.
    accepted: Flags
    # Over labelled pits that the search never saw; None where there are not both signal and background among them.
    unseen: Score | None
    # The number of pits that the search and the training saw.
    seen: int
    # What could not be checked.
    notes: tuple[str, ...] = ()

    def remarks(self) -> list[str]:
        """Say how good the scores are, as far as labels tell."""
        lines = []
        if self.seen:
            lines.append(
                f"{self.seen} of these pits are those that the search and the training saw: their scores flatter the model"
            )
        if self.unseen is not None:
            total = self.unseen
            lines.append(
                f"on {total.signals} signal and {total.backgrounds} background pits that it never saw: AUC {total.auc:.4f}, "
                f"acceptance {wilson(total.accepted, total.signals)}, rejection {wilson(total.rejected, total.backgrounds)}"
            )
        return [*lines, *self.notes]


def predict(bundle: Bundle, data: Dataset, *, slides: Sequence[str] = ()) -> Prediction:
    """Score every pit, or those on some slides (`24`, or `foil:24`).

    Raises BundleError where the data's channels, crops, bit depth, pixel size or signal label are not those that the model was
    made for, DataError for an unknown slide.
    """
    _check_fits(bundle, data)
    if slides:
        data = data.take(data.on_slides(slides))
    scores = bundle.ensemble.scores(data.crops())
    accepted = scores >= bundle.threshold
    trained_here = data.fingerprint == bundle.about.get("fingerprint")
    held_out = set(bundle.about.get("held_out_pits", ()))
    unseen = np.array([not trained_here or pit.pit in held_out for pit in data.pits])
    is_signal, is_scored = _question(bundle, data)
    counted = unseen & is_scored & (data.labels != "")
    both = is_signal[counted].any() and not is_signal[counted].all()
    total = score(scores[counted], is_signal[counted], threshold=bundle.threshold) if both else None
    return Prediction(data, scores, accepted, total, int((~unseen).sum()), _unchecked(bundle, data))


def _question(bundle: Bundle, data: Dataset) -> tuple[Flags, Flags]:
    """Say which pits are signal and which are scored by the model's labelling scheme, `[pits]` each."""
    rule = bundle.ensemble.config.labelling.rule
    if rule.positive in (None, data.description.signal):
        return data.is_signal, data.is_scored
    return data.labels == rule.positive, np.isin(data.labels, list(rule.needs))


def write_scores(prediction: Prediction, path: Path) -> None:
    """Write `pit,p_signal,accepted,foil,slide,x,y` lines; x and y are empty where the data give no places.

    Raises DataError where the file cannot be written.
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["pit", "p_signal", "accepted", "foil", "slide", "x", "y"])
    for pit, chance, accepted in zip(prediction.data.pits, prediction.p_signal, prediction.accepted, strict=True):
        place = ["" if number is None else f"{number:.10g}" for number in (pit.x, pit.y)]
        writer.writerow([pit.pit, f"{chance:.6f}", int(accepted), pit.foil, pit.slide, *place])
    try:
        write_whole(path, lambda stream: stream.write(text.getvalue().encode()))
    except OSError as error:
        raise DataError(f"{path}: the scores must be writable, but: {error.strerror}; choose another --out.") from None


def _unchecked(bundle: Bundle, data: Dataset) -> tuple[str, ...]:
    made = None if bundle.source is None else bundle.source.pixel_um
    if made is None or data.description.pixel_um is not None:
        return ()
    return (
        f"the data do not say the size of their pixels; the model was made for {made:g} micrometres (`pixel_um` in foil.toml)",
    )


def _check_fits(bundle: Bundle, data: Dataset) -> None:
    about = data.description
    kind = ImageKind(str(data.folder), about.channels, about.crop, data.full_scale, about.pixel_um, about.signal)
    check_kind(bundle.ensemble, bundle.source, kind)
