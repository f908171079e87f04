"""Small studies on tiny pits: launch one, take a trial of it, run one more."""

from __future__ import annotations

from dataclasses import fields, replace
from pathlib import Path
from typing import Any

from foils import Dataset
from search.launcher.executors import Processes
from search.launcher.launch import launch
from search.storage.leases import claim
from search.storage.places import LAUNCH
from search.studies.options import Budget, Holdout, SearchOptions
from search.studies.plan import Plan
from search.studies.study import Study
from search.trials.ladder import Ladder
from search.trials.records import TrialOrigin
from search.workers.context import WorkerContext
from search.workers.stop_signal import StopSignal
from search.workers.worker import run_trial
from spaces import Range, Space

# Learns the tiny pits within a second, and still varies a name, a whole number and a rate.
SMALL_SPACE = Space(
    {
        "labelling.scheme": ("binary",),
        "channels.mode": ("stacked",),
        "network.name": ("pitnet",),
        "network.depth": (2,),
        "network.width": (4, 8),
        "optimiser.name": ("adam", "adamw"),
        "optimiser.learning_rate": Range(3e-3, 3e-2, log=True),
        "optimiser.batch_size": (16,),
        "normalisation": ("dataset",),
    }
)
SHORT = "1x1,5x1,5x6"


def start(data: Dataset, folder: Path, *, space: Space | str = SMALL_SPACE, **settings: Any) -> Study:
    """Launch a small study in a folder, in this process unless told otherwise.

    `settings`: fields of SearchOptions, Holdout, Budget and Processes, and arguments of `launch`, by their names.
    """
    given = {"trials": 3, "workers": 1, "ladder": SHORT, "pruner": "none", "working_point": 0.1, **settings}
    options = options_of(**{name: given.pop(name) for name in [*given] if name in OPTIONS})
    budget = Budget(**{name: given.pop(name) for name in [*given] if name in BUDGET})
    processes = {name: given.pop(name) for name in [*given] if name in ("workers", "devices")}
    storage = given.pop("storage", f"sqlite:///{folder}/studies.db")
    executor = given.pop("executor", None) or Processes(**processes)
    return launch(data, space, options, budget=budget, executor=executor, storage=storage, **given)


BUDGET = {field.name for field in fields(Budget)}
OPTIONS = {field.name for field in fields(SearchOptions)} | {"share", "slides"}


def options_of(
    ladder: str | None = SHORT, share: float | None = None, slides: tuple[str, ...] = (), **settings: Any
) -> SearchOptions:
    """Make search options, the ladder written as on the command line, the held-out pits by `share` or `slides`."""
    rungs = None if ladder is None else Ladder.parse(ladder)
    return SearchOptions(ladder=rungs, holdout=Holdout(share, slides), **settings)


def with_options(plan: Plan, **changes: Any) -> Plan:
    """Give a plan with other options; a ladder may be written as on the command line."""
    if isinstance(changes.get("ladder"), str):
        changes["ladder"] = Ladder.parse(changes["ladder"])
    return replace(plan, options=replace(plan.options, **changes))


def job_of(study: Study, data: Dataset, folder: Path) -> WorkerContext:
    """Make the job of a worker that joins a study in a folder; its budget has room for whatever is asked."""
    plan, opened = study.plan, study.optuna
    opened.set_user_attr(LAUNCH, {**opened.user_attrs.get(LAUNCH, {}), "trials": 1000, "failed": 0})
    return WorkerContext(study.pinned(), plan, plan.search_set(data), "", folder / "runs" / study.name)


def one_more(context: WorkerContext, stop: StopSignal | None = None) -> int:
    """Run one more trial, and give its number."""
    lease = claim(context.study.backend, context.study.id, TrialOrigin(context.launch, "host:1"))
    assert lease is not None
    run_trial(context, lease, stop or StopSignal())
    return lease.number
