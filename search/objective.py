"""One trial: a configuration climbs the ladder, reports at every rung, and is pruned or goes on.

Runs in whatever process it is called in; knows nothing of workers or of what is shown.
"""

from __future__ import annotations

import json
import os
import socket
import time
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

import numpy as np
import optuna
from optuna.exceptions import ExperimentalWarning
from optuna.samplers import BaseSampler, PartialFixedSampler, TPESampler
from optuna.trial import FrozenTrial, TrialState, create_trial

from foils import Dataset
from models.cost import inference_cost
from models.crossvalidation import CrossValidation, FoldResult
from models.process import one_thread
from models.task import make_task
from search import defaults
from search.audit import is_audited
from search.baseline import is_baseline
from search.entries import Entry
from search.ladder import Ladder, Rung
from search.members import keep_members
from search.objectives import OBJECTIVES, on_path, parse_objectives, shortfall
from search.pruners import make_pruner
from search.records import ERROR, STOPPED, Reached, Recipe, Start, on_rungs
from search.rivals import is_pruned
from search.storage import open_storage
from search.studies import Plan, Study
from spaces import Config, Space, suggest
from spaces.suggest import parameters

# Another trial whose acceptance on the same rung is this many times the working point has learned: chance gives once.
LEARNED = 3.0
# What the front asks of a trial beside its values, by the name under which Optuna keeps it.
SOUND = "climbs and learns"


class Stopped(Exception):
    """Ask a trial to end before its time: its worker is stopping, or time is up."""


@dataclass(frozen=True)
class Job:
    """What a worker needs for a trial.

    `data`: the pits that trials may see; `launch`: marks the trials of one launch; `deadline`: seconds of the epoch;
    `stop`: a file whose existence asks for an end; `device`: where to train; `entries`: the tickets whose choices are known.
    """

    study: Study
    plan: Plan
    data: Dataset
    launch: str
    deadline: float | None
    stop: Path
    device: str = defaults.DEVICE
    entries: Mapping[int, Entry] = field(default_factory=dict)

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
    study, entry = open_study(job, ticket), job.entries.get(ticket)
    start = Start(job.launch, f"{socket.gethostname()}:{os.getpid()}", entry.origin if entry else None)
    trial = ask(study, job.study.storage, start)
    try:
        with one_thread():
            values = climb(trial, job.data, job.plan, job.check, job.device, entry.config if entry else None)
    except optuna.TrialPruned:
        study.tell(trial, state=TrialState.PRUNED)
    except Stopped as reason:
        mark_stopped(study, trial, str(reason))
    except Exception as error:  # a broken trial must not end the search; the reason is kept and shown
        ERROR.write(study, trial, f"{type(error).__name__}: {error}".splitlines()[0])
        study.tell(trial, state=TrialState.FAIL)
    else:
        study.tell(trial, values)
    return trial.number


def ask(study: optuna.Study, storage: str, start: Start) -> optuna.Trial:
    """Ask for a trial that says from its first moment who runs it; `storage`: the address of the study's.

    Optuna's own `ask` leaves a moment in which a killed worker's trial belongs to no one, and would stay running for ever.
    """
    opened, template = open_storage(storage), create_trial(state=TrialState.RUNNING, user_attrs=start.attribute())
    return optuna.Trial(study, opened.create_new_trial(opened.get_study_id_from_name(study.study_name), template))


def mark_stopped(study: optuna.Study, trial: optuna.Trial | FrozenTrial, reason: str) -> None:
    """Mark a running trial as stopped: it failed, but through no fault of its configuration."""
    STOPPED.write(study, trial, reason)
    study.tell(trial.number, state=TrialState.FAIL)


