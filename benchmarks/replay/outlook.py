"""How often the bound holds that `status` gives for what as many trials again bring, by replay of the rule of a launch.

A search of the first half of the configurations is held against one of all of them, each until its finalists are complete. The
gain is that of the best acceptance that the search itself measures. Knows nothing of policies.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from benchmarks.replay.promoting import Promoting
from benchmarks.replay.replay import WORKERS, draw
from benchmarks.replay.scores import Shown, show
from benchmarks.replay.simulation import simulate
from benchmarks.support.measure import Table
from benchmarks.table.recorded import Recorded
from search import defaults
from search.statistics.expected_gain import BEYOND, expected_gain
from search.trials.ladder import Ladder

# Shares of the recorded configurations that the first search has.
SHARES = (0.25, 0.5)
# As a launch climbs unless told otherwise.
LADDER = defaults.LADDER


def outlook_table(tables: Mapping[str, Recorded], replications: int) -> Table:
    """Compare bounds and expectations with what the further trials brought."""
    rows = []
    for name, table in tables.items():
        ladder = Ladder.parse(LADDER)
        ranked, judged = (show(table, ladder, score, []) for score in ("mean", "a5"))
        for share in SHARES:
            count = int(share * (len(table.numbers) - 2))
            found = []
            for replication in range(replications):
                order = draw(table, replication).order
                before, after = (
                    [judged.final[trial] for trial in _complete(order[:most], ranked, ladder)] for most in (count, 2 * count)
                )
                gain = expected_gain(before, count)
                if gain is not None:
                    found.append((gain.expected, gain.bound, max(max(after) - max(before), 0.0)))
            if found:
                expected, bound, gained = np.array(found).T
                held = f"{(gained <= bound).mean():.0%}"
                rows.append([name, str(count), *(f"{100 * each.mean():.2f}" for each in (expected, gained, bound)), held])
    return Table(
        "What as many trials again bring, in points of acceptance at 5 %",
        ["data set", "trials", "expected", "brought", "bound", f"within the bound, {1 - BEYOND:.0%} wanted"],
        rows,
        [f"means over {replications} orders of the recorded configurations; promotion, ladder {LADDER}"],
    )


def _complete(order: Sequence[int], shown: Shown, ladder: Ladder) -> list[int]:
    """Give the trials that a launch without a deadline would have completed."""
    return [trial for _, trial in simulate(Promoting(order, (), shown, ladder, WORKERS, np.inf), shown.seconds, WORKERS)]
