"""Launch a study: say what it is for, let what is known wait for a worker, and run a crew until the budget is done.

Where the workers are is the crews' business, what they do that of `search/workers/worker.py`; the budget is counted in the
database. What is shown is the watcher's business.
"""

from __future__ import annotations

import signal
import tempfile
import threading
from collections.abc import Generator, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from types import FrameType

from joblib import cpu_count
from optuna.trial import FrozenTrial, TrialState

from foils import Dataset
from search import defaults
from search.errors import StudyError
from search.launcher.callbacks import Callback, NullCallback
from search.launcher.cluster_config import Cluster, read_cluster
from search.launcher.executors import alone, side_by_side
from search.storage.checkpoints import reconcile
from search.storage.leases import enqueue_trials, open_places, requeue_stale_trials
from search.storage.urls import is_file, parse_address, place_of
from search.studies.initial_trials import InitialTrial, initial_trials
from search.studies.launch_record import LaunchRecord, place_runs, write_launch_record
from search.studies.plan import make_plan
from search.studies.study import Study, ladder_there, open_or_create
from search.trials.ladder import Ladder
from search.trials.records import CheckpointRecord, FixedParams, TrialOrigin, is_interrupted
from search.workers.devices import check_device
from search.workers.worker import Job
from spaces import Space
from spaces.known_configs import KnownConfig
from spaces.named_spaces import find_space


def launch(
    data: Dataset,
    space: Space | str | None = None,
    *,
    enqueue: Sequence[KnownConfig] = (),
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
    devices: str = defaults.DEVICE,
    runs: str | Path | None = None,
    cluster: str | None = None,
    jobs: int = defaults.JOBS,
    watcher: Callback | None = None,
) -> Study:
    """Search a space on a data set until the study has `trials` finished trials, or `minutes` are over.

    `space`: also the name of a ready-made one, or a space file's; `enqueue`: configurations to try first, after the network in
    use and the sound recipe, each once a study.
    A study of the same name goes on where it stopped, if it was made for the same; trials that were interrupted go on first.
    `workers` are processes, by default one a core, or one for each GPU; with 0 the study is only prepared, for workers that
    join it. `devices`: where trials compute, several with commas between them. `ladder`: by default the study's own, for a new
    study the one that suits the device. `runs`: the folder of checkpoints, beside an SQLite storage by default. The held-out
    set, a share of the groups or whole slides, is out of reach of every trial. `audit`: the share of trials that is never
    pruned. `objectives`: `acceptance`, or with `rejection` or `cost` after a comma. `cluster`: a batch system, a file with a
    table of one, or the address of a Dask scheduler, in place of processes here; up to so many `jobs` work then.
    Raises DataError, SpaceError or StudyError where something does not fit, before anything is written.
    """
    for option, value, least in (("trials", trials, 1), ("workers", workers, 0), ("minutes", minutes, 0)):
        if value is not None and (value < least or (option == "minutes" and not value)):
            bound = ">= 0" if option == "workers" else "> 0"
            raise StudyError(f"`{option} {bound}` must hold, but got {value}; choose a larger number.")
    places = devices.split(",")
    for place in places if cluster is None else ():  # a cluster's are not here
        check_device(place)
    asked = None if cluster is None else _check_cluster(cluster, storage)
    on_gpu = defaults.DEVICE not in places
    name = study or data.description.name
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
    initial_trials(plan, data, enqueue, ())  # what is wrong with them is said before anything is written
    handle = open_or_create(name, storage, plan)
    requeue_stale_trials(handle.backend, handle.id)
    count = jobs if asked is not None else (len(places) if on_gpu else cpu_count()) if workers is None else workers
    launched = write_launch_record(handle, trials=trials, minutes=minutes, workers=count, runs=place_runs(runs, storage))
    enqueue_initial_trials(handle, initial_trials(plan, data, enqueue, handle.optuna.get_trials(deepcopy=False)))
    there = handle.optuna.get_trials(deepcopy=False)
    _reconcile(Path(launched.runs), there)
    room = trials - launched.finished
    watcher = watcher or NullCallback()
    watcher.started(handle, (*data.notes, *notes, *_no_room(there, room, bool(enqueue))))
    if asked is not None:
        _run_on_cluster(asked, jobs, handle, launched, places[0], watcher)
        return handle
    searched = plan.search_set(data)
    crew = [
        Job(handle, plan, searched, launched.launch_id, Path(launched.runs), places[number % len(places)])
        for number in range(min(count, max(room, 1)))
    ]
    if crew:
        _run(crew, None if minutes is None else 60 * minutes, watcher)
    return handle


