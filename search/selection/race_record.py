"""What a study records of its last race, and of how its last selection judged the candidates, so that both can be shown again.

The scores of every repeat are recorded as confirmations; here is what was concluded from them. Knows nothing of training.
"""

from __future__ import annotations

from dataclasses import dataclass

from search.selection.json_values import from_json, to_json
from search.selection.slide_validation import SlideValidation
from search.statistics.intervals import Share
from search.studies.study import Study
from search.trials.reliability import Tally

# The key of the last race, and that of the last selection's candidates; versions before wrote none.
RACE, CANDIDATES = "pitsearch:race", "pitsearch:candidates"


@dataclass(frozen=True)
class RaceEntry:
    """A trial that entered a race."""

    trial: int
    # Of all trainings of its configuration by the end of the race.
    tally: Tally
    # Why it left the race; None for one that ran to the end.
    dropped: str | None


@dataclass(frozen=True)
class RaceRecord:
    """A race: what it asked for, and who ran it to the end, the best first."""

    repeats: int
    # The bar that the lower bound of a reliability has to pass.
    reliability: float
    entries: tuple[RaceEntry, ...]


@dataclass(frozen=True)
class CandidateRecord:
    """A trial that was judged after the race; as in `candidates.Candidate`."""

    trial: int
    confirmed: Share | None
    tally: Tally
    cost: int
    kept: bool
    reason: str
    wins: bool
    unflattered: Share | None
    # None where an older pitsearch wrote the record.
    mean: float | None = None


@dataclass(frozen=True)
class JudgedRecord:
    """How a selection judged those that entered its race, the kept ones first."""

    # The hash of the winner's model: a record of an earlier selection is told by it.
    sha256: str
    candidates: tuple[CandidateRecord, ...]
    by_slides: SlideValidation


def write_race(study: Study, race: RaceRecord) -> None:
    """Record a race in its study, in place of the one before."""
    study.optuna.set_user_attr(RACE, to_json(race))


def read_race(study: Study) -> RaceRecord | None:
    """Read the last race of a study; None where there was none, or an older version ran it."""
    stored = study.optuna.user_attrs.get(RACE)
    return None if stored is None else from_json(stored, RaceRecord, f"the attribute {RACE!r} of study {study.name!r}")


def write_judged(study: Study, judged: JudgedRecord) -> None:
    """Record how a selection judged its candidates, in place of the one before."""
    study.optuna.set_user_attr(CANDIDATES, to_json(judged))


def read_judged(study: Study, sha256: str) -> JudgedRecord | None:
    """Read how the selection of this model judged its candidates; None where it wrote no such record."""
    stored = study.optuna.user_attrs.get(CANDIDATES)
    if stored is None:
        return None
    judged = from_json(stored, JudgedRecord, f"the attribute {CANDIDATES!r} of study {study.name!r}")
    return judged if judged.sha256 == sha256 else None
