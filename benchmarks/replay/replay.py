"""Replay policies on recorded tables many times, in other orders, and sum up what they would have selected.

A replication draws the order of the configurations and which seed of each is searched, alike for every policy. The network in
use and the sound recipe are no draws of the space: a policy has them only as its start. Configurations come at random: a table
holds only what was recorded, so that no sampler can choose. Regret is the best true acceptance of the table less that of the
selected model; where nothing is selected, its acceptance is 0. Whatever is fitted for a data set is fitted on the others, and
never on JUDGED.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from benchmarks.replay.policies import PAUSE, Policy
from benchmarks.replay.portfolio import portfolio
from benchmarks.replay.promoting import Promoting
from benchmarks.replay.rules import RULES
from benchmarks.replay.schedulers import Ending, Pausing
from benchmarks.replay.scores import Shown, show
from benchmarks.replay.selection import select
from benchmarks.replay.simulation import Scheduler, simulate
from benchmarks.table.configurations import BASELINE, SOUND
from benchmarks.table.data_sets import TUNING
from benchmarks.table.recorded import Array, Recorded
from search.pruning.promotion import PROMOTION

REPLICATIONS, WORKERS = 500, 2


@dataclass(frozen=True)
class Draw:
    """What a replication draws."""

    # The trials of the space's draws, in the order in which they come.
    order: tuple[int, ...]
    # Which seed of each configuration is searched, `[configurations]`.
    seeds: tuple[int, ...]
    # A number from 0 to 1 for each configuration: below the share of the audit it is never pruned.
    audit: tuple[float, ...]


def draw(table: Recorded, replication: int) -> Draw:
    """Draw a replication."""
    generator, (count, most) = np.random.default_rng([0, replication]), table.is_recorded.shape
    seeds = np.where(table.is_recorded, generator.random((count, most)), -1.0).argmax(1)
    order = generator.permutation(np.flatnonzero(~np.isin(table.numbers, (BASELINE, SOUND))))
    audit = generator.random((count,))
    return Draw(tuple((order * most + seeds[order]).tolist()), tuple(seeds.tolist()), tuple(audit.tolist()))


def others_of(name: str, tables: Mapping[str, Recorded]) -> list[Recorded]:
    """Give the tables on which something may be fitted for a data set."""
    return [tables[other] for other in TUNING if other in tables and other != name]


def regrets(
    policy: Policy, name: str, tables: Mapping[str, Recorded], budgets: Sequence[float], replications: int = REPLICATIONS
) -> Array:
    """Give the regret on a data set, `[budgets, replications]`; `budgets`: core-seconds, on WORKERS cores.

    Raises ValueError where the policy needs another data set, or a configuration, that the tables do not hold.
    """
    table = tables[name]
    shown = show(table, policy.ladder, policy.score, others_of(name, tables))
    first, seeds = _first(policy, name, tables), table.is_recorded.shape[1]
    truth, confirmations = table.true_acceptance(), _confirmations(table)
    deadlines = [budget / WORKERS for budget in budgets]
    values = np.zeros((len(budgets), replications))
    for replication in range(replications):
        drawn = draw(table, replication)
        complete: list[tuple[float, int]] = []
        for place, deadline in enumerate(deadlines):
            # Only a policy that looks at the deadline searches otherwise where it has more time.
            if policy.sees_deadline or not place:
                until = deadline if policy.sees_deadline else max(deadlines)
                complete = simulate(_scheduler(policy, shown, drawn, first, seeds, until), shown.seconds, WORKERS, until)
            selected = select([trial for at, trial in complete if at <= deadline], shown, confirmations)
            values[place, replication] = truth.max() - (0.0 if selected is None else truth[selected // seeds])
    return values


def _first(policy: Policy, name: str, tables: Mapping[str, Recorded]) -> list[int]:
    """Give the places of the configurations that come first."""
    table, numbers = tables[name], []
    for part in policy.start:
        if part == "portfolio":
            others = others_of(name, tables)
            if not others:
                raise ValueError(f"a portfolio for {name!r} must be made on another data set, but got none; record one.")
            numbers += portfolio(others)
        else:
            numbers.append({"network": BASELINE, "sound": SOUND}[part] if not part.isdecimal() else int(part))
            if numbers[-1] not in table.numbers:
                raise ValueError(
                    f"the start of {policy.text!r} must be recorded on {name!r}, but got no {numbers[-1]}; record it."
                )
    return [int(np.searchsorted(table.numbers, number)) for number in dict.fromkeys(numbers) if number in table.numbers]


def _confirmations(table: Recorded) -> list[list[int]]:
    """Give for each trial those that confirm it: of all other seeds that are recorded, or where there is none, itself."""
    seeds = table.is_recorded.shape[1]
    places = []
    for place, is_recorded in enumerate(table.is_recorded):
        recorded = [int(seed) for seed in np.flatnonzero(is_recorded)]
        for seed in range(seeds):
            places.append([place * seeds + other for other in recorded if other != seed] or [place * seeds + seed])
    return places


def _scheduler(policy: Policy, shown: Shown, drawn: Draw, first: Sequence[int], seeds: int, deadline: float) -> Scheduler:
    order = list(dict.fromkeys((*(place * seeds + drawn.seeds[place] for place in first), *drawn.order)))
    spared = {trial for trial in order if drawn.audit[trial // seeds] < policy.audit}
    if "network" in policy.start:
        spared.add(drawn.seeds[BASELINE])  # the least of the numbers, and so the first of the configurations
    if policy.rule == PROMOTION:
        return Promoting(order, spared, shown, policy.ladder, WORKERS, deadline)
    if policy.rule == PAUSE:
        return Pausing(
            order, spared, shown, policy.ladder, policy.reduction, least=policy.least, workers=WORKERS, deadline=deadline
        )
    return Ending(order, spared, RULES[policy.rule](shown, policy.ladder))
