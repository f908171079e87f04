"""Simulate a search of thousands of workers, event by event: the transactions that queue, the sampler, and the rungs.

A worker claims a trial, chooses its configuration, and trains it rung by rung; after each rung it writes how the trial stands.
Which trial climbs on is drawn at the shares that the ladder affords, and it climbs at once. Knows nothing of how costs were
measured, nor of scores: it tells where time goes, and not how good the search is.
"""

from __future__ import annotations

import random
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field
from heapq import heappop, heappush, heapreplace
from itertools import pairwise
from math import inf
from statistics import fmean

from benchmarks.scale.costs import Costs


@dataclass(frozen=True)
class Scenario:
    """What is searched, and with what."""

    workers: int
    # Seconds of training that each rung takes after the one before, and the share of trials that goes on from it.
    rungs: tuple[float, ...]
    shares: tuple[float, ...]
    # Simulated seconds; the first half is not counted.
    seconds: float
    # What the database does at the same time.
    server_cores: int = 32


@dataclass
class Outcome:
    """What came of it, in the second half."""

    trials: int = 0
    # Seconds of workers.
    training: float = 0.0
    waiting: float = 0.0
    choosing: float = 0.0
    writing: float = 0.0
    # Of the database: seconds of its cores, and seconds for which the lock of claims was held.
    server: float = 0.0
    lock: float = 0.0
    # Of each choice, the trials that had begun and whose result it did not know.
    unknown: list[int] = field(default_factory=list)


class Queue:
    """Something that does one thing at a time, or so many, in the order in which it is asked."""

    def __init__(self, servers: int = 1) -> None:
        self.free_at = [0.0] * servers

    def serve(self, now: float, seconds: float) -> float:
        """Give the time at which what is asked now is done. To be asked in the order of time."""
        end = max(now, self.free_at[0]) + seconds
        heapreplace(self.free_at, end)
        return end


class Design(ABC):
    """How workers get trials and configurations."""

    def __init__(self, costs: Costs, scenario: Scenario, outcome: Outcome) -> None:
        self.costs, self.scenario, self.outcome = costs, scenario, outcome
        self.server = Queue(scenario.server_cores)
        self.started = self.ended = 0
        self.counted = False

    @abstractmethod
    def claim(self, now: float, worker: int) -> float:
        """Give the time at which a free worker has a trial."""

    @abstractmethod
    def choose(self, now: float, worker: int) -> float:
        """Give the time at which its trial has a configuration."""

    @abstractmethod
    def stand(self, now: float) -> float:
        """Give the time at which a rung, or the end, is written."""

    def query(self, now: float, seconds: float) -> float:
        """Let the database work for so long on a core of its own."""
        if self.counted:
            self.outcome.server += seconds
        return self.server.serve(now, seconds)


class Present(Design):
    """As it is: the study's row is locked for a claim, and each worker reads what the others did and chooses for itself."""

    # Trials that TPE compares, and trials of each kind that are read for a choice.
    most: float = inf
    most_read: float = inf
    # The part of reading a trial that is the database's own; the rest is the worker's.
    SERVER_SHARE = 0.5

    def __init__(self, costs: Costs, scenario: Scenario, outcome: Outcome) -> None:
        super().__init__(costs, scenario, outcome)
        self.lock = Queue()
        self.known = [0] * scenario.workers

    def claim(self, now: float, worker: int) -> float:
        """Wait for the study's row."""
        held = self.costs.claim.at(self.started)
        if self.counted:
            self.outcome.lock += held
        return self.lock.serve(now, held)

    def choose(self, now: float, worker: int) -> float:
        """Read the trials that run, and those that ended since this worker's last choice; then compute."""
        running, fresh = self.started - self.ended, self.ended - self.known[worker]
        self.known[worker] = self.ended
        if self.counted:
            self.outcome.unknown.append(running)
        read = min(running, self.most_read) * self.costs.read_running + min(fresh, self.most_read) * self.costs.read_ended
        done = self.query(now, read * self.SERVER_SHARE)
        return done + read * (1 - self.SERVER_SHARE) + self.costs.choose.at(min(self.ended, self.most))

    def stand(self, now: float) -> float:
        """Read all standings and write one."""
        return self.query(now, self.costs.stand.at(self.started))


class FewCompared(Present):
    """What comparing fewer trials in TPE would bring: the 25 that it takes for good, and some others. Not built."""

    most = 3000


