"""Lay out a race and a selection: which trials were confirmed, which are kept, which wins, what the held-out set showed.

Knows nothing of how the numbers came about.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

import rich.box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from search.selection.held_out import Opening, reading
from search.statistics.fitted import pooled_remarks
from search.statistics.intervals import Share
from search.text import counted
from search.trials.ladder import short_ladder
from search.trials.objectives import amount

if TYPE_CHECKING:  # the report shows a reading without torch
    from search.selection.confirm import ConfirmOptions, Entrant
    from search.selection.confirmations import Drawn
    from search.selection.outcome import Selection
    from search.trials.reliability import Tally
    from spaces import Config

# What stands in the columns of these names.
ACCEPTANCE = "acceptance: on fresh splits and seeds; search: that in the search, which chose by it"
MEAN = "mean: of the acceptance over false-positive rates of 0 to twice the working point"
# With fewer held-out signal pits than this a single pit moves the acceptance by a point or more.
FEW_SIGNALS = 100


def race_table(
    name: str,
    race: Sequence[Entrant],
    searched: Mapping[int, Share],
    drawn: Mapping[int, Drawn],
    options: ConfirmOptions,
) -> RenderableType:
    """Show a race, the best first; `searched`, `drawn`: the acceptance in the search, and those on fresh splits."""
    table = _table(f"study {name}: the best {len(race)}, trained again on fresh splits and seeds", "repeats")
    for entrant in race:
        found = drawn.get(entrant.number)
        table.add_row(
            str(entrant.number),
            "not trained again" if found is None else str(found.acceptance.share),
            "" if found is None else f"{found.mean.value:.3f}",
            f"{searched[entrant.number].value:.3f}",
            str(entrant.tally.reliability or "not known"),
            f"{len(entrant.repeats)} of {options.repeats}",
            style="dim" if entrant.dropped else None,
        )
    lines = [_about(one.number, one.dropped or "ran to the end", one.tally, one.config) for one in race]
    lines += ["", ACCEPTANCE, f"{MEAN}, which the race compares"]
    lines += pooled_remarks([*searched.values(), *(one.acceptance.share for one in drawn.values())])
    return Group(table, *map(Text, lines))


def selection_table(selection: Selection, most: int = 15) -> RenderableType:
    """Show the candidates, why each was kept or dropped, the winner, and the reading of the held-out set."""
    table = _table(f"study {selection.study.name}: {counted(len(selection.candidates), 'complete trial')}", "cost")
    listed = selection.candidates[:most]
    for candidate in listed:
        table.add_row(
            str(candidate.number),
            str(candidate.confirmed or "not confirmed"),
            "" if candidate.mean is None else f"{candidate.mean:.3f}",
            f"{candidate.searched.value:.3f}",
            str(candidate.tally.reliability or "not known"),
            amount(candidate.cost),
            style="bold green" if candidate.wins else None if candidate.kept else "dim",
        )
    lines = [_about(one.number, one.reason, one.tally, one.config) for one in listed]
    if len(selection.candidates) > most:
        lines.append(f"... and {len(selection.candidates) - most} more")
    lines += ["", f"{ACCEPTANCE}; cost: multiply-adds a pit", f"{MEAN}, by which candidates are ranked"]
    lines += pooled_remarks(share for one in selection.candidates for share in (one.searched, one.confirmed))
    return Group(table, *map(Text, [*lines, "", *_winner_lines(selection)]))


def _table(title: str, last: str) -> Table:
    """Make a table of numbers alone, which fits a window of 80 columns; what is said of each trial stands below it."""
    table = Table(title=title, title_justify="left", box=rich.box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("trial", justify="right", no_wrap=True)
    table.add_column("acceptance [90 %]", no_wrap=True)
    table.add_column("mean", justify="right", no_wrap=True)
    table.add_column("search", justify="right", no_wrap=True)
    table.add_column("reliability [90 %]", no_wrap=True)
    table.add_column(last, justify="right", no_wrap=True)
    return table


def _about(number: int, words: str, trainings: Tally, config: Config) -> str:
    learned = f"{trainings.learned} of {counted(trainings.trainings, 'training')} learned"
    return f"trial {number}: {words}; {learned}; {config.describe()}"


def _winner_lines(selection: Selection) -> Iterable[str]:
    winner, calibration = selection.winner, selection.model.calibration
    members = len(selection.ensemble.members)
    networks = "refitted on all pits" if selection.key.final == "refit" else f"an ensemble of {counted(members, 'member')}"
    yield f"winner: trial {winner.number}, {networks}; threshold {selection.threshold:.4f} from scores out of fold"
    yield (
        f"temperature {calibration.temperature:.2f}, offset {calibration.offset:+.2f}: log-loss out of fold "
        f"{calibration.before:.4f} before, {calibration.after:.4f} after"
    )
    yield from opening_lines(selection.opening)
    yield str(selection.by_slides)
    acceptance = selection.opening.held_out.points[0].acceptance
    confirmed = winner.confirmed.value if winner.confirmed else float("nan")
    held_out = "the one to quote" if selection.opening.honest else "not to be quoted, for the set was seen before"
    if winner.unflattered is not None:
        entrants = sum(one.confirmed is not None for one in selection.candidates)
        yield (
            f"on fresh splits {confirmed:.3f} is the best of {counted(entrants, 'entrant')}, which flatters it: "
            f"{winner.unflattered} without that, beside {acceptance} held out"
        )
    yield (
        f"acceptance in the search {winner.searched.value:.3f}, optimistic, because the search chose by it; on fresh splits "
        f"{confirmed:.3f}; held out {acceptance.value:.3f}, {held_out}; gap between search and held out {selection.gap:+.3f}"
    )
    yield from caveats(selection.opening.held_out.signals, selection.study.plan.ladder.epochs)


def caveats(signals: int, epochs: int) -> Iterable[str]:
    """Say what the numbers do not mean. `signals`: held-out signal pits; `epochs`: those of a whole training."""
    if signals < FEW_SIGNALS:
        yield (
            f"of {counted(signals, 'held-out signal pit')} one more or less moves the held-out acceptance by "
            f"{1 / signals:.3f}: label more, or hold out more, to tell networks apart"
        )
    barely = short_ladder(epochs)
    if barely is not None:
        yield barely


def opening_lines(opening: Opening) -> Iterable[str]:
    """Say what a reading of the held-out set showed, and how far it may be believed."""
    held_out = opening.held_out
    pits = f"{held_out.signals} signal and {held_out.backgrounds} background pits"
    yield f"held-out set, {reading(opening)}: {pits}, AUC {held_out.auc:.4f}"
    for point in held_out.points:
        yield (
            f"  at {point.working_point:.0%} false positives out of fold: acceptance {point.acceptance}, "
            f"rejection {point.rejection}"
        )
    if opening.unproven:
        numbers = ", ".join(map(str, opening.unproven))
        yield (
            f"  reading {numbers} was of trial {opening.model.trial}, too, but has no hash of its model: it cannot be proven "
            "to be of these weights, and counts as an earlier opening"
        )
    if opening.before is None:
        yield "  the data's folder cannot be written to: readings by other studies are not counted"
    else:
        yield f"  of its pits, {opening.before.searched:.0%} were ever searched by a study of this data"
        if opening.before.changed:
            yield f"  {opening.before.changed} was changed by hand: what was read and searched before cannot be relied on"
    if not opening.honest:
        yield (
            "  no honest number: the set had been seen before this model was chosen; label new pits, some of which join it, "
            "or hold out a slide that was never searched"
        )
