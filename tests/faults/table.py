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

Play = Callable[[Lab], str]


@dataclass(frozen=True)
class Fault:
    """A fault, by what happens.

    `play`: plays it to the end and says what was found; `trials`: of the study; `lease_s`: of its leases, None for what a user
    has; `excused`: trials that may differ from an undisturbed run's; `storages`: where it is
    played, one of them where the database has no part in it; `pruner`: of the study.
    """

    name: str
    play: Play
    trials: int = 5
    lease_s: float | None = None
    excused: frozenset[int] = frozenset()
    storages: tuple[str, ...] = ("sqlite", "postgresql")
    pruner: str = "none"


FAULTS = (
    Fault(
        "kill -9 of a worker, 4 times, while trials are promoted",
        partial(deaths.kill_workers_in_a_rung, times=4),
        trials=10,
        storages=("postgresql",),
        pruner=PROMOTION,
    ),
    Fault(
        "kill -9 of the launcher while trials are promoted",
        deaths.kill_the_launcher,
        trials=10,
        storages=("sqlite",),
        pruner=PROMOTION,
    ),
    Fault(
        "kill -9 of a worker in a rung, 10 times",
        partial(deaths.kill_workers_in_a_rung, times=10),
        trials=10,
        storages=("sqlite",),
    ),
    Fault("kill -9 of all workers", deaths.kill_all_workers, storages=("postgresql",)),
    Fault("SIGTERM to the launcher", deaths.terminate_the_launcher, storages=("postgresql",)),
    Fault("SIGTERM to a worker, 30 s before its end", deaths.terminate_a_worker, trials=3, storages=("sqlite",)),
    Fault("Ctrl-C once, then twice", deaths.interrupt, storages=("sqlite",)),
    Fault(
        "a worker stopped past its lease and continued",
        deaths.stop_a_worker_past_its_lease,
        trials=3,
        lease_s=SHORT_LEASE_S,
    ),
    Fault("the disk full while a checkpoint is written", places.fill_the_disk, storages=("sqlite",)),
    Fault("a read-only folder", places.take_write_access, storages=("sqlite",)),
    Fault("a slow disk", places.slow_the_disk, storages=("sqlite",)),
    Fault("checkpoints cut short and tampered with", places.harm_checkpoints, storages=("sqlite",)),
    Fault("a worker that cannot see the checkpoints", places.lose_the_folder, storages=("postgresql",)),
    Fault("16 starters on an empty database", places.start_sixteen_at_once),
    Fault(
        "a newer format, other data, another space, another direction",
        places.refuse_what_does_not_match,
        storages=("postgresql",),
    ),
    Fault("a clock an hour off", places.turn_the_clock, storages=("postgresql",)),
    Fault(
        "a trial that kills whoever runs it",
        partial(places.kill_whoever_runs_it, number=2),
        excused=frozenset({2}),
        storages=("postgresql",),
    ),
    Fault("a loss that is no number", places.explode, storages=("sqlite",)),
    Fault("a bit flipped in every cached file", outside.flip_bits_of_the_cache, trials=3, storages=("sqlite",)),
    Fault(
        "a trial set to FAIL from outside",
        partial(outside.end_a_trial_from_outside, number=2),
        excused=frozenset({2}),
        storages=("sqlite",),
    ),
    Fault("the study deleted", partial(outside.delete_the_study, again=False), trials=10, storages=("sqlite",)),
    Fault("the study deleted and made anew at once", partial(outside.delete_the_study, again=True), trials=10),
    Fault("a link in the folder of runs", outside.link_elsewhere, trials=3, storages=("sqlite",)),
    Fault("kill -9 of confirm and diagnose", deaths.kill_commands, storages=("sqlite",)),
    Fault("two containers share all folders", starts.share_between_containers, storages=("sqlite",)),
    Fault("Ctrl-C while workers start, 6 times", partial(starts.interrupt_the_start, times=6), storages=("sqlite",)),
    Fault("a start while the file is locked", starts.begin_while_locked, storages=("sqlite",)),
    Fault("kill -9 of a Dask worker and the Dask scheduler", clusters.kill_dask, storages=("postgresql",)),
)
# What happens to PostgreSQL itself when commands begin.
SERVERS = {
    "a start while PostgreSQL is stopped": starts.begin_while_stopped,
    "8 workers for 5 free connections": starts.take_the_connections,
}
# The seconds that PostgreSQL is away after it was killed.
OUTAGES = (1, 60)


def play(fault: Fault, storage: str, address: str, folder: Path, data: Path, undisturbed: Table) -> Finding:
    """Play a fault and hold what is left against what is promised."""
    lab = Lab(folder, data, address, fault.trials, fault.pruner)
    if fault.lease_s is not None:
        lab.environment["PITSEARCH_LEASE_S"] = str(fault.lease_s)
    try:
        found = fault.play(lab)
        expected = Table({number: row for number, row in undisturbed.rows.items() if number not in fault.excused})
        return Finding(fault.name, storage, found, judge(lab, expected))
    except (AssertionError, TimeoutError) as error:
        return Finding(fault.name, storage, "not as promised", (str(error),))
    finally:
        lab.end()


def jobs(slurm: Slurm) -> Fault:
    """Make the fault of SLURM's jobs being cancelled and requeued."""
    harm = partial(clusters.harm_jobs, slurm=slurm)
    return Fault("a SLURM job cancelled, another requeued", harm, trials=10, storages=("postgresql",))


def of_server(name: str, postgres: Postgres) -> Fault:
    """Make a fault of SERVERS."""
    return Fault(name, partial(SERVERS[name], postgres=postgres), trials=10, storages=("postgresql",))


def outage(postgres: Postgres, seconds: int) -> Fault:
    """Make the fault of PostgreSQL being killed and away for so long."""
    away = partial(deaths.kill_the_database, postgres=postgres, seconds=float(seconds))
    return Fault(f"kill -9 of PostgreSQL, back after {seconds} s", away, storages=("postgresql",))
