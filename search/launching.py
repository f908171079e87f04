"""Launch a study: hand out trials to worker processes until the budget, the time or the user ends it.

Workers are joblib's (loky), one trial and one thread each. What is shown is the watcher's business.
"""

from __future__ import annotations

import os
import re
import signal
import socket
import tempfile
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from types import FrameType
from typing import Protocol

import optuna
import torch
from joblib import cpu_count
from optuna.trial import FrozenTrial, TrialState

from foils import Dataset
from search import defaults
from search.entries import entries
from search.errors import StudyError
from search.ladder import Ladder
from search.objective import Job, mark_stopped, run_trial
from search.records import Start
from search.studies import Study, ladder_there, make_plan, open_or_create
from search.working import spread
from spaces import Space
from spaces.choosing import find_space
from spaces.known import Known

LAUNCH = "pitsearch:launch"
FINISHED = (TrialState.COMPLETE, TrialState.PRUNED)


class Watcher(Protocol):
    """Sees a launch from outside: told of its start, of every trial that ends, and of a request to stop."""

    def started(self, study: Study, notes: Sequence[str]) -> None: ...
    def finished(self, trial: FrozenTrial) -> None: ...
    def stopping(self) -> None: ...


class Silent:
    """A watcher that shows nothing."""

    def started(self, study: Study, notes: Sequence[str]) -> None:
        """Show nothing."""

    def finished(self, trial: FrozenTrial) -> None:
        """Show nothing."""

    def stopping(self) -> None:
        """Show nothing."""


def launch(
    data: Dataset,
    space: Space | str | None = None,
    *,
    enqueue: Sequence[Known] = (),
    trials: int = defaults.TRIALS,
    minutes: float | None = None,
    workers: int | None = None,
    study: str | None = None,
    storage: str = defaults.STORAGE,
    seed: int = 0,
    holdout_share: float = defaults.HOLDOUT_SHARE,
    holdout_slides: Sequence[str] = (),
    working_point: float = defaults.WORKING_POINT,
    ladder: str | None = None,
    pruner: str = defaults.PRUNER,
    audit: float = defaults.AUDIT,
    objectives: str = defaults.OBJECTIVES,
    device: str = defaults.DEVICE,
    watcher: Watcher | None = None,
) -> Study:
    """Search a space on a data set until the study has `trials` finished trials, or `minutes` are over.

    `space`: also the name of a ready-made one, or a space file's; `enqueue`: configurations to try first, after the network in
    use and the sound recipe, each once a study.
    A study of the same name goes on where it stopped, if it was made for the same. `workers` are processes, by default one a
    core, or one for a GPU. `device`: where trials compute. `ladder`: by default the study's own, for a new study the one that
    suits the device. The held-out set, a share of the groups or whole slides, is out of reach of every trial. `audit`: the
    share of trials that is never pruned. `objectives`: `acceptance`, or with `rejection` or `cost` after a comma.
    Raises DataError, SpaceError or StudyError where something does not fit, before anything is written.
    """
    for option, value in (("trials", trials), ("workers", workers), ("minutes", minutes)):
        if value is not None and not value > 0:
            raise StudyError(f"`{option} > 0` must hold, but got {value}; choose a larger number.")
    check_device(device)
    name = study or data.description.name
    on_gpu = device != defaults.DEVICE
    if ladder is None:
        ladder = ladder_there(name, storage) or (defaults.FUSED_LADDER if on_gpu else defaults.LADDER)
    plan, notes = make_plan(
        data,
        find_space(space) if isinstance(space, str) else space or Space(),
        Ladder.parse(ladder),
        pruner=pruner,
        audit=audit,
        seed=seed,
        working_point=working_point,
        holdout_share=holdout_share,
        holdout_slides=holdout_slides,
        objectives=objectives,
    )
    entries(plan, data, enqueue, ())  # what is wrong with them is said before anything is written
    handle = open_or_create(name, storage, plan)
    opened = handle.optuna
    reap(opened)
    there = opened.get_trials(deepcopy=False)
    budget = trials - sum(trial.state in FINISHED for trial in there)
    first = entries(plan, data, enqueue, there)
    waiting = len(first) - max(budget, 0)
    if enqueue and waiting > 0:
        notes = (*notes, f"{waiting} of the first configurations wait, for --trials leaves no room for them")
    deadline = None if minutes is None else time.time() + 60 * minutes
    workers = workers or (1 if on_gpu else cpu_count())
    mark = uuid.uuid4().hex
    opened.set_user_attr(
        LAUNCH,
        {"trials": trials, "deadline": deadline, "workers": workers, "started": time.time(), "finished": trials - budget},
    )
    watcher = watcher or Silent()
    watcher.started(handle, (*data.notes, *notes))
    with tempfile.TemporaryDirectory(prefix="pitsearch-") as folder, _interruptible(Path(folder) / "stop", watcher) as stop:
        numbers = range(len(there), len(there) + budget)
        job = Job(handle, plan, plan.searched(data), mark, deadline, stop, device, dict(zip(numbers, first, strict=False)))
        tickets = (ticket for ticket in numbers if job.over() is None)
        try:
            for number in spread(partial(run_trial, job), tickets, min(workers, max(budget, 1))):
                if number is not None:
                    watcher.finished(handle.trial(number))
        finally:
            _mark_dead(opened, lambda start: start.launch == mark)
    return handle


def check_device(device: str) -> None:
    """Raise StudyError where there is no such device to compute on."""
    match = re.fullmatch(r"cpu|cuda(?::(\d+))?", device)
    if match is None:
        raise StudyError(f"a device must be cpu, cuda or cuda:NUMBER, but got {device!r}; choose one of these.")
    there = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if device != defaults.DEVICE and int(match[1] or 0) >= there:
        raise StudyError(
            f"a device must be there, but got {device!r} with {there} GPUs that torch sees; choose another --device."
        )


@contextmanager
def _interruptible(stop: Path, watcher: Watcher) -> Iterator[Path]:
    """Turn the first Ctrl-C or SIGTERM into a request to stop; the second interrupts at once."""
    if threading.current_thread() is not threading.main_thread():
        yield stop  # only the main thread may handle signals; others are stopped by it
        return

    def handle(number: int, frame: FrameType | None) -> None:
        if stop.exists():
            raise KeyboardInterrupt
        stop.touch()
        watcher.stopping()

    before = {number: signal.signal(number, handle) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def reap(study: optuna.Study) -> None:
    """Mark the running trials whose worker, on this machine, is no more."""

    def is_dead(start: Start) -> bool:
        host, _, process = start.worker.rpartition(":")
        return host == socket.gethostname() and not _alive(int(process))

    _mark_dead(study, is_dead)


def _mark_dead(study: optuna.Study, is_dead: Callable[[Start], bool]) -> None:
    for trial in study.get_trials(deepcopy=False, states=(TrialState.RUNNING,)):
        start = Start.read(trial)
        if start and is_dead(start):
            mark_stopped(study, trial, "its worker died")


def _alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
