"""Lay a selection out as HTML, as a notebook shows it: the winner, what was read held out, and why others were dropped."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from search.notebooks import facts, listing
from search.selection.candidates import Candidate
from search.selection.held_out import Opening, reading
from search.selection.selection_record import ModelKey
from search.selection.slide_validation import SlideValidation

# Candidates that are listed.
MOST = 10


def selection_html(
    name: str,
    candidates: Sequence[Candidate],
    key: ModelKey,
    opening: Opening,
    by_slides: SlideValidation,
    folder: Path,
) -> str:
    """Give a selection as HTML. `name`: of its study; `folder`: where the model is kept."""
    winner, held_out = next(one for one in candidates if one.wins), opening.held_out
    rows = [
        ("winner", f"trial {winner.number}, as {key.final}: {winner.config.describe()}"),
        ("reliability [90 %]", str(winner.tally)),
        *(
            (f"held out, at {point.working_point:.0%}", f"acceptance {point.acceptance}, rejection {point.rejection}")
            for point in held_out.points
        ),
        ("held-out set", f"{held_out.signals} signal, {held_out.backgrounds} background pits; {reading(opening)}"),
        ("on fresh splits", str(winner.confirmed or "not confirmed")),
        ("in the search", f"{winner.searched}, optimistic, because the search chose by it"),
        ("slides", str(by_slides)),
        ("model", str(folder)),
    ]
    if not opening.honest:
        rows.insert(3, ("no honest number", "the held-out set had been seen before this model was chosen"))
    columns = ("trial", "acceptance on fresh splits [90 %]", "mean over low rates", "reliability [90 %]", "kept or dropped")
    listed = (
        (str(one.number), str(one.confirmed or ""), "" if one.mean is None else f"{one.mean:.3f}", str(one.tally), one.reason)
        for one in candidates[:MOST]
    )
    more = f"<p>and {len(candidates) - MOST} more</p>" if len(candidates) > MOST else ""
    return facts(f"selection from study {name}", rows) + listing(columns, listed) + more