def climb(
    trial: optuna.Trial,
    data: Dataset,
    plan: Plan,
    check: Callable[[], None] = lambda: None,
    device: str = defaults.DEVICE,
    outside: Config | None = None,
) -> tuple[float, ...]:
    """Climb the ladder with the trial's configuration and give what Optuna is told of each objective, acceptance first.

    `outside`: its configuration, where it is not one of the space. On CPU folds train one after another, elsewhere fused where
    that is better. Raises TrialPruned on the rung where the pruner ends it; an audited trial, and the network in use, which all
    others are compared with, only keep which rung that would have been. Of two objectives Optuna keeps no rungs: they are
    in the trial's record.
    """
    ladder = Ladder.parse(plan.ladder)
    config = outside or suggest(trial, Space.from_dict(json.loads(plan.space)))
    spared = is_baseline(trial)
    seed, audited = trial_seed(plan.seed, trial.number), not spared and is_audited(plan.seed, trial.number, plan.audit)
    Recipe(config.to_dict(), seed, audited).write(trial)
    task = make_task(data, config, epochs=ladder.epochs, working_point=plan.working_point, device=device)
    validation = CrossValidation(task, np.array(plan.folds), seed, check, fused=device != defaults.DEVICE)
    goals = parse_objectives(plan.objectives)
    cost = inference_cost(config, data.description.channels, data.description.crop) if "cost" in goals else 0
    would_prune: str | None = None
    steps: tuple[int, ...] = ()
    path: dict[str, list[float]] = {}
    for height, rung in enumerate(ladder.rungs, start=1):
        left = len(ladder.rungs) - height
        validation.advance(rung.folds, rung.epochs, others_learned=partial(_others_learned, trial, rung, plan.working_point))
        results = validation.results()
        values = {name: OBJECTIVES[name].measure(results, cost) for name in goals}
        if len(goals) == 1:
            trial.report(values["acceptance"], rung.cost)
        else:
            steps, path = (*steps, rung.cost), on_path(path, values)
        # The pruner is not asked about a doomed trial again: it would rank it among its rivals on rungs that those had to earn.
        prune = left > 0 and would_prune is None and (is_pruned(trial, steps, path) if path else trial.should_prune())
        if prune and (audited or spared):
            would_prune = str(rung)
        ends = prune and not (audited or spared)
        found = replace(_reached(rung, results, validation), would_prune=would_prune, steps=steps, path=path)
        found.write(trial)
        if path and (ends or not left):
            trial.set_constraint(SOUND, shortfall(found, left))
        if ends:
            raise optuna.TrialPruned
    keep_members(data, validation)
    return tuple(OBJECTIVES[name].told(value) for name, value in values.items())


def _reached(rung: Rung, results: list[FoldResult], validation: CrossValidation) -> Reached:
    """Sum up how every fold stands on a rung and what the trial has cost, for one write."""
    return Reached(
        rung=str(rung),
        acceptance=tuple(result.score.acceptance for result in results),
        rejection=tuple(result.score.rejection for result in results),
        accepted=tuple(result.score.accepted for result in results),
        signals=tuple(result.score.signals for result in results),
        rejected_high=tuple(result.score.rejected_high for result in results),
        backgrounds=tuple(result.score.backgrounds for result in results),
        auc=tuple(result.score.auc for result in results),
        accuracy=tuple(result.accuracy for result in results),
        verdicts=tuple(result.verdict.value for result in results),
        reseeds=tuple(result.reseeds for result in results),
        epochs_run=validation.epochs_run,
        seconds=round(validation.seconds, 3),
        note=validation.note,
    )


def _others_learned(trial: optuna.Trial, rung: Rung, working_point: float) -> bool:
    """Tell whether another trial of the study has learned by this rung."""
    others = trial.study.get_trials(deepcopy=False)
    return any(on_rungs(other).get(rung.cost, 0.0) > LEARNED * working_point for other in others)


def open_study(job: Job, ticket: int) -> optuna.Study:
    """Open a job's study as a trial with this ticket asks it: of the sampler, but for what is known."""
    plan = job.plan
    pruner = make_pruner(plan.pruner, Ladder.parse(plan.ladder))
    sampler = _sampler(plan, ticket, job.entries.get(ticket))
    return optuna.load_study(study_name=job.study.name, storage=open_storage(job.study.storage), sampler=sampler, pruner=pruner)


def _sampler(plan: Plan, ticket: int, entry: Entry | None) -> BaseSampler:
    with warnings.catch_warnings():
        # `group` keeps conditional parameters in the joint model; without it they drop out of it without a word.
        warnings.simplefilter("ignore", ExperimentalWarning)
        sampler = TPESampler(multivariate=True, group=True, constant_liar=True, seed=trial_seed(plan.seed + 1, ticket))
        if entry is None:
            return sampler
        return PartialFixedSampler(parameters(Space.from_dict(json.loads(plan.space)), entry.choices), sampler)
