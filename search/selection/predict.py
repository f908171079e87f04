"""Predict: score the pits of a data set with a bundle, and write them down.

Needs no study and no labels. Where there are labels, also says how well it did on pits that the search never saw.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from foils import DataError, Dataset, load
from foils.atomic_write import write_whole
from foils.description import BITS, Channel, Description
from foils.pit import Pit
from foils.plain_folder import is_plain, load_plain
from models.inference.bundle import Bundle
from models.inference.image_check import ImageKind, check_kind
from models.metrics import Flags, Floats, Score, score
from pitsearch.csv_text import csv_text
from pitsearch.errors import reason
from search.statistics.fitted import accepted_and_rejected
from search.statistics.intervals import Share
from search.text import counted


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
    # The number of pits that the search and the training saw, or whose plastic they saw; None where the bundle does not tell.
    seen: int | None
    # Of `unseen`, with the intervals that `select` gives held-out pits; None where that is.
    acceptance: Share | None = None
    rejection: Share | None = None
    # The pits that have no crop, and so no score.
    left_out: tuple[Pit, ...] = ()
    # What could not be checked.
    notes: tuple[str, ...] = ()

    def __repr__(self) -> str:
        return f"Prediction({self.data.description.name}: {len(self.data)} pits, {int(self.accepted.sum())} accepted as signal)"

    def remarks(self) -> list[str]:
        """Say how good the scores are, as far as labels tell."""
        lines = []
        if self.seen is None:
            lines.append(
                "the bundle does not tell which pits the search saw: how good these scores are is not known; select again"
            )
        lines += self.data.notes
        if self.left_out:
            lines.append(f"{counted(len(self.left_out), 'pit')} left out: the rows have no score")
        if self.seen:
            lines.append(
                f"{self.seen} of these pits are those that the search and the training saw, or share plastic with one: their "
                "scores flatter the model"
            )
        if self.unseen is not None:
            total = self.unseen
            lines.append(
                f"on {total.signals} signal and {total.backgrounds} background pits that it never saw: AUC {total.auc:.4f}, "
                f"acceptance {self.acceptance}, rejection {self.rejection}"
            )
        return [*lines, *self.notes]


def predict(bundle: Bundle, data: Dataset | str | Path, *, slides: Sequence[str] = ()) -> Prediction:
    """Score every pit, or those on some slides (`24`, or `foil:24`).

    `data`: a data set, its folder, or a folder of nothing but images, `{pit}_{channel}.png`, or `{pit}.tif` with all channels.
    Raises BundleError where the data's channels, crops, bit depth, pixel size or signal label are not those that the model was
    made for, DataError for an unknown slide.
    """
    data = data if isinstance(data, Dataset) else _load(bundle, Path(data))
    _check_fits(bundle, data)
    unseen, told = _unseen(bundle, data)
    left_out = data.left_out
    if slides:
        chosen = data.on_slides(slides)
        data, unseen = data.take(chosen), unseen[chosen]
        on_them = {(pit.foil, pit.slide) for pit in data.pits}
        left_out = tuple(pit for pit in left_out if (pit.foil, pit.slide) in on_them)
    scores = bundle.ensemble.scores(data.crops())
    accepted = scores >= bundle.threshold
    is_signal, is_scored = _question(bundle, data)
    counted = unseen & is_scored & (data.labels != "")
    both = is_signal[counted].any() and not is_signal[counted].all()
    total = score(scores[counted], is_signal[counted], threshold=bundle.threshold) if both else None
    shares: tuple[Share | None, Share | None] = (None, None)
    if both:
        fixed_by = (bundle.about.get("metrics") or {}).get("threshold_backgrounds", 0)
        scored = accepted[counted], is_signal[counted], data.groups[counted]
        shares = accepted_and_rejected(*scored, fixed_by, bundle.working_point)
    seen = int((~unseen).sum()) if told else None
    return Prediction(data, scores, accepted, total, seen, *shares, left_out, _unchecked(bundle, data))


def _load(bundle: Bundle, folder: Path) -> Dataset:
    """Load pits that are only to be scored. Of images alone the model says what they are."""
    if not is_plain(folder):
        return load(folder, labelled=False)
    ensemble = bundle.ensemble
    signal = ensemble.config.labelling.rule.positive or (bundle.source.signal if bundle.source else "signal")
    lights = tuple(Channel(light.name, light.kind, light.azimuth_deg) for light in ensemble.lights)
    bits = ensemble.full_scale.bit_length()
    images = Description(folder.name, signal, "", ensemble.size, lights, bits=bits if bits in BITS else None)
    return load_plain(folder, images)


def _unseen(bundle: Bundle, data: Dataset) -> tuple[Flags, bool]:
    """Say which pits neither the search nor the training saw, `[pits]`, and whether the bundle tells.

    A pit that was seen is known by its pixels, whatever it and its data set are called now. What shares plastic with one that
    was seen, on whichever slide, was seen. Bundles of version 0.1.0 name no pixels: they tell for unchanged data alone.
    """
    searched = bundle.about.get("searched_pixels")
    if searched is None:
        known = data.fingerprint == bundle.about.get("fingerprint")
        held_out = set(bundle.about.get("held_out_pits", ()))
        return np.array([known and pit.pit in held_out for pit in data.pits]), known
    seen = np.isin(data.pixel_hashes, list(searched))
    return ~np.isin(data.groups, data.groups[seen]), True


def _question(bundle: Bundle, data: Dataset) -> tuple[Flags, Flags]:
    """Say which pits are signal and which are scored by the model's labelling scheme, `[pits]` each."""
    rule = bundle.ensemble.config.labelling.rule
    if rule.positive in (None, data.description.signal):
        return data.is_signal, data.is_scored
    return data.labels == rule.positive, np.isin(data.labels, list(rule.needs))


def write_scores(prediction: Prediction, path: Path) -> None:
    """Write `pit,p_signal,accepted,foil,slide,x,y` lines, at the end those of pits without a score.

    x and y are empty where the data give no places.

    Raises DataError where the file cannot be written.
    """
    scored = zip(prediction.data.pits, prediction.p_signal, prediction.accepted, strict=True)
    rows = [[pit.pit, f"{chance:.6f}", int(accepted), *_place(pit)] for pit, chance, accepted in scored]
    rows += [[pit.pit, "", "", *_place(pit)] for pit in prediction.left_out]
    text = csv_text(["pit", "p_signal", "accepted", "foil", "slide", "x", "y"], rows)
    try:
        write_whole(path, lambda stream: stream.write(text.encode()))
    except OSError as error:
        raise DataError(f"{path}: the scores must be writable, but: {reason(error)}; choose another --out.") from None


def _place(pit: Pit) -> list[str]:
    return [pit.foil, pit.slide, *("" if number is None else f"{number:.10g}" for number in (pit.x, pit.y))]


def _unchecked(bundle: Bundle, data: Dataset) -> tuple[str, ...]:
    made = None if bundle.source is None else bundle.source.pixel_um
    if made is None or data.description.crop_pixel_um is not None:
        return ()
    return (
        f"the data do not say the size of their pixels; the model was made for {made:g} micrometres (`pixel_um` in foil.toml)",
    )


def _check_fits(bundle: Bundle, data: Dataset) -> None:
    about = data.description
    kind = ImageKind(str(data.folder), about.channels, about.crop, data.full_scale, about.crop_pixel_um, about.signal)
    check_kind(bundle.ensemble, bundle.source, kind)
