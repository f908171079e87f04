"""Promotion: which paused trial a free worker takes up, whether it starts a new one, or neither.

Asynchronous successive halving as it is meant (Li et al. 2020, arXiv:1810.05934): a trial that reaches a rung is paused there
with its checkpoint. It is promoted once it is among the best of all trials that have reached this rung, as many as can be
afforded at the cost of the next: of `n` trials on a rung of `a` fold-epochs, `n * a / b` climb to the next one, of `b`. Every
rung thus takes about the same time. Nothing is ended: a trial that is passed over may be promoted when others have proved
worse, and when the budget is larger. Trials are compared by the mean signal acceptance over low false-positive rates, which
varies less than the acceptance at the working point (`models.metrics.mean_acceptance`).

When no further trial may start, the search finishes: the best paused trials climb to the top until there are FINALISTS, and so
does a trial that is demanded, as the network in use is. Where a deadline is set, finishing begins in time for as many finalists
as half the time carries; then workers take up what is paused, the best first, until the time is over. Decides from standings
alone; knows nothing of databases.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import fmean

from search.storage.rung_table import Standing, Start

# The name under which people choose this rule, beside the pruners, which end trials for good.
PROMOTION = "promotion"
# Complete trials that a search is to have: `select` confirms a few.
FINALISTS = 5
# The time that finishing is expected to take is multiplied by this: paces differ, and a trial is not cut in two.
MARGIN = 1.2


@dataclass(frozen=True)
class Moment:
    """How a search stands when a worker is free."""

    # Whether the budget has room for another trial.
    room: bool
    workers: int
    # Seconds until the deadline; None where there is none.
    left_s: float | None = None
    # Seconds from the launch to its deadline.
    whole_s: float = math.inf


def decide(standings: Collection[Standing], costs: Sequence[int], moment: Moment) -> int | Start:
    """Give the id of the trial to promote, or what else to do. `costs`: the fold-epochs of each rung of the ladder."""
    on_rungs, last = _by_height(standings, len(costs)), _last(standings)
    finalists = _finalists(last, costs, moment)
    late = moment.left_s is not None and _seconds(finalists, costs, moment.workers) >= moment.left_s
    by_rule = promotable(on_rungs, last, costs)
    if moment.room and not late:
        return next(iter(by_rule), Start.NEW)
    order = [one.trial_id for one in finalists]
    if late:  # those that can be at the top in time before those that cannot
        every = sorted(last.values(), key=lambda one: (_need(one, costs) > (moment.left_s or 0.0), _rank(one)))
        order += [one.trial_id for one in every]
    else:
        order = [*by_rule, *order]
    return next((trial for trial in order if last[trial].paused), Start.NEW if moment.room else Start.NOTHING)


def seconds_left(
    standings: Collection[Standing], costs: Sequence[int], trials: int, workers: int, epochs: Mapping[int, int]
) -> float | None:
    """Estimate the time that a search without a deadline takes still; None before any trial has reached a rung.

    New trials up to `trials` cost what the rule spends on one, then the finalists climb to the top. `epochs`: the fold-epochs
    that running trials have cost by now, by id.
    """
    if not standings:
        return None
    last = _last(standings)
    pace = fmean(one.pace for one in last.values())
    climbed = [costs[0], *(high - low for low, high in pairwise(costs))]
    of_a_new_trial = pace * sum(cost * costs[0] / rung for cost, rung in zip(climbed, costs, strict=True))
    begin = max(trials - len(last), 0)
    finalists = _finalists(last, costs, Moment(False, workers))
    needs = [one.pace * max(costs[-1] - max(costs[one.height], epochs.get(one.trial_id, 0)), 0) for one in finalists]
    needs += [pace * costs[-1]] * min(FINALISTS - len(finalists), begin)  # of trials that have not begun
    return begin * of_a_new_trial / workers + MARGIN * max(sum(needs) / workers, *needs, 0.0)


def promotable(on_rungs: Sequence[Sequence[Standing]], last: Mapping[int, Standing], costs: Sequence[int]) -> Iterable[int]:
    """Give the trials that the rule promotes, those on the highest rung first, and on a rung the best first.

    `on_rungs`: on each rung, all trials that have reached it.
    """
    for height in range(len(costs) - 2, -1, -1):
        reached = sorted(on_rungs[height], key=_rank)
        afforded = len(reached) * costs[height] // costs[height + 1]
        for one in reached[:afforded]:
            if last[one.trial_id].height == height and last[one.trial_id].paused:
                yield one.trial_id


def _finalists(last: Mapping[int, Standing], costs: Sequence[int], moment: Moment) -> list[Standing]:
    """Give the trials that are to be at the top in the end, those that are there among them.

    The best FINALISTS and what is demanded, or as many as half of the time carries; a single one goes before what is demanded.
    """
    ordered = sorted(last.values(), key=_rank)
    demanded = [one for one in ordered if one.demanded]
    for count in range(FINALISTS, 1, -1):
        chosen = {one.trial_id: one for one in [*ordered[:1], *demanded, *ordered[:count]]}
        if _seconds(chosen.values(), costs, moment.workers) <= moment.whole_s / 2:
            return [*chosen.values()]
    return ordered[:1]


def _seconds(finalists: Iterable[Standing], costs: Sequence[int], workers: int) -> float:
    """Give the time that trials are expected to take to the top."""
    needs = [_need(one, costs) for one in finalists]
    return MARGIN * max(sum(needs) / workers, *needs, 0.0)


def _last(standings: Iterable[Standing]) -> dict[int, Standing]:
    """Give each trial's standing on the last rung that it reached."""
    last: dict[int, Standing] = {}
    for one in standings:
        if one.trial_id not in last or one.height > last[one.trial_id].height:
            last[one.trial_id] = one
    return last


def _by_height(standings: Iterable[Standing], rungs: int) -> list[list[Standing]]:
    on_rungs: list[list[Standing]] = [[] for _ in range(rungs)]
    for one in standings:
        on_rungs[one.height].append(one)
    return on_rungs


def _rank(one: Standing) -> tuple[int, float, int]:
    """Order standings: the highest rung first, on a rung the best first, and of equals the one that was first."""
    return -one.height, -one.score, one.trial_id


def _need(one: Standing, costs: Sequence[int]) -> float:
    """Give the seconds that a trial needs to the top."""
    return one.pace * (costs[-1] - costs[one.height])
