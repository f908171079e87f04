"""One trial: a configuration climbs the ladder, reports at every rung, and is pruned or goes on.

Runs in whatever process it is called in; knows nothing of workers or of what is shown.
"""

from __future__ import annotations

import json
import os
import socket
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import optuna
import torch
from optuna.exceptions import ExperimentalWarning
from optuna.samplers import TPESampler
from optuna.trial import FrozenTrial, TrialState

from foils import Dataset
from models.crossvalidation import CrossValidation, FoldResult, make_task
from search.ladder import Ladder, Rung
from search.members import keep_members
from search.pruners import make_pruner
from search.studies import Plan, Study, open_storage
from spaces import Space, suggest

# Another trial whose acceptance on the same rung is this many times the working point has learned: chance gives once.
LEARNED = 3.0


class Stopped(Exception):
    """Ask a trial to end before its time: its worker is stopping, or time is up."""


@dataclass(frozen=True)
class Job:
    """What a worker needs for a trial.

    `data`: the pits that trials may see; `launch`: marks the trials of one launch; `deadline`: seconds of the epoch;
    `stop`: a file whose existence asks for an end.
    """

    study: Study
    plan: Plan
    data: Dataset
    launch: str
    deadline: float | None
    stop: Path

    def over(self) -> str | None:
        """Give the reason why no more is to be trained; None while there is none."""
        if self.stop.exists():
            return "stopped by hand"
        if self.deadline is not None and time.time() > self.deadline:
            return "time is up"
        return None

    def check(self) -> None:
        """Raise Stopped when time is up or an end was asked for."""
        reason = self.over()
        if reason is not None:
            raise Stopped(reason)


def trial_seed(study_seed: int, number: int) -> int:
    """Give the one seed that everything random in a trial follows from."""
    return int(np.random.SeedSequence([study_seed, number]).generate_state(1)[0])


def run_trial(job: Job, ticket: int) -> int | None:
    """Run one trial to its end, whatever that is, and give its number; None where it was not to start any more.

    `ticket` seeds the sampler. The trial computes on one thread. An exception fails the trial, with its reason, and no other.
    """
    if job.over() is not None:
        return None
    torch.set_num_threads(1)
    study = _open(job, ticket)
    trial = study.ask()
    trial.set_user_attr("launch", job.launch)
    trial.set_user_attr("worker", f"{socket.gethostname()}:{os.getpid()}")
    try:
        value = climb(trial, job.data, job.plan, job.check)
    except optuna.TrialPruned:
        study.tell(trial, state=TrialState.PRUNED)
    except Stopped as reason:
        mark_stopped(study, trial, str(reason))
    except Exception as error:  # a broken trial must not end the search; the reason is kept and shown
        trial.set_user_attr("error", f"{type(error).__name__}: {error}".splitlines()[0])
        study.tell(trial, state=TrialState.FAIL)
    else:
        study.tell(trial, value)
    return trial.number


def mark_stopped(study: optuna.Study, trial: optuna.Trial | FrozenTrial, reason: str) -> None:
    """Mark a running trial as stopped: it failed, but through no fault of its configuration."""
    # Optuna offers no public way to write to another process's trial.
    study._storage.set_trial_user_attr(trial._trial_id, "stopped", reason)
    study.tell(trial.number, state=TrialState.FAIL)


def climb(trial: optuna.Trial, data: Dataset, plan: Plan, check: Callable[[], None] = lambda: None) -> float:
    """Climb the ladder with the trial's configuration and give the mean signal acceptance over the folds.

    Raises TrialPruned on the rung where the pruner ends it.
    """
    ladder = Ladder.parse(plan.ladder)
    config = suggest(trial, Space.from_dict(json.loads(plan.space)))
    seed = trial_seed(plan.seed, trial.number)
    trial.set_user_attr("config", config.to_dict())
    trial.set_user_attr("seed", seed)
    task = make_task(data, config, epochs=ladder.epochs, working_point=plan.working_point)
    validation = CrossValidation(task, np.array(plan.folds), seed, check)
    for rung in ladder.rungs:
        validation.advance(rung.folds, rung.epochs, others_learned=_others_learned(trial, rung, plan.working_point))
        results = validation.results()
        value = float(np.mean([result.score.acceptance for result in results]))
        _record(trial, results, rung, validation)
        trial.report(value, rung.cost)
        if rung is not ladder.rungs[-1] and trial.should_prune():
            raise optuna.TrialPruned
    keep_members(data, validation, plan)
    return value


def _record(trial: optuna.Trial, results: list[FoldResult], rung: Rung, validation: CrossValidation) -> None:
    """Store how every fold stands, one value a fold, and what the trial has cost."""
    trial.set_user_attr("rung", str(rung))
    for name, values in {
        "acceptance": [result.score.acceptance for result in results],
        "rejection": [result.score.rejection for result in results],
        "accepted": [result.score.accepted for result in results],
        "signals": [result.score.signals for result in results],
        "auc": [result.score.auc for result in results],
        "accuracy": [result.accuracy for result in results],
        "verdicts": [result.verdict.value for result in results],
        "reseeds": [result.reseeds for result in results],
    }.items():
        trial.set_user_attr(name, values)
    trial.set_user_attr("epochs_run", validation.epochs_run)
    trial.set_user_attr("seconds", round(validation.seconds, 3))


def _others_learned(trial: optuna.Trial, rung: Rung, working_point: float) -> bool:
    """Tell whether another trial of the study has learned by this rung."""
    others = trial.study.get_trials(deepcopy=False)
    return any(other.intermediate_values.get(rung.cost, 0.0) > LEARNED * working_point for other in others)


def _open(job: Job, ticket: int) -> optuna.Study:
    with warnings.catch_warnings():
        # `group` keeps conditional parameters in the joint model; without it they drop out of it without a word.
        warnings.simplefilter("ignore", ExperimentalWarning)
        sampler = TPESampler(multivariate=True, group=True, constant_liar=True, seed=trial_seed(job.plan.seed + 1, ticket))
    return optuna.load_study(
        study_name=job.study.name,
        storage=open_storage(job.study.storage),
        sampler=sampler,
        pruner=make_pruner(job.plan.pruner, Ladder.parse(job.plan.ladder)),
    )