def _check_cluster(text: str, storage: str) -> Cluster | str:
    """Read what a cluster is. Raises StudyError where it is none, or its workers could not share the storage."""
    cluster = read_cluster(text)
    if is_file(parse_address(storage)):
        raise StudyError(
            f"a cluster's workers must share a database server, but got the file {place_of(parse_address(storage))}; give "
            "--storage postgresql+psycopg://..."
        )
    return cluster


def enqueue_initial_trials(study: Study, first: Sequence[InitialTrial]) -> None:
    """Let the configurations that are known before wait for a worker, as trials."""
    known = {
        entry.origin: {
            **TrialOrigin("", "", entry.origin).attribute(),
            **FixedParams(entry.choices, None if entry.config is None else entry.config.to_dict()).attribute(),
        }
        for entry in first
    }
    enqueue_trials(study.backend, study.id, known)


def _no_room(trials: Sequence[FrozenTrial], room: int, enqueued: bool) -> tuple[str, ...]:
    """Say how many of the configurations that wait will go on waiting."""
    waiting = sum(trial.state == TrialState.WAITING for trial in trials) - max(room, 0)
    text = f"{waiting} of the first configurations wait, for --trials leaves no room for them"
    return (text,) if enqueued and waiting > 0 else ()


def _reconcile(runs: Path, trials: Sequence[FrozenTrial]) -> None:
    """Remove checkpoints that no trial stands for."""
    waiting = [trial for trial in trials if trial.state == TrialState.WAITING]
    saved = {trial.number: CheckpointRecord.read(trial) for trial in waiting}
    named = {number: [kept.name for kept in one.folds.values()] if one else [] for number, one in saved.items()}
    reconcile(runs, named, [trial.number for trial in trials if trial.state == TrialState.RUNNING])


def _run(jobs: Sequence[Job], left_s: float | None, watcher: Callback) -> None:
    """Run a crew of this machine to its end."""
    watch = _Watch(jobs[0].study, watcher)
    with _stoppable(watcher) as stop:
        # One worker needs no process of its own.
        several = len(jobs) > 1
        crew = side_by_side(jobs, stop, left_s, watch.count, watcher.noted) if several else alone(jobs[0], stop, left_s)
        _look_around(crew, watch)


def _run_on_cluster(
    cluster: Cluster | str, jobs: int, study: Study, launched: LaunchRecord, device: str, watcher: Callback
) -> None:
    """Run a crew on a cluster to its end; what its jobs print is beside the checkpoints."""
    from search.launcher.dask_cluster import open_cluster  # Dask takes its time to import
    from search.launcher.dask_executor import WorkerSpec, on_cluster

    handed = WorkerSpec(study, study.plan.folder, launched.launch_id, device)

    def tasks() -> int:
        """Say how many workers there is something to do for; 0 when the budget is done, or the time."""
        left_s = launched.left_s(study)
        return 0 if left_s is not None and left_s <= 0 else min(jobs, open_places(study.backend, study.id))

    with _stoppable(watcher) as stop, open_cluster(cluster, jobs, Path(launched.runs) / "jobs", watcher.noted) as client:
        _look_around(on_cluster(client, handed, tasks, stop, watcher.noted), _Watch(study, watcher))


@contextmanager
def _stoppable(watcher: Callback) -> Iterator[Path]:
    """Give a file whose existence asks for an end, made at the first Ctrl-C or SIGTERM."""
    with tempfile.TemporaryDirectory(prefix="pitsearch-") as folder, _interruptible(Path(folder) / "stop", watcher) as stop:
        yield stop


def _look_around(crew: Generator[None, None, None], watch: _Watch) -> None:
    """Run a crew; whatever happens, no trial of a worker that is gone stays running."""
    try:
        with closing(crew):
            for _ in crew:
                watch.look()
    finally:
        requeue_stale_trials(watch.study.backend, watch.study.id)
        watch.look(interrupted=True)


class _Watch:
    """Sees which trials of a study have ended since it began to look, whoever ran them."""

    def __init__(self, study: Study, watcher: Callback) -> None:
        self.study, self.watcher = study, watcher
        self.seen = {trial.number for trial in self._ended()}

    def _ended(self, *, interrupted: bool = False) -> list[FrozenTrial]:
        trials = self.study.optuna.get_trials(deepcopy=False)
        return [trial for trial in trials if trial.state.is_finished() or (interrupted and is_interrupted(trial))]

    def count(self) -> int:
        """Count the trials that have ended."""
        return len(self.seen)

    def look(self, *, interrupted: bool = False) -> None:
        """Tell the watcher of those that have, and of those that wait to go on, too."""
        for trial in self._ended(interrupted=interrupted):
            if trial.number not in self.seen:
                self.seen.add(trial.number)
                self.watcher.finished(trial)


@contextmanager
def _interruptible(stop: Path, watcher: Callback) -> Iterator[Path]:
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
