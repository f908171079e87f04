"""A small study whose trials are all known before, run by real processes, so that faults can be played against it.

Every trial's configuration is enqueued and nothing is pruned: whatever the order and the workers, an undisturbed run gives the
same table. Knows nothing of the faults.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import sqlalchemy as sql
from optuna.storages._rdb.models import TrialModel
from optuna.trial import FrozenTrial, TrialState

from search.storage.lease_table import LEASES
from search.studies.study import Study, find_study
from search.trials.records import RungResult, TrialOrigin
from spaces import Range, Space
from spaces.axes import Domain
from tests.support.studies import SMALL_SPACE

LADDER = "1x20,5x20,5x40"
# Of the worst false-positive rates: no trial's reseed hangs on whether others learned before it.
WORKING_POINT = "0.4"
# The trial whose learning rate its trainings do not survive.
EXPLODES = 3
# A lease in these studies, where a fault has to wait for its end.
SHORT_LEASE_S = 6.0
PATIENCE_S = 240.0

Row = tuple[Any, ...]


@dataclass(frozen=True)
class Table:
    """What a study's trials came to, by number: all but the time that they took."""

    rows: Mapping[int, Row]

    @classmethod
    def of(cls, trials: Sequence[FrozenTrial]) -> Table:
        """Read it from trials that have ended."""
        return cls({trial.number: _row(trial) for trial in trials if trial.state.is_finished()})


def _row(trial: FrozenTrial) -> Row:
    reached = RungResult.read(trial)
    record = None if reached is None else replace(reached, seconds=0.0)
    return trial.state.name, trial.values, dict(trial.intermediate_values), dict(trial.params), record