class FewRead(FewCompared):
    """What reading less would bring: so many trials for a choice, the best and some others. Not built."""

    most_read = 1000


class ChosenAhead(Design):
    """Proposed: some processes choose ahead and enqueue; workers take what waits, and compare a score with a stored bound."""

    # Processes that choose, and for how many trials at once.
    CHOOSERS, BATCH = 64, 20
    # Trials that may wait, for each worker.
    AHEAD = 0.1

    def __init__(self, costs: Costs, scenario: Scenario, outcome: Outcome) -> None:
        super().__init__(costs, scenario, outcome)
        self.choosers = Queue(min(self.CHOOSERS, max(1, scenario.workers // 20)))
        self.known = 0
        # When each trial that waits is there to be taken, and what ended before it was chosen.
        self.waits: list[tuple[float, int]] = []

    def claim(self, now: float, worker: int) -> float:
        """Take the row of a trial that waits, which no other worker has locked."""
        if not self.waits:
            self._enqueue(now)
        ready, known = heappop(self.waits)
        if len(self.waits) < self.AHEAD * self.scenario.workers:
            self._enqueue(now)
        if self.counted:
            self.outcome.unknown.append(self.started - known)
        if self.counted:
            self.outcome.server += self.costs.write
        return max(now, ready) + self.costs.write  # too little to queue for, and what is asked later must not be served now

    def _enqueue(self, now: float) -> None:
        """Let a process that chooses read what is new, once for all of a batch, and choose that."""
        fresh = self.ended - self.known
        self.known = self.ended
        # Each of them reads all that ended; a batch of its own comes after those of all others.
        reading = fresh * len(self.choosers.free_at) * self.costs.read_ended
        seconds = reading + self.BATCH * self.costs.choose.at(min(self.ended, FewCompared.most))
        ready = self.choosers.serve(now, seconds)
        if self.counted:
            self.outcome.server += reading * Present.SERVER_SHARE
        for _ in range(self.BATCH):
            heappush(self.waits, (ready, self.ended))

    def choose(self, now: float, worker: int) -> float:
        """The trial came with its configuration."""
        return now

    def stand(self, now: float) -> float:
        """Write a standing, and read the bound of its rung."""
        return self.query(now, 2 * self.costs.write)


def simulate(design: type[Design], costs: Costs, scenario: Scenario, seed: int = 0) -> Outcome:
    """Run a search for the seconds of a scenario."""
    outcome, chance = Outcome(), random.Random(seed)
    run = design(costs, scenario, outcome)
    half = scenario.seconds / 2
    # When, in which order, which worker, and the rung that its trial is on: -1 where it is free, and -2 where it has a trial
    # without a configuration.
    events: list[tuple[float, int, int, int]] = []
    for worker in range(scenario.workers):
        heappush(events, (chance.uniform(0, min(60.0, half)), worker, worker, -1))
    order = scenario.workers
    while events and events[0][0] <= scenario.seconds:
        now, _, worker, rung = heappop(events)
        run.counted = counted = now >= half
        if rung == -1:
            then = run.claim(now, worker)
            run.started += 1
            outcome.waiting += (then - now) * counted
        elif rung == -2:
            then = run.choose(now, worker)
            outcome.choosing += (then - now) * counted
        else:
            written = run.stand(now)
            outcome.writing += (written - now) * counted
            outcome.training += scenario.rungs[rung] * counted
            then = written
            if rung + 1 == len(scenario.rungs) or chance.random() >= scenario.shares[rung]:
                run.ended += 1
                outcome.trials += counted
                heappush(events, (then, order, worker, -1))
                order += 1
                continue
        step = rung + 1 if rung >= 0 else (-2 if rung == -1 else 0)
        wait = scenario.rungs[step] if step >= 0 else 0.0
        heappush(events, (then + wait, order, worker, step))
        order += 1
    return outcome


def mean_unknown(outcome: Outcome) -> float:
    """Give how many begun trials a choice did not know the result of, on average."""
    return fmean(outcome.unknown) if outcome.unknown else 0.0


def shares_of(costs: Sequence[int]) -> tuple[float, ...]:
    """Give the share of trials that a ladder of these fold-epochs lets go on from each rung."""
    return (*(low / high for low, high in pairwise(costs)), 0.0)
