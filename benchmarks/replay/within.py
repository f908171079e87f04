"""How long until the selected model lies within a point of the best recorded one: the policy of a launch, and the naive script.

The time of a policy is the least budget from which on its mean regret over the replications stays within a point. Intervals
are those of a bootstrap over replications, alike for both. Knows nothing of how a policy searches.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from benchmarks.replay.policies import Policy
from benchmarks.replay.replay import WORKERS, regrets
from benchmarks.support.measure import Table
from benchmarks.table.recorded import Array, Recorded

# A selection within so much of the best is as good.
WITHIN = 0.01
# Minutes of WORKERS cores, each 1.4 times the one before.
MINUTES = tuple(float(f"{0.5 * 2 ** (step / 2):.2g}") for step in range(18))
NAIVE, OURS = "naive", "shipped"
DRAWS, LEVEL = 1000, 0.9


def within_table(tables: Mapping[str, Recorded], replications: int) -> Table:
    """Compare the two policies on each data set; a time beyond the budgets is written as more than the longest."""
    budgets, rows = [60 * WORKERS * each for each in MINUTES], []
    for name in tables:
        values = {policy: regrets(Policy.parse(policy), name, tables, budgets, replications) for policy in (NAIVE, OURS)}
        drawn = np.random.default_rng(0).integers(0, replications, (DRAWS, replications))
        place = {policy: first_within(each.mean(1)) for policy, each in values.items()}
        resampled = {policy: np.array([first_within(each[:, one].mean(1)) for one in drawn]) for policy, each in values.items()}
        rows.append([name, *(_time(place[policy]) for policy in values), _ratio(place, resampled)])
    return Table(
        f"Minutes of {WORKERS} cores until the mean regret stays within {WITHIN:.0%}",
        ["data set", NAIVE, OURS, "ratio"],
        rows,
        [f"of the budgets {', '.join(f'{each:g}' for each in MINUTES)}", f"ratio: {LEVEL:.0%} of draws of the replications"],
    )


def first_within(regret: Array) -> int:
    """Give the place of the budget from which on a regret, `[budgets]`, stays within; their number where it never does."""
    beyond = np.flatnonzero(regret > WITHIN)
    return int(beyond[-1]) + 1 if len(beyond) else 0


def _time(place: int) -> str:
    return f"> {MINUTES[-1]:g}" if place == len(MINUTES) else f"{MINUTES[place]:g}"


def _ratio(place: Mapping[str, int], resampled: Mapping[str, npt.NDArray[np.int64]]) -> str:
    """Write the naive script's time over ours, a bound where it never comes there; nothing where ours does not."""
    if place[OURS] == len(MINUTES):
        return ""
    # Beyond the last budget at least as long as the next one would be.
    minutes = np.array([*MINUTES, MINUTES[-1] * 2**0.5])
    low, high = np.quantile(minutes[resampled[NAIVE]] / minutes[resampled[OURS]], ((1 - LEVEL) / 2, (1 + LEVEL) / 2))
    more = "> " if place[NAIVE] == len(MINUTES) else ""
    return f"{more}{minutes[place[NAIVE]] / minutes[place[OURS]]:.1f} [{low:.1f}, {high:.1f}]"
