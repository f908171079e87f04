"""Trials that train nothing: all that a trial asks of sampler and storage, timed part by part, by one worker or by many.

They climb the whole ladder and write what a real trial writes (`search/workers/worker.py`, `search/workers/objective.py`), but
for checkpoints. Imports no torch, so that 64 workers fit a small machine.
"""

from __future__ import annotations

import sys
import time
import warnings
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import optuna
import sqlalchemy as sql
from optuna.distributions import BaseDistribution
from optuna.exceptions import ExperimentalWarning
from optuna.samplers import BaseSampler, RandomSampler
from optuna.storages import GrpcStorageProxy
from optuna.trial import FrozenTrial
from sqlalchemy.orm import Session

from benchmarks.support.measure import Work
from foils import load
from foils.synthetic.synthesise import SyntheticFoils, scaled_counts, synthesise
from search import defaults
from search.pruning.audit import is_audited
from search.pruning.promotion import PROMOTION
from search.pruning.pruners import make_pruner
from search.seeds import trial_seed
from search.storage.leases import Lease, claim, requeue_stale_trials, require_lease
from search.storage.pausing import stands
from search.storage.places import Choose, start_new
from search.storage.rung_table import Standing, Start
from search.studies.launch_record import write_launch_record
from search.studies.options import Budget, SearchOptions
from search.studies.plan import Plan, make_plan
from search.studies.standings import chooser
from search.studies.study import Study, open_or_create
from search.trials.ladder import Ladder, Rung
from search.trials.records import CheckpointFile, CheckpointRecord, Recipe, RungResult, TrialOrigin
from search.workers.heartbeat import LeaseHeartbeat
from search.workers.sampler import open_study
from search.workers.stop_signal import StopSignal
from spaces import Space
from spaces.suggest import suggest

# Signal pits of a fold: where five share the 259 of the foils that we know.
SIGNALS = 50
# Seconds between two looks for the others, when many start together.
LOOK_S = 0.05
# Errors after which a worker gives up.
MANY = 100

Part = Callable[[str], AbstractContextManager[None]]


@dataclass(frozen=True)
class Done:
    """What a worker did: when, the numbers of its trials, the milliseconds that each took of it, and the errors it met."""

    work: Work
    numbers: tuple[int, ...]
    overheads: tuple[float, ...]
    # What drivers said, also where the database was asked again, and what trials ended by.
    errors: tuple[str, ...]
    # Whether its process has imported torch.
    torch: bool


def plan_of(folder: Path) -> Plan:
    """Plan a search of the default space over a few synthetic foils, made in a folder."""
    synthesise(folder, SyntheticFoils(seed=0, counts=scaled_counts(100)))
    plan, _ = make_plan(load(folder), Space(), SearchOptions(ladder=Ladder.parse(defaults.LADDER)))
    return plan


def begin(name: str, storage: str, plan: Plan, trials: int, runs: Path) -> Study:
    """Create a study whose budget is so many trials."""
    study = open_or_create(name, storage, plan)
    write_launch_record(study, Budget(trials), 1, runs)
    return study


def reached(rung: Rung, value: float) -> RungResult:
    """Give the record of a trial on a rung, every fold with the same acceptance."""
    shares, pits = (value,) * rung.folds, (SIGNALS,) * rung.folds
    accepted, verdicts = (round(value * SIGNALS),) * rung.folds, ("learned",) * rung.folds
    return RungResult(
        str(rung), shares, shares, accepted, pits, pits, pits, shares, shares, verdicts, (0,) * rung.folds, rung.cost, 1.0
    )


def saved(rung: Rung) -> CheckpointRecord:
    """Give the record of the checkpoints that a trial would have on a rung."""
    file = CheckpointFile(f"fold0-0-{rung.epochs}-01234567.safetensors", "0" * 64, 0, rung.epochs)
    return CheckpointRecord({str(fold): vars(file) for fold in range(rung.folds)}, {}, 0, 1.0, False)


class Chance(RandomSampler):
    """Chooses at random, and reads the study before, as samplers do that learn from it."""

    def infer_relative_search_space(self, study: optuna.Study, trial: FrozenTrial) -> dict[str, BaseDistribution]:
        """Give no parameters, having read all trials."""
        study.get_trials(deepcopy=False)
        return {}


class IdleWorker:
    """Takes one trial of a study after the other, as a worker does."""

    def __init__(self, study: Study, sampler: Callable[[int], BaseSampler] | None = None, sleep_s: float = 0.0) -> None:
        """`sampler`: for a trial of this number, where not the study's own; `sleep_s`: how long each trial is to sleep."""
        self.study, self.plan, self.sampler, self.sleep_s = study, study.plan, sampler, sleep_s
        self.backend, self.id = study.backend, study.id

    def run(self, part: Part = lambda name: nullcontext()) -> int | None:
        """Run the next trial and give its number; None where the budget is done. `part`: entered for each part by its name."""
        with part("claim"):
            requeue_stale_trials(self.backend, self.id)
            # A new one always, so that every trial that is timed climbs all rungs; what else there is to choose from is read.
            chosen = chooser(self.plan, self.id)
            lease = claim(self.backend, self.id, TrialOrigin("idle", "host:1"), None, partial(_new, chosen))
        if lease is None:
            return None
        with LeaseHeartbeat(self.backend, lease, StopSignal()):
            with part("suggest"):
                opened = open_study(self.study, self.plan, lease.number)
                if self.sampler is not None:
                    opened.sampler = self.sampler(lease.number)
                trial = optuna.Trial(opened, lease.trial_id)
            climb(
                trial,
                self.plan,
                partial(self.backend.transaction, require_lease(lease)),
                part,
                self.sleep_s,
                partial(self._stand, lease),
            )
            with part("end"), self.backend.transaction(require_lease(lease)):
                opened.tell(trial, value_of(lease.number))
        return lease.number

    def _stand(self, lease: Lease, height: int, rung: Rung) -> None:
        """Write how a trial stands on a rung, and climb on, whatever would be chosen."""
        if self.plan.options.pruner != PROMOTION:
            return
        standing, chosen = Standing(lease.trial_id, height, value_of(lease.number), 1.0), chooser(self.plan, self.id)

        def choose(session: Session, places: int, launched: Any, arrived: Standing | None) -> int:
            chosen(session, places, launched, arrived)
            return lease.trial_id

        top = height == len(self.plan.ladder.rungs) - 1
        assert stands(self.backend, self.id, lease, standing, str(rung), None if top else choose)


