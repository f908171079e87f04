"""Launch a study: plan it, enqueue the initial trials, and run workers until the budget is done."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from optuna.trial import FrozenTrial, TrialState

from foils import Dataset
from foils.readiness import background_note
from search import defaults
from search.launcher.callbacks import Callback, CallbackList
from search.launcher.executors import Executor, Processes, Run
from search.launcher.run_loop import run_workers
from search.storage.checkpoints import place_runs, reconcile
from search.storage.leases import enqueue_trials, requeue_stale_trials
from search.studies.environment import write_environment
from search.studies.initial_trials import InitialTrial, initial_trials
from search.studies.launch_record import LaunchRecord, last_launch, write_launch_record
from search.studies.learnable import unlearnable_folds
from search.studies.lock import record_search
from search.studies.options import Budget, Holdout, SearchOptions
from search.studies.plan import Plan, check_same, make_plan
from search.studies.standings import restore_standings
from search.studies.study import Study, check_new_name, open_or_create, stored_plan
from search.text import counted
from search.trials.ladder import Ladder, short_ladder
from search.trials.records import CheckpointRecord, FixedParams, TrialOrigin, is_paused
from spaces import Space
from spaces.choices.networks import NETWORKS
from spaces.known_configs import KnownConfig
from spaces.named_spaces import find_space
from spaces.plugins import find_part

# The axes that say which networks are trained, and in which modes.
GRAPH_KEYS = ("network.name", "channels.mode")


def launch(
    data: Dataset,
    space: Space | str | None = None,
    options: SearchOptions | None = None,
    *,
    study: str | None = None,
    storage: str = defaults.STORAGE,
    budget: Budget | None = None,
    executor: Executor | None = None,
    runs: str | Path | None = None,
    enqueue: Sequence[KnownConfig] = (),
    callbacks: Sequence[Callback] = (),
) -> Study:
    """Search a space on a data set until the study has the budget's finished trials, or its minutes are over.

    `space`: also the name of a ready-made one, or of a space file. `study`: its name, the data set's by default; a study of
    this name goes on where it stopped, if it was made for the same, interrupted trials first; without `space` or `options` it
    goes on with its own. `runs`: the folder of checkpoints, beside an SQLite storage by default. `enqueue`: configurations to
    try first, after the network in use, each once a study.
    Raises DataError, SpaceError or StudyError where something does not fit, before anything is written.
    """
    budget, executor, callback = budget or Budget(), executor or Processes(), CallbackList(callbacks)
    executor.check(storage)

    # Plan; nothing is written yet.
    name = data.description.name if study is None else study
    stored = stored_plan(name, storage)
    if stored is None:
        check_new_name(name)
    given = options or (stored.options if stored else SearchOptions())
    options = _with_ladder(given, stored, executor)
    plan, notes = _plan(name, data, find_space(space) if isinstance(space, str) else space, options, stored)
    initial_trials(plan, data, enqueue, ())  # raises what is wrong with them before anything is written
    search_set = plan.search_set(data)
    if stored is None and given.ladder is None and budget.seconds is not None and executor.worker_count and not executor.on_gpu:
        from search.launcher.pace import fit_ladder  # trains, with torch

        ladder, note = fit_ladder(search_set, plan, budget.seconds, executor.worker_count)
        plan, notes = replace(plan, options=replace(plan.options, ladder=ladder)), (*notes, *([note] if note else []))

    # Make the study, or join the one that is there, and write down what this launch asks for.
    handle = open_or_create(name, storage, plan)
    plan = replace(plan, space=handle.plan.space)  # of an older version, where its defaults were others
    requeue_stale_trials(handle.backend, handle.id)
    earlier = last_launch(handle)
    record = write_launch_record(handle, budget, executor.worker_count, place_runs(runs, storage))
    write_environment(handle)
    enqueue_initial_trials(handle, initial_trials(plan, data, enqueue, handle.optuna.get_trials(deepcopy=False), record.trials))

    # Mend what an earlier launch left behind, and record the pits in the log beside the data.
    trials = handle.optuna.get_trials(deepcopy=False)
    restore_standings(handle.backend, handle.id, plan, trials)
    remove_orphans(Path(record.runs), trials)
    seen = record_search(handle, plan, data)

    # Run, and tell people what they should know before.
    graphless = _graph_notes(plan, search_set) if stored is None else ()
    said = (*_plan_notes(plan, search_set), *_budget_notes(record, earlier), *_no_room(trials, record, bool(enqueue)))
    with callback:
        callback.on_start(handle, (*data.notes, *notes, *seen, *graphless, *said))
        run_workers(executor, Run(handle, plan, search_set, record, budget), callback)
    return handle


def _plan(
    name: str, data: Dataset, space: Space | None, options: SearchOptions, stored: Plan | None
) -> tuple[Plan, tuple[str, ...]]:
    """Plan a search; with what a study was made for where it is to go on and no other space is given. Also give notes."""
    if stored is not None and space is None:
        own = replace(options, holdout=stored.options.holdout)
        same = replace(stored, folder=str(data.folder), fingerprint=data.fingerprint, options=own)
        check_same(name, stored, same)
        if options.holdout.rule in (Holdout().rule, stored.options.holdout.rule):
            return same, ()
        space = stored.space
    return make_plan(data, space or Space(), options, stored)


def setup_line(plan: Plan) -> str:
    """Say what is locked away and how trials are trained."""
    options, searched = plan.options, len(plan.folds)
    return (
        f"{counted(len(plan.held_out), 'pit')} locked away as the held-out set, {searched} searched; ladder {plan.ladder}, "
        f"working point {options.working_point:g}, seed {options.seed}"
    )


def _plan_notes(plan: Plan, search_set: Dataset) -> tuple[str, ...]:
    """Say what is searched, and what of it will not work."""
    warnings = (short_ladder(plan.ladder.epochs), unlearnable_folds(search_set, plan.folds))
    thin = background_note(search_set, plan.options.working_point)
    return (setup_line(plan), *(text for text in warnings if text is not None), *thin)


def _graph_notes(plan: Plan, search_set: Dataset) -> tuple[str, ...]:
    """Say of which networks an export could write no graph, before they are trained; all of our table have one."""
    names, modes = ([*map(str, domain)] if isinstance(domain, tuple) else [] for domain in map(plan.space.domain, GRAPH_KEYS))
    added = [name for name in names if name not in NETWORKS or find_part("networks", name)]
    if not added:
        return ()
    from models.contracts import graph_notes  # torch, and some seconds

    about = search_set.description
    return tuple(graph_notes(added, modes, about.channels, about.crop, search_set.full_scale))


def _budget_notes(record: LaunchRecord, earlier: LaunchRecord | None) -> tuple[str, ...]:
    """Say what a further launch of a study does, for --trials counts all trials of the study."""
    if record.trials is None:
        return ()
    left = record.trials - record.finished
    if left <= 0:
        return (
            f"nothing is trained: the study has {counted(record.finished, 'finished trial')} and --trials, which counts them "
            f"all, is {record.trials}; for as many more give --trials {record.finished + record.trials}",
        )
    if earlier is None or not record.finished:
        return ()
    return (f"the study has {counted(record.finished, 'finished trial')} of {record.trials}: {left} more are run",)


def _with_ladder(options: SearchOptions, stored: Plan | None, executor: Executor) -> SearchOptions:
    """Choose the ladder where none is given: the study's own, or the one that suits the device."""
    if options.ladder is not None:
        return options
    default = Ladder.parse(defaults.FUSED_LADDER if executor.on_gpu else defaults.LADDER)
    return replace(options, ladder=stored.ladder if stored else default)


