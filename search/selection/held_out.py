"""Open the held-out set, and count every opening.

The first opening is honest: nothing was chosen by these pits before. Whoever chose a further model had seen an earlier reading,
so that its reading is numbered. A reading belongs to the hash of the model: the same model shows the recorded reading again and
opens nothing. An opening is recorded before the set is read, in the study and in the log beside the data, which all studies of
the data share. Knows nothing of how a model was selected.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from foils import Dataset
from foils.held_out_log import Opened
from models.metrics import Floats, score
from pitsearch.typed_values import brief
from search.errors import StudyError
from search.selection.json_values import from_json, to_json
from search.selection.selection_record import ModelKey
from search.statistics.fitted import accepted_and_rejected
from search.statistics.intervals import Share
from search.storage.attributes import add_attribute
from search.studies.lock import SeenBefore, record_opening
from search.studies.study import Study
from search.text import counted

if TYPE_CHECKING:  # a reading is shown again without torch
    from models.inference.ensemble import Ensemble

# The key of an opening is this and its number.
OPENING = "pitsearch:opening"
# The openings that version 0.1.0 recorded, one list without hashes; their numbers come first.
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
class OpeningRecord:
    """An opening as the study records it."""

    model: ModelKey
    # None while the set is read, and for good where that was cut short.
    held_out: HeldOut | None = None
    # Tells the opening from others of the same model.
    token: str = ""
    # What was seen of the set before by all studies of the data; None where the data's folder cannot be written to.
    before: SeenBefore | None = None
    # P(signal) of every held-out pit, `[pits]`; None while the set is read, and where an older version read it.
    scores: Floats | None = field(default=None, compare=False)


@dataclass(frozen=True)
class Opening:
    """A reading of the held-out set."""

    # From 1: the place of this opening among all openings of the set.
    number: int
    # Openings of the set so far, as far as this study knows.
    openings: int
    model: ModelKey
    held_out: HeldOut
    # Earlier openings by a model of the same trial whose hash was not recorded: it may have been this model, or not.
    unproven: tuple[int, ...] = ()
    # What was seen of the set before by all studies of the data; None where the study alone counts.
    before: SeenBefore | None = None
    # P(signal) of every held-out pit, `[pits]`; None where an older version read them.
    scores: Floats | None = field(default=None, compare=False, repr=False)

    @property
    def honest(self) -> bool:
        """Tell whether nothing had been seen of the set before."""
        return self.number == 1 and (self.before is None or not (self.before.searched or self.before.changed))


def open_held_out(
    study: Study,
    model: ModelKey,
    ensemble: Ensemble,
    locked: Dataset,
    thresholds: Mapping[float, float],
    backgrounds: int = 0,
) -> Opening:
    """Read the held-out pits with a model, or give what an earlier reading of the same model showed.

    `locked`: the held-out pits; `thresholds`: by working point, fixed before.
    """
    recalled = recall(study, model)
    if recalled is not None:
        return recalled
    token, pixels = secrets.token_hex(8), locked.pixel_hashes
    own = [
        Opened(study.uid, earlier.token or f"{study.uid}-{number}", earlier.model.sha256, pixels)
        for number, earlier in openings(study)
    ]
    before = record_opening(locked.folder, own, Opened(study.uid, token, model.sha256, pixels))
    record = OpeningRecord(model, token=token, before=before)
    key = add_attribute(study.backend, study.id, lambda attributes: _next_opening(attributes, record))
    scores = ensemble.scores(locked.crops())
    record = replace(record, held_out=read(scores, locked, thresholds, backgrounds), scores=scores)
    study.optuna.set_user_attr(key, to_json(record))
    return _opening(openings(study), int(key.rpartition(":")[2]))


def recall(study: Study, model: ModelKey) -> Opening | None:
    """Give the first reading of a model again; None where it was never read, or only by a record without a hash."""
    records = openings(study)
    for number, record in records:
        if model.sha256 and record.model.sha256 == model.sha256 and record.held_out is not None:
            return _opening(records, number)
    return None


def openings(study: Study) -> list[tuple[int, OpeningRecord]]:
    """Give every opening of a study's held-out set with its number, in order."""
    return _openings(study.optuna.user_attrs)


def read(scores: Floats, locked: Dataset, thresholds: Mapping[float, float], backgrounds: int = 0) -> HeldOut:
    """Say what pits show at thresholds fixed before; intervals are over groups of pits.

    `scores`: P(signal) of every pit, `[pits]`; `backgrounds`: pits that fixed the thresholds, whose chance the interval of
    acceptance counts; 0 where that is not known.
    """
    scores, is_signal = scores[locked.is_scored], locked.is_signal[locked.is_scored]
    groups, points = locked.groups[locked.is_scored], []
    for rate, threshold in thresholds.items():
        total, passed = score(scores, is_signal, threshold=threshold), scores >= threshold
        points.append(OperatingPoint(rate, threshold, *accepted_and_rejected(passed, is_signal, groups, backgrounds, rate)))
    return HeldOut(total.signals, total.backgrounds, total.auc, tuple(points))


def reading(opening: Opening) -> str:
    """Say which reading of the held-out set this is."""
    if opening.number == 1:
        later = opening.openings - 1
        return "opened for the first time" + (f" ({counted(later, 'later reading')} since)" if later else "")
    return f"reading {opening.number} of {opening.openings}, not the first"


def _openings(attributes: Mapping[str, Any]) -> list[tuple[int, OpeningRecord]]:
    listed = attributes.get(OPENINGS, [])
    if not isinstance(listed, list):
        raise StudyError(
            f"the attribute {OPENINGS!r} must be a list of openings, but is {brief(listed)}; choose another --study."
        )
    unhashed = [from_json(values, OpeningRecord, f"an opening in the attribute {OPENINGS!r}") for values in listed]
    hashed = {}
    for key, values in attributes.items():
        if not key.startswith(f"{OPENING}:"):
            continue
        number = key.removeprefix(f"{OPENING}:")
        if not re.fullmatch("[1-9][0-9]{0,8}", number):
            raise StudyError(
                f"the attribute {key[:60]!r} must end in the number of an opening, but does not; choose another --study."
            )
        hashed[int(number)] = from_json(values, OpeningRecord, f"the attribute {key!r}")
    return [*enumerate(unhashed, start=1), *sorted(hashed.items())]


def _next_opening(attributes: Mapping[str, Any], record: OpeningRecord) -> tuple[str, Any]:
    """Give the key of a new opening and its record; where it was written before and only the answer was lost, the same."""
    records = _openings(attributes)
    number = next((number for number, other in records if other.token == record.token), None)
    if number is None:
        number = 1 + max(len(records), *(number for number, _ in records), 0)
    return f"{OPENING}:{number}", to_json(record)


def _opening(records: Sequence[tuple[int, OpeningRecord]], number: int) -> Opening:
    record = next(record for other, record in reversed(records) if other == number)
    assert record.held_out is not None  # its caller has seen it
    same = replace(record.model, sha256="")
    places = {other: _place(other, earlier) for other, earlier in records}
    unproven = tuple(places[other] for other, earlier in records if other < number and earlier.model == same)
    total = max(len(records), *places.values())
    return Opening(places[number], total, record.model, record.held_out, unproven, record.before, record.scores)


def _place(number: int, record: OpeningRecord) -> int:
    """Give the place of an opening among all of the set: those of other studies count where the data's log has them."""
    return number if record.before is None else record.before.openings + 1
