"""Every fault that is played, and how: the one table of them, and what plays one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from search.pruning.promotion import PROMOTION
from tests.faults import clusters, deaths, outside, places, starts
from tests.faults.findings import Finding, judge
from tests.faults.lab import SHORT_LEASE_S, Lab, Table
from tests.support.engines import Postgres, Slurm

SQLITE, POSTGRESQL = ("sqlite",), ("postgresql",)


@dataclass(frozen=True)
class Fault:
    """A fault, by what happens.

    `play`: plays it to the end and says what was found; `storages`: where it is played, one unless the database is its point;
    `trials`: of the study; `lease_s`: of its leases, None for what a user has; `excused`: trials that may differ from an
    undisturbed run's; `engine`: the fixture that `play` takes beside the lab, by its name; `pruner`: of the study; `fast`: the
    storages on which it is part of `make test`, too.
    """

    name: str
    play: Callable[..., str]
    storages: tuple[str, ...]
    trials: int = 5
    lease_s: float | None = None
    excused: frozenset[int] = frozenset()
    engine: str | None = None
    pruner: str = "none"
    fast: tuple[str, ...] = ()


# The first has the most trials: its undisturbed run serves all.
FAULTS = (
    Fault("kill -9 of a worker in a rung, 10 times", partial(deaths.kill_workers_in_a_rung, times=10), SQLITE, trials=10),
    Fault(
        "kill -9 of a worker, 4 times, while trials are promoted",
        partial(deaths.kill_workers_in_a_rung, times=4),
        POSTGRESQL,
        trials=10,
        pruner=PROMOTION,
    ),
    Fault("kill -9 of the launcher while trials are promoted", deaths.kill_the_launcher, SQLITE, trials=8, pruner=PROMOTION),
    Fault("kill -9 of all workers", deaths.kill_all_workers, POSTGRESQL),
    Fault("kill -9 of the launcher", deaths.kill_the_launcher, SQLITE),
    Fault("SIGTERM to the launcher", deaths.terminate_the_launcher, POSTGRESQL),
    Fault("SIGTERM to a worker, 30 s before its end", deaths.terminate_a_worker, SQLITE, trials=3, fast=SQLITE),
    Fault("Ctrl-C once, then twice", deaths.interrupt, POSTGRESQL),
    Fault(
        "a worker stopped past its lease and continued",
        deaths.stop_a_worker_past_its_lease,
        SQLITE + POSTGRESQL,  # the database's clock ends a lease, and the database refuses what the late worker writes
        trials=3,
        lease_s=SHORT_LEASE_S,
        fast=SQLITE,
    ),
    Fault("the disk full while a checkpoint is written", places.fill_the_disk, SQLITE),
    Fault("a read-only folder", places.take_write_access, SQLITE),
    Fault("a slow disk", places.slow_the_disk, SQLITE),
    Fault("checkpoints cut short and tampered with", places.harm_checkpoints, SQLITE),
    Fault("a worker that cannot see the checkpoints", places.lose_the_folder, POSTGRESQL),
    Fault("16 starters on an empty database", places.start_sixteen_at_once, SQLITE + POSTGRESQL),
    Fault("a newer format, other data, another space, another direction", places.refuse_what_does_not_match, POSTGRESQL),
    Fault("a clock an hour off", places.turn_the_clock, SQLITE + POSTGRESQL),
    Fault(
        "a trial that kills whoever runs it", partial(places.kill_whoever_runs_it, number=2), POSTGRESQL, excused=frozenset({2})
    ),
    Fault("a loss that is no number", places.explode, SQLITE),
    Fault("a bit flipped in every cached file", outside.flip_bits_of_the_cache, SQLITE, trials=3),
    Fault(
        "a trial set to FAIL from outside", partial(outside.end_a_trial_from_outside, number=2), SQLITE, excused=frozenset({2})
    ),
    Fault("the study deleted", partial(outside.delete_the_study, again=False), SQLITE, trials=3),
    Fault("the study deleted and made anew at once", partial(outside.delete_the_study, again=True), POSTGRESQL, trials=3),
    Fault("a link in the folder of runs", outside.link_elsewhere, SQLITE, trials=3),
    Fault("kill -9 of confirm and diagnose", deaths.kill_commands, SQLITE),
    Fault("two containers share all folders", starts.share_between_containers, SQLITE),
    Fault("Ctrl-C while workers start, 10 times", partial(starts.interrupt_the_start, times=10), SQLITE),
    Fault("a start while the file is locked", starts.begin_while_locked, SQLITE),
    Fault("kill -9 of a Dask worker and the Dask scheduler", clusters.kill_dask, POSTGRESQL, trials=10),
    Fault("a SLURM job cancelled, another requeued", clusters.harm_jobs, POSTGRESQL, trials=10, engine="slurm"),
    *(
        Fault(
            f"kill -9 of PostgreSQL, back after {seconds} s",
            partial(deaths.kill_the_database, seconds=float(seconds)),
            POSTGRESQL,
            engine="postgres",
        )
        for seconds in (1, 30)  # between the first pauses of whoever waits, and longer than several of the longest
    ),
    Fault("a start while PostgreSQL is stopped", starts.begin_while_stopped, POSTGRESQL, engine="postgres"),
    Fault("8 workers for 5 free connections", starts.take_the_connections, POSTGRESQL, trials=10, engine="postgres"),
)


def play(
    fault: Fault, storage: str, address: str, folder: Path, data: Path, undisturbed: Table, engine: Postgres | Slurm | None
) -> Finding:
    """Play a fault and hold what is left against what is promised."""
    lab = Lab(folder, data, address, fault.trials, fault.pruner)
    if fault.lease_s is not None:
        lab.environment["PITSEARCH_LEASE_S"] = str(fault.lease_s)
    try:
        found = fault.play(lab) if fault.engine is None else fault.play(lab, engine)
        expected = Table({number: row for number, row in undisturbed.rows.items() if number not in fault.excused})
        return Finding(fault.name, storage, found, judge(lab, expected))
    except (AssertionError, TimeoutError) as error:
        return Finding(fault.name, storage, "not as promised", (str(error),))
    finally:
        lab.end()
