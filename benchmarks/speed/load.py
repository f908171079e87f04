"""Many workers at once on one study: trials a second, what each trial waits for, and whether a trial is lost.

The workers are processes that run do-nothing trials (`idle.py`) of random choices, so that what is measured is the storage.
"""

from __future__ import annotations

import multiprocessing
import warnings
from collections.abc import Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

import optuna
from optuna.exceptions import ExperimentalWarning
from optuna.storages import get_storage, run_grpc_proxy_server
from optuna.trial import TrialState

from benchmarks.support.idle import Done, begin, connect, meet, plan_of, work_idly, work_plainly
from benchmarks.support.measure import Spread, Table, rate, workers
from search.studies.plan import Plan
from tests.support.engines import run_postgres
from tests.support.processes import PATIENCE_S, free_ports

# Workers; the trials that they share; of the run that counts lost trials.
WORKERS, TRIALS, MANY, MANY_WORKERS = (1, 4, 16, 64), 256, 5000, 16
# Trials of so many seconds, asleep, and how many of them for each worker.
SLEEP_S, EACH = 10.0, 3
SQLITE, POSTGRES, GRPC = "SQLite", "PostgreSQL", "gRPC"
COLUMNS = ["storage", "workers", "trials", "trials a second", "overhead, median, ms", "overhead, worst, ms", "errors", "lost"]


@dataclass(frozen=True)
class Ran:
    """A run: trials a second, the overhead of each trial in milliseconds, errors, and trials that are lost or too many."""

    rate: float
    overheads: tuple[float, ...]
    errors: tuple[str, ...]
    lost: int


def measure(rounds: int = 5, scale: float = 1.0) -> list[Table]:
    """Let 1 to 64 workers share a study on each storage. `scale`: of trials, and where it is small of workers."""
    counts = [count for count in WORKERS if count <= max(4, scale * WORKERS[-1])]
    trials, many = max(counts[-1], round(TRIALS * scale)), max(MANY_WORKERS, round(MANY * scale))
    with TemporaryDirectory() as folder, run_postgres() as server, workers(counts[-1]) as pool:
        addresses = {SQLITE: f"sqlite:///{folder}/studies.db", POSTGRES: server.url("studies"), GRPC: server.url("proxied")}
        worker_pool = WorkerPool(pool, Path(folder), plan_of(Path(folder) / "foils"), addresses)
        worker_pool.gather(counts[-1])
        runs_of: dict[tuple[str, int], list[Ran]] = {(kind, count): [] for kind in addresses for count in counts}
        for _ in range(rounds):
            for kind, count in runs_of:
                runs_of[kind, count].append(worker_pool.run(kind, count, trials))
        alone = worker_pool.run(POSTGRES, min(MANY_WORKERS, counts[-1]), many)
        asleep = worker_pool.run(POSTGRES, counts[-1], EACH * counts[-1], SLEEP_S * min(1.0, scale))
    return [
        Table(
            "Workers that train nothing, on one study",
            COLUMNS,
            [_row(kind, count, trials, runs) for (kind, count), runs in runs_of.items()],
            [
                "overhead: what a trial takes of its worker, all of it here; errors: also those after which the database was "
                "asked again; lost: trials by which the budget is missed",
                "gRPC: Optuna's proxy before the same PostgreSQL, and Optuna's own calls, without our leases, budget and "
                "transactions, which need SQL; each worker has its share of the trials",
            ],
        ),
        Table(
            "Many trials, and trials that last, on PostgreSQL",
            ["trials that", *COLUMNS[1:]],
            [
                _row("train nothing", min(MANY_WORKERS, counts[-1]), many, [alone]),
                _row(f"sleep for {SLEEP_S * min(1.0, scale):.3g} s", counts[-1], EACH * counts[-1], [asleep]),
            ],
        ),
    ]


def _row(name: str, count: int, trials: int, runs: list[Ran]) -> list[str]:
    rates = Spread.of([one.rate for one in runs])
    typical = Spread.of([median(one.overheads) for one in runs])
    worst = max(max(one.overheads) for one in runs)
    errors, lost = sum(len(one.errors) for one in runs), sum(one.lost for one in runs)
    return [name, str(count), str(trials), str(rates), str(typical), f"{worst:.0f}", str(errors), str(lost)]


class WorkerPool:
    """Workers, and the storages that they work on."""

    def __init__(self, pool: ProcessPoolExecutor, folder: Path, plan: Plan, addresses: Mapping[str, str]) -> None:
        """`addresses`: of a database for each kind, whose studies come one after the other: a worker keeps its connection."""
        self.pool, self.folder, self.plan, self.addresses = pool, folder, plan, addresses
        self._runs = 0

    def gather(self, count: int) -> None:
        """Wait until so many workers have started."""
        here = self.folder / "here"
        for started in [self.pool.submit(meet, here, str(number), count) for number in range(count)]:
            started.result()

    def run(self, kind: str, count: int, trials: int, sleep_s: float = 0.0) -> Ran:
        """Let so many workers run a study of so many trials on this kind of storage."""
        self._runs += 1
        name, meeting = f"run {self._runs}", self.folder / f"run {self._runs}"
        study = begin(name, self.addresses[kind], self.plan, trials, self.folder / "runs")
        if kind != GRPC:
            started = [self.pool.submit(work_idly, study, meeting, str(number), count, sleep_s) for number in range(count)]
            return ran([one.result() for one in started], study.optuna, trials)
        shares = [trials // count + (number < trials % count) for number in range(count)]
        with proxy(self.addresses[kind]) as port:
            started = [
                self.pool.submit(work_plainly, name, port, self.plan, share, meeting, str(number), count)
                for number, share in enumerate(shares)
            ]
            return ran([one.result() for one in started], study.optuna, trials)


def ran(outcomes: list[Done], study: optuna.Study, trials: int) -> Ran:
    """Sum up a run, and count the trials in its storage against those that were to be there."""
    assert not any(one.torch for one in outcomes)  # with it 64 workers would take 40 GB
    stored = [trial.number for trial in study.get_trials(deepcopy=False) if trial.state == TrialState.COMPLETE]
    said = [number for one in outcomes for number in one.numbers]
    # Every number once, in the storage and by what workers say that they ran.
    lost = max(len({*range(trials)} ^ set(numbers)) + len(numbers) - len(set(numbers)) for numbers in (stored, said))
    overheads = tuple(overhead for one in outcomes for overhead in one.overheads)
    return Ran(rate([one.work for one in outcomes]), overheads, tuple(error for one in outcomes for error in one.errors), lost)


@contextmanager
def proxy(address: str) -> Iterator[int]:
    """Run Optuna's gRPC proxy before a database, in a process of its own, and give its port."""
    (port,) = free_ports(1)
    process = multiprocessing.get_context("spawn").Process(target=_serve, args=(address, port), daemon=True)
    process.start()
    try:
        connect(port).wait_server_ready(timeout=PATIENCE_S)
        yield port
    finally:
        process.terminate()
        process.join()


def _serve(address: str, port: int) -> None:
    warnings.simplefilter("ignore", ExperimentalWarning)
    run_grpc_proxy_server(get_storage(address), host="127.0.0.1", port=port)
