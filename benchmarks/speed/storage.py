"""What sampler and storage take of a trial, by the trials that a study holds already, and by those that run beside it."""

from __future__ import annotations

import time
import warnings
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

import sqlalchemy as sql
from optuna.exceptions import ExperimentalWarning
from optuna.samplers import TPESampler

from benchmarks.support.filling import fill
from benchmarks.support.idle import Clock, IdleWorker, begin, plan_of
from benchmarks.support.measure import Spread, Table, ratio
from search.storage.health import check_storage
from search.storage.optuna_internals import CachedStorage
from search.studies.study import Study
from tests.support.engines import run_postgres

# Finished trials of a study, trials that run beside, and the seconds of a trial that its overhead is set against.
THERE, BESIDE, TRIAL_S = (100, 1000, 3000, 10000), (0, 16, 64, 256), 10.0
# The finished trials where others run beside.
MIDDLE = 1000
PARTS = ("claim", "suggest", "rungs", "end")
COLUMNS = (*PARTS, "together", f"% of a trial of {TRIAL_S:.0f} s", "computing", "statements")
# A budget that has room for all.
ROOM = 10**9


@dataclass(frozen=True)
class Taken:
    """What a trial took: milliseconds of each part, milliseconds of computing here, and statements to the database."""

    parts: dict[str, float]
    computing: float
    statements: int

    @property
    def whole(self) -> float:
        """The milliseconds of all parts."""
        return sum(self.parts.values())


def measure(rounds: int = 5, scale: float = 1.0) -> list[Table]:
    """Run trials that train nothing in studies that hold ever more trials. `scale`: of how many."""
    counts = [max(10, round(count * scale)) for count in THERE]
    with TemporaryDirectory() as folder, run_postgres() as server:
        plan = plan_of(Path(folder) / "foils")
        addresses = {"SQLite": f"sqlite:///{folder}/studies.db", "PostgreSQL": server.url("studies")}
        runs = Path(folder) / "runs"
        studies = {kind: begin("growth", address, plan, ROOM, runs) for kind, address in addresses.items()}
        grown = _growth(studies, counts, rounds)
        beside = begin("beside", addresses["PostgreSQL"], plan, ROOM, runs)
        crowded = _crowd(beside, max(10, round(MIDDLE * scale)), [round(count * scale) for count in BESIDE], rounds)
        checked = {kind: check_storage(address) for kind, address in addresses.items()}
    return [
        Table(
            "Sampler and storage of a trial that climbs the whole ladder, in milliseconds",
            ["storage", "trials there", *COLUMNS],
            [[kind, str(count), *_cells(taken)] for (kind, count), (taken, _) in grown.items()],
            [
                "suggest: open the study, choose, write it down; rungs: four times report, ask the pruner, write down; "
                "computing: of the worker's process; statements: sent to the database",
            ],
        ),
        Table(
            "The same with trials of other workers beside it, on PostgreSQL",
            ["running beside", *COLUMNS, "with Optuna's sampler", "ratio"],
            [[str(count), *_cells(ours), *_against(ours, theirs)] for count, (ours, theirs) in crowded.items()],
            [
                f"{max(10, round(MIDDLE * scale))} finished trials there; Optuna's sampler: the same, but looking at the study "
                "anew for each group of parameters; ratio: of its whole trial to ours, round by round"
            ],
        ),
        Table(
            "The storages",
            ["storage", "a write, ms", "a read, ms", *(f"{count} trials read anew, s" for count in counts)],
            [
                [kind, f"{one.write_ms:.2f}", f"{one.read_ms:.2f}", *(f"{grown[kind, count][1]:.2f}" for count in counts)]
                for kind, one in checked.items()
            ],
            ["a write: a transaction that changes one row, brought to the disk; read anew: as by a worker that just started"],
        ),
    ]


def _growth(studies: dict[str, Study], counts: Sequence[int], rounds: int) -> dict[tuple[str, int], tuple[list[Taken], float]]:
    """Fill studies up and run trials in them, in turns; also give the seconds that reading each anew takes."""
    workers = {kind: IdleWorker(study) for kind, study in studies.items()}
    timings: dict[tuple[str, int], tuple[list[Taken], float]] = {}
    before = 0
    for count in counts:
        for kind, study in studies.items():
            fill(study, count - before, seed=count)
            timings[kind, count] = ([], _read_anew(study))
            workers[kind].run()  # which reads what is new, as each worker does once
        for _ in range(rounds):
            for kind, worker in workers.items():
                timings[kind, count][0].append(_timed(worker))
        before = count
    return {key: timings[key] for kind in studies for key in timings if key[0] == kind}


def _crowd(study: Study, count_finished: int, beside: Sequence[int], rounds: int) -> dict[int, tuple[list[Taken], list[Taken]]]:
    """Run trials beside ever more that run already, in turns with our sampler and with Optuna's own."""
    fill(study, count_finished, seed=0)
    ours, theirs = IdleWorker(study), IdleWorker(study, _optunas)
    timings: dict[int, tuple[list[Taken], list[Taken]]] = {}
    before = 0
    for count in beside:
        fill(study, count - before, seed=count, running=True)
        ours.run()
        turns = [(_timed(ours), _timed(theirs)) for _ in range(rounds)]
        timings[count] = [one for one, _ in turns], [other for _, other in turns]
        before = count
    return timings


def _optunas(number: int) -> TPESampler:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ExperimentalWarning)
        return TPESampler(multivariate=True, group=True, constant_liar=True, seed=number)


def _timed(worker: IdleWorker) -> Taken:
    wall, computing, sent = Clock(), Clock(time.process_time), Counter[str]()

    @contextmanager
    def part(name: str) -> Iterator[None]:
        with wall.part(name), computing.part(name):
            yield

    def count(*statement: object) -> None:
        sent["statements"] += 1

    sql.event.listen(worker.backend.engine, "before_cursor_execute", count)
    worker.run(part)
    sql.event.remove(worker.backend.engine, "before_cursor_execute", count)
    return Taken({name: wall.taken[name] for name in PARTS}, sum(computing.taken.values()), sent["statements"])


def _read_anew(study: Study) -> float:
    started = time.perf_counter()
    CachedStorage(study.backend).get_all_trials(study.id, deepcopy=False)
    return time.perf_counter() - started


def _cells(taken: Sequence[Taken]) -> list[str]:
    parts = [Spread.of([one.parts[name] for one in taken]) for name in PARTS]
    whole, computing = Spread.of([one.whole for one in taken]), Spread.of([one.computing for one in taken])
    share = Spread.of([one.whole / (10 * TRIAL_S) for one in taken])
    return [*map(str, (*parts, whole, share, computing)), f"{median(one.statements for one in taken):.0f}"]


def _against(ours: Sequence[Taken], theirs: Sequence[Taken]) -> list[str]:
    wholes = [one.whole for one in theirs]
    return [str(Spread.of(wholes)), str(ratio(wholes, [one.whole for one in ours]))]
