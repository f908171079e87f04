"""Promote in a study: choose by its ladder, its deadline and its standings, and make standings again where they are missing.

Knows nothing of the rule of promotion, nor of how a trial climbs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from optuna.trial import FrozenTrial, TrialState
from sqlalchemy.orm import Session

from search.pruning.promotion import PROMOTION, Moment, decide
from search.storage.clock import read_clock
from search.storage.optuna_internals import trial_id_of
from search.storage.places import Choose, start_new
from search.storage.rdb import RetryingRDBStorage
from search.storage.rung_table import Standing, Start, read_standings, write_standing
from search.studies.plan import Plan
from search.trials.baseline import is_baseline
from search.trials.records import RungResult, is_paused, on_rungs
from search.trials.rung_score import rung_score
from search.trials.stored_scores import read_scores


def chooser(plan: Plan, study_id: int) -> Choose:
    """Give what chooses for a free worker of a study: by promotion, or, under another pruner, new trials alone."""
    costs = [rung.cost for rung in plan.ladder.rungs]

    def choose(session: Session, places: int, launched: Any, arrived: Standing | None) -> int | Start:
        if launched is None:
            return Start.NOTHING
        moment = Moment(places > 0, max(launched["workers"], 1))
        clock, now = read_clock(session)
        if launched["deadline"] is not None and clock == launched["clock"]:
            deadline = launched["deadline"]
            moment = replace(moment, left_s=deadline - now, whole_s=deadline - launched["started"])
        standings = [*read_standings(session, study_id), *([] if arrived is None else [arrived])]
        return decide(standings, costs, moment)

    return choose if plan.options.pruner == PROMOTION else start_new


def restore_standings(storage: RetryingRDBStorage, study_id: int, plan: Plan, trials: Sequence[FrozenTrial]) -> None:
    """Write the standings of trials that have none, from their records: a copied study brings none along."""
    if plan.options.pruner != PROMOTION:
        return

    def write(session: Session) -> None:
        known = {one.trial_id for one in read_standings(session, study_id)}
        for trial in trials:
            if trial_id_of(trial) not in known and trial.state != TrialState.FAIL:
                for standing in _standings(trial, plan):
                    write_standing(session, study_id, standing)

    storage.transact(write)


def _standings(trial: FrozenTrial, plan: Plan) -> list[Standing]:
    """Give how a trial stood on every rung that it reached."""
    reached, on = RungResult.read(trial), on_rungs(trial)
    if reached is None:
        return []
    rungs = [(height, rung) for height, rung in enumerate(plan.ladder.rungs) if rung.cost in on]
    last = rungs[-1][0] if rungs else 0
    standings = []
    for height, rung in rungs:
        scores = read_scores(trial, str(rung))
        score = on[rung.cost] if scores is None else rung_score(scores, plan.options.working_point)[0]
        paused = height == last and is_paused(trial)
        standings.append(Standing(trial_id_of(trial), height, score, reached.pace, is_baseline(trial), paused))
    return standings
