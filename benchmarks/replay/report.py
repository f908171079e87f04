"""Report a replay in tables: for each data set, policy by budget, the regret in points; and the portfolio."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from benchmarks.replay.early_end import early_end_table
from benchmarks.replay.outlook import outlook_table
from benchmarks.replay.policies import DEFAULT, Policy
from benchmarks.replay.portfolio import portfolio
from benchmarks.replay.replay import REPLICATIONS, WORKERS, regrets
from benchmarks.replay.resolution import resolution_table
from benchmarks.replay.within import WITHIN, within_table
from benchmarks.support.measure import Table
from benchmarks.table.data_sets import JUDGED, TUNING
from benchmarks.table.recorded import Array, Recorded, read_all

MINUTES = (1, 2, 5, 10, 30, 60, 180)
# Replications of what more trials bring, at most.
OUTLOOKS = 100
NOTES = [
    f"regret in points of true acceptance at 5 %: mean [5 %, 95 % of the replications], share of them within {WITHIN:.0%}"
    f"; budgets in minutes of {WORKERS} cores; configurations come at random, also where a search has TPE",
]


def measure(rounds: int = 1, scale: float = 1.0) -> list[Table]:
    """Replay the default policies. `rounds`: not asked, a replay has replications; `scale`: of these."""
    tables = read_all()
    policies, replications = [Policy.parse(text) for text in DEFAULT], max(2, round(REPLICATIONS * scale))
    drawn = replay_tables(tables, policies, list(tables), MINUTES, replications)
    resolution = resolution_table(tables)
    found = [within_table(tables, replications), resolution, early_end_table(tables)]
    return [*(table for table in found if table.rows), *drawn]


def replay_tables(
    tables: Mapping[str, Recorded],
    policies: Sequence[Policy],
    names: Sequence[str],
    minutes: Sequence[float],
    replications: int = REPLICATIONS,
) -> list[Table]:
    """Replay policies on data sets, and give a table for each, their mean over those for tuning, and the portfolio."""
    budgets = [60 * WORKERS * each for each in minutes]
    columns = ["policy", *(f"{each:g} min" for each in minutes)]
    drawn, by_name = [], {}
    for name in names:
        table = tables[name]
        by_name[name] = [regrets(policy, name, tables, budgets, replications) for policy in policies]
        again = int(table.is_recorded[:, 1:].any(1).sum())
        title = (
            f"Replay on {name}{', on which no policy is tuned' * (name == JUDGED)}: {len(table.numbers)} configurations, "
            f"{again} of them from two seeds, the best of which truly accepts {100 * table.true_acceptance().max():.1f} %"
        )
        rows = [[policy.text, *map(_cell, values)] for policy, values in zip(policies, by_name[name], strict=True)]
        drawn.append(Table(title, columns, rows, NOTES))
    tuned = [name for name in names if name in TUNING]
    if len(tuned) > 1:
        means = [np.mean([by_name[name][place] for name in tuned], 0) for place in range(len(policies))]
        rows = [
            [policy.text, *(f"{100 * row.mean():.2f}" for row in values)]
            for policy, values in zip(policies, means, strict=True)
        ]
        drawn.append(Table(f"Replay: the mean regret over {', '.join(tuned)}, in points", columns, rows))
    outlook = outlook_table({name: tables[name] for name in names}, min(replications, OUTLOOKS))
    return [*drawn, *([outlook] if outlook.rows else []), *_portfolio([tables[name] for name in TUNING if name in tables])]


def _cell(values: Array) -> str:
    low, high = np.quantile(values, (0.05, 0.95))
    return f"{100 * values.mean():.1f} [{100 * low:.1f}, {100 * high:.1f}], {(values <= WITHIN).mean():.0%}"


def _portfolio(tables: Sequence[Recorded]) -> list[Table]:
    if not tables:
        return []
    numbers = portfolio(tables)
    rows = []
    for place, number in enumerate(numbers):
        held = [table.true_acceptance()[np.isin(table.numbers, numbers[: place + 1])].max() for table in tables]
        network = tables[0].configs[int(np.searchsorted(tables[0].numbers, number))]["network"]["name"]
        rows.append([str(number), network, *(f"{100 * value:.1f}" for value in held)])
    columns = ["configuration", "network", *(table.name for table in tables)]
    return [Table("The portfolio, and the best that truly accepts among those so far, in %", columns, rows)]
