"""Select from complete trials as `pitsearch select` does: confirm the best few, and keep the best of those that learn.

A confirmation is the same configuration trained from another seed on another split. Where the table has none, it is the trial
itself again, whose value flatters. All confirmations count alike, as after a race that nothing left. Confirming costs every
policy the same and is not counted. Knows nothing of policies.
"""

from __future__ import annotations

from collections.abc import Sequence
from statistics import fmean

from benchmarks.replay.scores import Shown
from search import defaults


def select(complete: Sequence[int], shown: Shown, confirmations: Sequence[Sequence[int]]) -> int | None:
    """Give the trial that a selection keeps, None where there is none. `confirmations`: of each trial.

    Where none of the best few can be kept, the next are looked at.
    """
    learned = [trial for trial in complete if shown.has_learned[trial]]
    ranked = sorted(learned, key=lambda trial: -shown.final[trial])
    for first in range(0, len(ranked), defaults.TOP):
        entrants = {
            trial: fmean(shown.final[again] for again in confirmations[trial])
            for trial in ranked[first : first + defaults.TOP]
            if all(shown.has_learned[again] for again in confirmations[trial])
        }
        if entrants:
            return max(entrants, key=entrants.__getitem__)
    return None
