"""Open the held-out set, and remember how often that was done.

The first opening is honest: nothing was chosen by these pits before. Every further model that is scored on them was chosen by
someone who had seen an earlier reading, and its reading is numbered. A reading is kept, so that seeing it again opens nothing.
That the set is opened is written down before it is. Knows nothing of how a model was selected.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import optuna

from foils import Dataset
from models.inference.ensemble import Ensemble
from models.metrics import score
from search.statistics.bootstrap import grouped_wilson
from search.statistics.intervals import Share
from search.text import counted

OPENINGS = "pitsearch:openings"


@dataclass(frozen=True)
class OperatingPoint:
    """Acceptance and rejection on the held-out set, at the threshold that a working point gave out of fold."""

    working_point: float
    threshold: float
    acceptance: Share
    rejection: Share


@dataclass(frozen=True)
class HeldOut:
    """What a reading of the held-out set showed."""

    signals: int
    backgrounds: int
    auc: float
    points: tuple[OperatingPoint, ...]


@dataclass(frozen=True)
class ModelKey:
    """What is read: a trial, what was made of it (`final`), of so many confirmations."""

    trial: int
    final: str
    repeats: int


@dataclass(frozen=True)
class Opening:
    """A reading: the `number`-th time that the set was opened, from 1, of `openings` so far."""

    number: int
    openings: int
    model: ModelKey
    held_out: HeldOut

    @property
    def honest(self) -> bool:
        """Tell whether nothing had been seen of the set before."""
        return self.number == 1


def open_held_out(
    study: optuna.Study, model: ModelKey, ensemble: Ensemble, locked: Dataset, thresholds: Mapping[float, float]
) -> Opening:
    """Read the held-out pits with a model, or give what an earlier reading of the same model showed.

    `locked`: the held-out pits; `thresholds`: by working point, fixed before.
    """
    before = recall(study, model)
    if before is not None:
        return before
    openings = [*study.user_attrs.get(OPENINGS, []), {"model": asdict(model), "held_out": None}]
    study.set_user_attr(OPENINGS, openings)
    found = read(ensemble, locked, thresholds)
    openings[-1]["held_out"] = asdict(found)
    study.set_user_attr(OPENINGS, openings)
    return Opening(len(openings), len(openings), model, found)


def recall(study: optuna.Study, model: ModelKey) -> Opening | None:
    """Give the first reading of a model again; None where it was never read."""
    openings: list[dict[str, Any]] = study.user_attrs.get(OPENINGS, [])
    for number, opening in enumerate(openings, start=1):
        if opening["model"] == asdict(model) and opening["held_out"] is not None:
            return Opening(number, len(openings), model, _remembered(opening["held_out"]))
    return None


def read(ensemble: Ensemble, locked: Dataset, thresholds: Mapping[float, float]) -> HeldOut:
    """Score pits once, at thresholds fixed before; intervals are over groups of pits."""
    scores, is_signal = ensemble.scores(locked.crops())[locked.is_scored], locked.is_signal[locked.is_scored]
    groups, points = locked.groups[locked.is_scored], []
    for rate, threshold in thresholds.items():
        found, passed = score(scores, is_signal, threshold=threshold), scores >= threshold
        acceptance = grouped_wilson(passed[is_signal], groups[is_signal])
        points.append(OperatingPoint(rate, threshold, acceptance, grouped_wilson(~passed[~is_signal], groups[~is_signal])))
    return HeldOut(found.signals, found.backgrounds, found.auc, tuple(points))


def _remembered(look: Mapping[str, Any]) -> HeldOut:
    points = tuple(
        OperatingPoint(**{**point, "acceptance": Share(**point["acceptance"]), "rejection": Share(**point["rejection"])})
        for point in look["points"]
    )
    return HeldOut(**{**look, "points": points})


def reading(opening: Opening) -> str:
    """Say which reading of the held-out set this is."""
    if opening.honest:
        later = opening.openings - 1
        return "opened for the first time" + (f" ({counted(later, 'later reading')} since)" if later else "")
    return f"reading {opening.number} of {opening.openings}, not the first"
