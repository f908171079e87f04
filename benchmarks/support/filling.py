"""Fill studies with trials that never ran, thousands in seconds. Imports no torch."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

import numpy as np
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
    distribution_to_json,
)
from optuna.trial import TrialState
from sqlalchemy.orm import Session

from benchmarks.support.idle import reached
from search.pruning.promotion import PROMOTION
from search.storage.optuna_internals import models
from search.storage.rung_table import Standing, write_standing
from search.studies.plan import Plan
from search.studies.study import Study
from search.trials.records import PAUSED, Recipe, TrialOrigin
from spaces.suggest import suggest

# The share of trials that end on each rung, roughly as successive halving leaves them.
ENDS = (0.6, 0.2, 0.1, 0.1)


class _Dice:
    """Chooses at random, where a space is asked for suggestions, and keeps what was chosen and from what."""

    def __init__(self, random: np.random.Generator) -> None:
        self.random = random
        self.chosen: dict[str, tuple[Any, BaseDistribution]] = {}

    def suggest_categorical(self, name: str, choices: Any, /) -> Any:
        return self._keep(name, choices[self.random.integers(len(choices))], CategoricalDistribution(choices))

    def suggest_int(self, name: str, low: int, high: int, /, *, log: bool) -> int:
        return int(self._keep(name, int(self.random.integers(low, high + 1)), IntDistribution(low, high, log=log)))

    def suggest_float(self, name: str, low: float, high: float, /, *, log: bool) -> float:
        ends = np.log([low, high]) if log else np.array([low, high])
        value = float(np.clip(np.exp(self.random.uniform(*ends)) if log else self.random.uniform(*ends), low, high))
        return float(self._keep(name, value, FloatDistribution(low, high, log=log)))

    def _keep(self, name: str, value: Any, distribution: BaseDistribution) -> Any:
        self.chosen[name] = value, distribution
        return value


def fill(
    study: Study,
    count: int,
    *,
    seed: int,
    running: bool = False,
    ends: Sequence[float] = ENDS,
    more: Callable[[int], Mapping[str, Any]] = lambda number: {},
) -> None:
    """Add trials of random choices and values to a study: finished ones, or such as run, in one transaction.

    `ends`: the share of the trials that end on each rung; `more`: further attributes of the trial of a number. Optuna's own way
    to add a trial takes some forty statements.
    """
    plan, study_id, random = study.plan, study.id, np.random.default_rng(seed)

    def add(session: Session) -> None:
        count_before = session.query(models.TrialModel).filter_by(study_id=study_id).count()
        trials = [_trial(study_id, count_before + number, plan, random, running, ends, more) for number in range(count)]
        session.add_all(trials)
        if plan.options.pruner == PROMOTION and not running:
            session.flush()
            for trial in trials:
                for standing in _standings(trial, len(plan.ladder.rungs)):
                    write_standing(session, study_id, standing)

    study.backend.transact(add)


def _trial(
    study_id: int,
    number: int,
    plan: Plan,
    random: np.random.Generator,
    running: bool,
    shares: Sequence[float],
    more: Callable[[int], Mapping[str, Any]],
) -> Any:
    """Make a row of a trial with those that belong to it."""
    rungs, dice = plan.ladder.rungs, _Dice(random)
    config = suggest(dice, plan.space)
    ends = np.array(shares[: len(rungs)])
    last, value = int(random.choice(len(rungs), p=ends / ends.sum())), float(random.beta(8, 2))
    is_whole = last == len(rungs) - 1
    paused = plan.options.pruner == PROMOTION and not (running or is_whole)
    ended = TrialState.COMPLETE if is_whole else TrialState.WAITING if paused else TrialState.PRUNED
    # Their relations are made by Optuna's models when these are first used.
    trial: Any = models.TrialModel(
        study_id=study_id,
        number=number,
        state=TrialState.RUNNING if running else ended,
        datetime_start=datetime.now(),
        datetime_complete=None if running or paused else datetime.now(),
    )
    trial.params = [
        models.TrialParamModel(
            param_name=name, param_value=kind.to_internal_repr(chosen), distribution_json=distribution_to_json(kind)
        )
        for name, (chosen, kind) in dice.chosen.items()
    ]
    trial.user_attributes = [
        models.TrialUserAttributeModel(key=key, value_json=json.dumps(value))
        for record in (TrialOrigin("idle", "host:1"), Recipe(config.to_dict(), 1, audited=False), reached(rungs[last], value))
        for key, value in record.attribute().items()
    ]
    trial.user_attributes += [
        models.TrialUserAttributeModel(key=key, value_json=json.dumps(value)) for key, value in more(number).items()
    ]
    if paused:
        trial.user_attributes.append(models.TrialUserAttributeModel(key=PAUSED.name, value_json=json.dumps(str(rungs[last]))))
    trial.intermediate_values = [
        models.TrialIntermediateValueModel(
            step=rung.cost,
            intermediate_value=value,
            intermediate_value_type=models.TrialIntermediateValueModel.TrialIntermediateValueType.FINITE,
        )
        for rung in rungs[: last + 1]
    ]
    finite = models.TrialValueModel.TrialValueType.FINITE
    trial.values = [] if running or paused else [models.TrialValueModel(objective=0, value=value, value_type=finite)]
    return trial


def _standings(trial: Any, rungs: int) -> list[Standing]:
    """Give how a trial of this row stood on its rungs."""
    last, score = len(trial.intermediate_values) - 1, trial.intermediate_values[0].intermediate_value
    paused = last < rungs - 1
    return [Standing(trial.trial_id, height, score, 1.0, paused=paused and height == last) for height in range(last + 1)]
