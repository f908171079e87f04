"""Executors: where the workers of a launch run, as a user says it, and what a launch asks of each kind."""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Protocol

from joblib import cpu_count

from foils import Dataset
from search import defaults
from search.errors import StudyError
from search.launcher.cluster_config import read_cluster
from search.launcher.process_executor import ProcessExecutor, SerialExecutor
from search.storage.places import open_places
from search.storage.urls import require_server
from search.studies.launch_record import LaunchRecord
from search.studies.options import Budget
from search.studies.plan import Plan
from search.studies.standings import chooser
from search.studies.study import Study
from search.trials.records import is_paused
from search.workers.context import WorkerContext
from search.workers.devices import check_device

# Tells a line about something that happened.
Note = Callable[[str], None]


@dataclass(frozen=True)
class Run:
    """A launch that is ready: all that an executor needs."""

    study: Study
    plan: Plan
    # The pits that trials may see.
    data: Dataset
    record: LaunchRecord
    # What it asks for.
    budget: Budget


class Executor(Protocol):
    """Run the workers of a launch."""

    @property
    def on_gpu(self) -> bool:
        """Tell whether trials compute on GPUs."""

    @property
    def worker_count(self) -> int:
        """Count the workers that may run at the same time."""

    def check(self, storage: str) -> None:
        """Raise StudyError where it cannot run, before anything is written."""

    def run(self, run: Run, stop: Path, note: Note) -> Generator[None, None, None]:
        """Run workers to the end of the budget, or until the file `stop` exists; yield about once a second."""


@dataclass(frozen=True)
class Processes:
    """Workers on this machine, each a process; a single one works in this process."""

    # Processes; None takes one a core, or one for each GPU. With 0 the study is only prepared, for workers that join it.
    workers: int | None = None
    # Where trials compute: cpu, cuda or cuda:NUMBER; workers take them in turn.
    devices: tuple[str, ...] = (defaults.DEVICE,)

    def __post_init__(self) -> None:
        if self.workers is not None and self.workers < 0:
            raise StudyError(f"`workers >= 0` must hold, but got {self.workers}; choose a larger number.")

    @property
    def on_gpu(self) -> bool:
        """Tell whether trials compute on GPUs."""
        return defaults.DEVICE not in self.devices

    @property
    def worker_count(self) -> int:
        """Count the processes."""
        return self.workers if self.workers is not None else len(self.devices) if self.on_gpu else cpu_count()

    def check(self, storage: str) -> None:
        """Raise StudyError for a device that is not there."""
        for device in self.devices:
            check_device(device)
        if self.worker_count == 1:  # it works in this process, whose time begins after this
            import_module("search.workers.worker")

    def run(self, run: Run, stop: Path, note: Note) -> Generator[None, None, None]:
        """Run workers, no more of them than there are trials to run."""
        count = self.worker_count
        if run.record.trials is not None:
            paused = sum(map(is_paused, run.study.optuna.get_trials(deepcopy=False)))
            count = min(count, max(run.record.trials - run.record.finished + paused, 1))
        contexts = [
            WorkerContext(
                run.study,
                run.plan,
                run.data,
                run.record.launch_id,
                Path(run.record.runs),
                self.devices[number % len(self.devices)],
            )
            for number in range(count)
        ]
        if len(contexts) == 1:
            yield from SerialExecutor(contexts[0]).run(stop, run.budget.seconds)
        elif contexts:
            yield from ProcessExecutor(tuple(contexts)).run(stop, run.budget.seconds, note)


@dataclass(frozen=True)
class Cluster:
    """Workers as tasks of a Dask cluster, whose workers are jobs of a batch system."""

    # A batch system's name, a TOML file with a [cluster] table, or the address of a Dask scheduler that runs already.
    config: str
    # Jobs that work at the same time, at most.
    jobs: int = defaults.JOBS
    # Where each trial computes.
    device: str = defaults.DEVICE

    def __post_init__(self) -> None:
        if self.jobs < 1:
            raise StudyError(f"`jobs > 0` must hold, but got {self.jobs}; choose a larger number.")

    @property
    def on_gpu(self) -> bool:
        """Tell whether trials compute on GPUs."""
        return self.device != defaults.DEVICE

    @property
    def worker_count(self) -> int:
        """Count the jobs."""
        return self.jobs

    def check(self, storage: str) -> None:
        """Raise StudyError where the configuration is none, or the workers could not share the storage."""
        read_cluster(self.config)
        require_server(storage)

    def run(self, run: Run, stop: Path, note: Note) -> Generator[None, None, None]:
        """Run tasks, as many as there is work for; what the jobs print is beside the checkpoints."""
        from search.launcher.dask_cluster import open_cluster  # Dask takes its time to import
        from search.launcher.dask_executor import DaskExecutor, WorkerSpec

        study, record = run.study, run.record

        def wanted() -> int:
            """Count the workers that there is work for; 0 when the budget is done, or the time."""
            left_s = record.left_s(study)
            if left_s is not None and left_s <= 0:
                return 0
            return min(self.jobs, open_places(study.backend, study.id, chooser(run.plan, study.id)))

        spec = WorkerSpec(study, run.plan.folder, record.launch_id, self.device)
        with open_cluster(read_cluster(self.config), self.jobs, Path(record.runs) / "jobs", note) as client:
            yield from DaskExecutor(client, spec).run(stop, wanted, note)
