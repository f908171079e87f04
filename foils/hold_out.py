"""Lock a held-out set away: groups of pits drawn from their pixels alone, or whole slides.

A pit's side follows from the pixels of its group, or from the log beside the data where it has one: labels, names of data sets,
other pits and seeds change nothing, and a pit never changes side. Groups stay whole. Knows nothing of studies.
"""

from __future__ import annotations

import hashlib
import math
from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from foils.dataset import Dataset
from foils.errors import DataError
from foils.held_out_log import HeldOutLog, Rule

Flags = npt.NDArray[np.bool_]
# Share of the groups that a data set without a lock holds out.
SHARE = 0.2
# A group with more than this part of the wanted pits would decide the share alone, and is never drawn.
LARGEST = 0.5
# The drawn share is worth a note where it is off by more than this part, and by more standard deviations than chance gives.
OFF, DEVIATIONS = 0.25, 3.0


@dataclass(frozen=True)
class Split:
    """A data set cut in two."""

    # The pits that trials may see.
    search: Dataset
    # The pits that are locked away.
    held_out: Dataset
    # What both were drawn by.
    rule: Rule
    # What is in neither, and what is odd about the two.
    notes: tuple[str, ...] = ()


def names(data: Dataset) -> list[str]:
    """Give the names of pits, `[pits]`."""
    return [pit.pit for pit in data.pits]


def hold_out(data: Dataset, *, share: float | None = None, slides: Sequence[str] = (), log: HeldOutLog | None = None) -> Split:
    """Lock pits away: a share of the groups, or the named slides (`24`, or `foil:24` where foils repeat numbers).

    Without either, by the rule of the data's log, or a share of 0.2. `log`: as `read_log` gives it; pits that it knows keep
    their side, new ones join by its rule. Pits that share plastic with held-out ones are in neither half, unless they were
    searched before. Raises DataError for a share outside 0.05-0.5, a share other than the log's, or an unknown slide.
    """
    log = log or HeldOutLog()
    rule = _rule(share, slides, log)
    if slides:
        data.on_slides(slides)  # raises where there is none
    wanted, notes = _draw(data, rule)
    if rule != log.rule:
        return _cut(data, rule, wanted, np.zeros(len(data), np.bool_), np.zeros(len(data), np.bool_), notes)
    sides = [log.side(pit.pit, pixels) for pit, pixels in zip(data.pits, data.pixel_hashes, strict=True)]
    was_locked, was_searched = (np.array([side is wanted_side for side in sides]) for wanted_side in (True, False))
    new = ~was_locked & ~was_searched
    beside_locked, beside_searched = (np.isin(data.groups, data.groups[side]) for side in (was_locked, was_searched))
    # A new pit that shares plastic with known ones of one side joins them, but no pit of another slide joins held-out slides.
    joins = wanted if rule.slides else wanted | beside_locked
    left_out = new & wanted & beside_searched if rule.slides else np.zeros(len(data), np.bool_)
    return _cut(data, rule, was_locked | (new & joins & ~beside_searched), was_searched, left_out, notes)


def split_by_name(data: Dataset, rule: Rule, held_out: Collection[str], between: Collection[str]) -> Split:
    """Cut a data set as it was cut before: `held_out` and `between` name the pits that are locked away, and in neither side."""
    pits = names(data)
    locked, away = np.isin(pits, list(held_out)), np.isin(pits, [*held_out, *between])
    return Split(data.take(np.flatnonzero(~away)), data.take(np.flatnonzero(locked)), rule)


def check_halves(rule: Rule, search: Dataset, held_out: Dataset) -> None:
    """Raise DataError where a half, as it is scored, has no signal or no background."""
    for name, half in (("search", search), ("held-out", held_out)):
        if not half.is_signal.any() or not half.is_background.any():
            raise DataError(
                f"{half.description.name}: the {name} set must hold signal and background pits, but got "
                f"{int(half.is_signal.sum())} and {int(half.is_background.sum())} (held out by {rule}); hold out other "
                "slides or another share, or label more pits."
            )


def slide_rule(slides: Sequence[str]) -> Rule:
    """Give the rule that holds out whole slides, whatever their order."""
    return Rule(None, tuple(sorted(set(slides))))


def _rule(share: float | None, slides: Sequence[str], log: HeldOutLog) -> Rule:
    if slides:
        return slide_rule(slides)
    if share is None:
        return log.rule or Rule(SHARE)
    if not 0.05 <= share <= 0.5:
        raise DataError(f"`0.05 <= share <= 0.5` must hold for the held-out set, but got {share}; choose e.g. 0.2.")
    if log.rule is not None and log.rule != Rule(share):
        raise DataError(
            f"a data set must keep its held-out set, drawn by {log.rule}, but got a share of {share:g}; leave the share out, "
            "or hold out slides."
        )
    return Rule(share)


def _draw(data: Dataset, rule: Rule) -> tuple[Flags, list[str]]:
    """Say which pits a rule locks away, knowing of no log, `[pits]`, and what is odd."""
    locked = np.zeros(len(data), np.bool_)
    if rule.slides:
        # A slide of the log may lie outside this part of the data.
        return np.array([not {pit.slide, f"{pit.foil}:{pit.slide}"}.isdisjoint(rule.slides) for pit in data.pits]), []
    assert rule.share is not None  # where no slide is named
    members: dict[int, list[int]] = defaultdict(list)
    for index, group in enumerate(data.groups.tolist()):
        members[group].append(index)
    most = max(1.0, LARGEST * rule.share * len(data))
    large = [pits for pits in members.values() if len(pits) > most]
    for pits in members.values():
        if len(pits) <= most:
            locked[pits] = _uniform(min(data.pixel_hashes[index] for index in pits)) < rule.share
    drawn, notes = locked.mean(), []
    if large:
        notes.append(
            f"{sum(map(len, large))} pits stay in the search: they share plastic in groups so large ({len(large)}) that one "
            "would decide how much is held out"
        )
    chance = DEVIATIONS * math.sqrt(rule.share * (1 - rule.share) / len(members))
    if abs(drawn - rule.share) > max(OFF * rule.share, chance):
        notes.append(f"the held-out set has {drawn:.0%} of the pits where {rule.share:.0%} was wanted: groups are drawn whole")
    return locked, notes


def _uniform(pixels: str) -> float:
    """Give a number from 0 to 1 that follows from the hash of a crop."""
    return int(hashlib.sha256(f"held out {pixels}".encode()).hexdigest()[:13], 16) / 16**13


def _cut(data: Dataset, rule: Rule, locked: Flags, searched: Flags, left_out: Flags, notes: Sequence[str]) -> Split:
    """Cut a data set, `[pits]` each; what shares plastic with a locked pit is left out, unless it was `searched` before."""
    left_out = left_out | (np.isin(data.groups, data.groups[locked]) & ~locked & ~searched)
    if left_out.any():
        count = int(left_out.sum())
        notes = [*notes, f"{count} pits left out of the search: identical to, or overlapping with, held-out pits"]
    return Split(data.take(np.flatnonzero(~locked & ~left_out)), data.take(np.flatnonzero(locked)), rule, tuple(notes))
