"""Select from complete trials as `pitsearch select` does: confirm the best few, and keep the best of those that learn.

A confirmation is the same configuration trained from another seed. Where the table has none, it is the trial itself again,
whose value flatters. Confirming costs every policy the same and is not counted. Knows nothing of policies.
"""

from __future__ import annotations

from collections.abc import Sequence

from benchmarks.replay.scores import Shown

# Trials that are confirmed together. Where none of them can be kept, the next are.
CONFIRMED = 5


def select(complete: Sequence[int], shown: Shown, confirmation: Sequence[int]) -> int | None:
    """Give the trial that a selection keeps, None where there is none. `confirmation`: of each trial."""
    learned = [trial for trial in complete if shown.has_learned[trial]]
    ranked = sorted(learned, key=lambda trial: -shown.final[trial])
    for first in range(0, len(ranked), CONFIRMED):
        entrants = [trial for trial in ranked[first : first + CONFIRMED] if shown.has_learned[confirmation[trial]]]
        if entrants:
            return max(entrants, key=lambda trial: shown.final[confirmation[trial]])
    return None