def _new(chosen: Choose, session: Session, places: int, launched: Any, arrived: Standing | None) -> int | Start:
    chosen(session, places, launched, arrived)
    return start_new(session, places, launched, arrived)


def value_of(number: int) -> float:
    """Give the acceptance of a trial: most are good, as in a study that has found what works."""
    return float(np.random.default_rng(number).beta(8, 2))


def climb(
    trial: optuna.Trial,
    plan: Plan,
    transaction: Callable[[], AbstractContextManager[None]],
    part: Part,
    sleep_s: float = 0.0,
    stand: Callable[[int, Rung], None] = lambda height, rung: None,
) -> None:
    """Choose, and climb every rung, whatever the pruner says."""
    with part("suggest"), transaction():
        config = suggest(trial, plan.space)
        audited = is_audited(plan.options.seed, trial.number, plan.options.audit)
        Recipe(config.to_dict(), trial_seed(plan.options.seed, trial.number), audited).write(trial)
    rungs, value = plan.ladder.rungs, value_of(trial.number)
    for height, rung in enumerate(rungs):
        time.sleep(sleep_s / len(rungs))
        with part("rungs"), transaction():
            trial.report(value, rung.cost)
            if rung is not rungs[-1]:
                trial.should_prune()
                saved(rung).write(trial)
            reached(rung, value).write(trial)
        with part("rungs"):
            stand(height, rung)


class Clock:
    """Adds up what parts took, in milliseconds. Use its `part` as the part of a trial."""

    def __init__(self, read: Callable[[], float] = time.perf_counter) -> None:
        self.read, self.taken = read, defaultdict[str, float](float)

    @contextmanager
    def part(self, name: str) -> Iterator[None]:
        """Add what is done within to a part."""
        started = self.read()
        yield
        self.taken[name] += 1e3 * (self.read() - started)


def meet(folder: Path, mine: str, count: int) -> None:
    """Wait until so many processes are here."""
    folder.mkdir(exist_ok=True)
    (folder / mine).touch()
    while len(list(folder.iterdir())) < count:
        time.sleep(LOOK_S)


def work_idly(study: Study, meeting: Path, mine: str, count: int, sleep_s: float) -> Done:
    """Run do-nothing trials of random choices with `count` others until the study's budget is done."""
    errors, worker = list[str](), IdleWorker(study, lambda number: Chance(seed=number), sleep_s)

    @sql.event.listens_for(worker.backend.engine, "handle_error")
    def note(context: sql.ExceptionContext) -> None:
        errors.append(repr(context.original_exception))

    def one(clock: Clock) -> int | None:
        return worker.run(clock.part)

    try:
        return _work(one, meeting, mine, count, errors)
    finally:
        sql.event.remove(worker.backend.engine, "handle_error", note)


def connect(port: int) -> GrpcStorageProxy:
    """Connect to a gRPC proxy of this machine."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ExperimentalWarning)
        return GrpcStorageProxy(host="127.0.0.1", port=port)


def work_plainly(
    name: str, port: int, plan: Plan, trials: int, meeting: Path, mine: str, count: int, sleep_s: float = 0.0
) -> Done:
    """Run so many do-nothing trials through Optuna's gRPC proxy, as Optuna itself would: it has no leases and no budget."""
    pruner = make_pruner(plan.options.pruner, plan.ladder)
    study, left = optuna.load_study(study_name=name, storage=connect(port), sampler=Chance(), pruner=pruner), [trials]

    def one(clock: Clock) -> int | None:
        if not left[0]:
            return None
        left[0] -= 1
        with clock.part("claim"):
            trial = study.ask()
            TrialOrigin("idle", "host:1").write(trial)
        climb(trial, plan, nullcontext, clock.part, sleep_s)
        with clock.part("end"):
            study.tell(trial, value_of(trial.number))
        return trial.number

    return _work(one, meeting, mine, count, [])


def _work(one: Callable[[Clock], int | None], meeting: Path, mine: str, count: int, errors: list[str]) -> Done:
    """Run trials until there are no more; `errors` holds those of drivers, noted as they come."""
    meet(meeting, mine, count)
    numbers, overheads, started = list[int](), list[float](), time.time()
    while len(errors) < MANY:
        clock = Clock()
        try:
            number = one(clock)
        except Exception as error:  # noted, and the trial is missed when trials are counted
            errors.append(repr(error))
            continue
        if number is None:
            break
        numbers.append(number)
        overheads.append(sum(clock.taken.values()))
    work = Work(started, time.time(), len(numbers))
    return Done(work, tuple(numbers), tuple(overheads), tuple(errors), "torch" in sys.modules)