def enqueue_initial_trials(study: Study, initial: Sequence[InitialTrial]) -> None:
    """Add the configurations that are known before as trials that wait for a worker."""
    attributes = {
        trial.origin: {
            **TrialOrigin("", "", trial.origin).attribute(),
            **FixedParams(trial.choices, None if trial.config is None else trial.config.to_dict()).attribute(),
        }
        for trial in initial
    }
    enqueue_trials(study.backend, study.id, attributes)


def _no_room(trials: Sequence[FrozenTrial], record: LaunchRecord, enqueued: bool) -> tuple[str, ...]:
    """Say how many of the initial configurations the budget has no room for."""
    if record.trials is None:
        return ()
    waiting = sum(trial.state == TrialState.WAITING and not is_paused(trial) for trial in trials)
    left = waiting - max(record.trials - record.finished, 0)
    text = f"{left} of the first configurations wait, for --trials leaves no room for them"
    return (text,) if enqueued and left > 0 else ()


def remove_orphans(runs: Path, trials: Sequence[FrozenTrial]) -> None:
    """Remove checkpoints that no trial names."""
    waiting = {trial.number: CheckpointRecord.read(trial) for trial in trials if trial.state == TrialState.WAITING}
    named = {number: [file.name for file in record.folds.values()] if record else [] for number, record in waiting.items()}
    reconcile(runs, named, [trial.number for trial in trials if trial.state == TrialState.RUNNING])
