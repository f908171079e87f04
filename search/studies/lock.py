"""Record in the log beside the data what a study locks away, searches and opens, and read from it what was seen before.

Where the data's folder cannot be written to, the study alone knows of it, and says so. Knows nothing of models or their scores.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from foils import Dataset
from foils.held_out_log import Event, HeldOutLog, Opened, Searched, Sides, append_to_log
from pitsearch.errors import reason
from search.studies.plan import Plan
from search.studies.study import Study
from search.text import counted


@dataclass(frozen=True)
class SeenBefore:
    """How much of a held-out set was seen before, by whichever study of the data."""

    # Openings of any of its pits.
    openings: int
    # Share of its pits that were ever searched.
    searched: float
    # The first line of the data's log that was changed by hand; None where none was.
    changed: str | None = None


def record_search(study: Study, plan: Plan, data: Dataset) -> tuple[str, ...]:
    """Record the pits that a study locks away and those that it searches, and give what to tell people."""
    search_set, locked = plan.search_set(data), plan.held_out_set(data)

    def next_events(log: HeldOutLog) -> list[Event]:
        rule, events = plan.options.holdout.rule, list[Event]()
        if log.rule in (None, rule):
            sides = Sides(rule, _new_pits(log, locked), _new_pits(log, search_set))
            events += [sides] if log.rule is None or sides.held_out or sides.search else []
        pixels = sorted(set(search_set.pixel_hashes) - log.searched)
        return [*events, Searched(study.uid, tuple(pixels))] if pixels else events

    try:
        log = append_to_log(data.folder, next_events)
    except OSError as error:
        return (f"{data.folder} cannot be written to ({reason(error)}): other studies do not know of this held-out set",)
    return _notes(seen_before(log, locked.pixel_hashes))


def record_opening(folder: Path, earlier: Sequence[Opened], opened: Opened) -> SeenBefore | None:
    """Record an opening, and `earlier` ones of its study that the log lacks; None where the folder cannot be written to.

    Gives what was seen of the set before this opening.
    """

    def next_events(log: HeldOutLog) -> list[Event]:
        tokens = {event.token for event in log.openings}
        return [event for event in (*earlier, opened) if event.token not in tokens]

    try:
        log = append_to_log(folder, next_events)
    except OSError:
        return None
    return seen_before(log, opened.pixels, opened.token)


def seen_before(log: HeldOutLog, pixels: Sequence[str], token: str | None = None) -> SeenBefore:
    """Say how much of a held-out set, given by the hashes of its pixels, was seen before the opening of this token."""
    pits, tokens = set(pixels), [event.token for event in log.openings]
    before = log.openings[: tokens.index(token)] if token in tokens else log.openings
    openings = sum(not pits.isdisjoint(event.pixels) for event in before)
    return SeenBefore(openings, len(pits & log.searched) / max(1, len(pits)), log.changed)


def _new_pits(log: HeldOutLog, data: Dataset) -> dict[str, str]:
    pits = zip(data.pits, data.pixel_hashes, strict=True)
    return {pit.pit: pixels for pit, pixels in pits if log.side(pit.pit, pixels) is None}


def _notes(seen: SeenBefore) -> tuple[str, ...]:
    notes = []
    if seen.searched:
        notes.append(f"{seen.searched:.0%} of the held-out pits were searched before: their reading will flatter the model")
    if seen.openings:
        notes.append(f"the held-out pits were read before, by this study or another one ({counted(seen.openings, 'opening')})")
    if seen.changed:
        notes.append(f"{seen.changed} was changed by hand: what was searched and opened before cannot be relied on")
    return tuple(notes)