def write_known(folder: Path, trials: int) -> Path:
    """Write a file of known configurations, each of its own, for all but the two trials that every study begins with."""
    tables = []
    for number in range(trials - 2):
        choices: dict[str, Any] = {
            "network.norm": "batch",
            "network.width": (4, 8)[number % 2],
            "optimiser.name": ("adam", "adamw")[number // 2 % 2],
            "optimiser.learning_rate": 0.003 + 0.0002 * number,
            "optimiser.weight_decay": 1e-4,
            "optimiser.schedule": "cosine",
            "balance.name": "none",
            "augmentation.lights": "symmetries",
        }
        if number == EXPLODES - 2:
            choices |= {"network.norm": "none", "optimiser.name": "sgd", "optimiser.learning_rate": 100.0}
        tables.append("[[trial]]\n" + "\n".join(f'"{key}" = {_toml(value)}' for key, value in choices.items()))
    file = folder / "known.toml"
    file.write_text("\n\n".join(tables) + "\n", encoding="utf-8")
    return file


def _toml(value: object) -> str:
    return f'"{value}"' if isinstance(value, str) else repr(value)


@dataclass
class Lab:
    """One study in a folder of its own, and the processes that were started for it.

    `environment`: what their processes see beside ours; `seen`: every rung that the database has acknowledged so far.
    """

    folder: Path
    data: Path
    storage: str
    trials: int = 6
    pruner: str = "none"
    environment: dict[str, str] = field(default_factory=dict)
    seen: set[tuple[int, int, float]] = field(default_factory=set)
    processes: list[subprocess.Popen[str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        wide: dict[str, Domain] = {
            "network.norm": ("batch", "none"),
            "optimiser.name": ("adam", "adamw", "sgd"),
            "optimiser.learning_rate": Range(3e-3, 100, log=True),
        }
        (self.folder / "space.toml").write_text(Space({**SMALL_SPACE.chosen, **wide}).write(), encoding="utf-8")
        self.known = write_known(self.folder, self.trials)

    @cached_property
    def runs(self) -> Path:
        """The folder of checkpoints."""
        return self.folder / "runs"

    def launch(
        self, workers: int | None, *more: str, prefix: Sequence[str] = (), space: str = "space.toml"
    ) -> subprocess.Popen[str]:
        """Start a launch of the whole study; without `workers`, one that says in `more` who works."""
        words = ["launch", self.data, "--trials", self.trials, "--space", self.folder / space]
        words += [] if workers is None else ["--workers", workers]
        words += ["--enqueue", self.known, "--ladder", LADDER, "--pruner", self.pruner, "--audit", "0", "--runs", self.runs]
        words += ["--working-point", WORKING_POINT, "--study", "lab", "--storage", self.storage, *more]
        return self.start([str(word) for word in words], prefix)

    def prepare(self) -> None:
        """Let the study be there, with nobody to work on it."""
        said(self.launch(0))

    def worker(self, *more: str, prefix: Sequence[str] = ()) -> subprocess.Popen[str]:
        """Start a worker by hand."""
        return self.start(["worker", "--study", "lab", "--storage", self.storage, *more], prefix)

    def start(self, words: Sequence[str], prefix: Sequence[str] = ()) -> subprocess.Popen[str]:
        """Start the command in a session of its own, as a terminal would."""
        process = subprocess.Popen(
            [*prefix, sys.executable, "-m", "pitsearch", *words],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            cwd=self.folder,
            env={**os.environ, **self.environment},
            start_new_session=True,
        )
        self.processes.append(process)
        return process

    @property
    def study(self) -> Study:
        """The study itself."""
        return find_study("lab", self.storage)

    def read(self) -> list[FrozenTrial]:
        """Read the trials, and remember which rungs are acknowledged."""
        trials = self.study.optuna.get_trials(deepcopy=False)
        self.seen |= {(trial.number, step, value) for trial in trials for step, value in trial.intermediate_values.items()}
        return trials

    def running(self) -> dict[int, int]:
        """Give the processes of trials that run, by trial, once their first rung is on record."""
        found = {}
        for trial in self.read():
            start = TrialOrigin.read(trial)
            if trial.state == TrialState.RUNNING and trial.intermediate_values and start is not None:
                found[trial.number] = int(start.worker.rpartition(":")[2])
        return found

    def taken_up(self) -> dict[int, int]:
        """Tell how often each trial has been taken from a worker that was gone."""
        asked = sql.select(TrialModel.number, LEASES.c.taken_up).join(LEASES, LEASES.c.trial_id == TrialModel.trial_id)
        rows = self.study.backend.transact(lambda session: session.execute(asked).all(), reads=True)
        return {row.number: row.taken_up for row in rows}

    def wait(self, true: Callable[[], object], what: str, seconds: float = PATIENCE_S) -> None:
        """Look until something is so. Raises TimeoutError, with what the processes said, where it never is."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if true():
                return
            time.sleep(0.1)
        for process in self.processes:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
        told = " | ".join(said(process) for process in self.processes if process.stdout and not process.stdout.closed)
        raise TimeoutError(f"{what}: not within {seconds:.0f} s; {told}")

    def wait_for_rungs(self, trials: int = 1) -> dict[int, int]:
        """Wait until so many trials run that have reached their first rung; give their processes by trial."""
        found: dict[int, int] = {}

        def there() -> bool:
            found.clear()
            found.update(self.running() if self.is_there() else {})
            return len(found) >= trials

        self.wait(there, f"{trials} trials on their way")
        return found

    def is_there(self) -> bool:
        """Tell whether the study has been made."""
        try:
            return bool(self.study)
        except ValueError:
            return False

    @contextmanager
    def watched(self) -> Iterator[None]:
        """Remember acknowledged rungs all the while."""
        ended = threading.Event()

        def watch() -> None:
            while not ended.wait(0.2):
                if self.is_there():
                    self.read()

        watcher = threading.Thread(target=watch, daemon=True)
        watcher.start()
        try:
            yield
        finally:
            ended.set()
            watcher.join(timeout=10)

    def end(self) -> None:
        """Kill whatever still runs, and close what nobody has read."""
        for process in self.processes:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
            if process.stdout is not None:
                process.stdout.close()


def said(process: subprocess.Popen[str], seconds: float = PATIENCE_S) -> str:
    """Wait for a process and give all that it said."""
    out, _ = process.communicate(timeout=seconds)
    return out
