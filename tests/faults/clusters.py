"""Faults of clusters: Dask's scheduler and workers that die, and jobs of SLURM that are cancelled and requeued."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from contextlib import ExitStack, suppress
from pathlib import Path

from optuna.trial import TrialState

from search.trials.records import STOPPED
from tests.faults.deaths import ended_well, has_passed
from tests.faults.lab import Lab, said
from tests.support.engines import Slurm
from tests.support.processes import alive, free_ports


class Dask:
    """A Dask scheduler and workers of one thread each, started by hand, as on machines without a batch system."""

    def __init__(self, lab: Lab, stack: ExitStack) -> None:
        self.lab, self.stack, (self.port,) = lab, stack, free_ports(1)
        self.address = f"tcp://127.0.0.1:{self.port}"
        self.scheduler = self._start("dask_scheduler", "--host", "127.0.0.1", "--port", str(self.port))
        self.workers = [self._worker() for _ in range(2)]

    def _worker(self) -> subprocess.Popen[str]:
        return self._start("dask_worker", self.address, "--nthreads", "1", "--nworkers", "1", "--no-nanny")

    def _start(self, module: str, *words: str) -> subprocess.Popen[str]:
        log = self.stack.enter_context((self.lab.folder / f"{module}-{time.monotonic()}.log").open("w"))
        process = subprocess.Popen(
            [sys.executable, "-m", f"distributed.cli.{module}", *words, "--no-dashboard"],
            stdout=log,
            stderr=log,
            text=True,
            cwd=self.lab.folder,
            env={**os.environ, **self.lab.environment},
        )
        self.stack.callback(self._end, process)
        return process

    @staticmethod
    def _end(process: subprocess.Popen[str]) -> None:
        with suppress(ProcessLookupError):
            process.kill()
        process.wait()


def kill_dask(lab: Lab) -> str:
    """Kill a Dask worker, then the scheduler; start both again, and the same launch."""
    with ExitStack() as stack, lab.watched():
        dask = Dask(lab, stack)
        launcher = lab.launch(None, "--cluster", dask.address, "--jobs", "2")
        running = lab.wait_for_rungs(2)
        victim = next(worker for worker in dask.workers if worker.pid in running.values())
        victim.kill()
        victim.wait()
        (number,) = [number for number, pid in running.items() if pid == victim.pid]
        lab.wait(lambda: has_passed(lab, number, victim.pid), "another worker to take the trial up")
        dask.scheduler.kill()
        dask.scheduler.wait()
        out = said(launcher)
        assert "Traceback" not in out, out
        assert launcher.returncode == 1, out
        assert out.splitlines()[-1].startswith("error: the Dask scheduler must stay reachable, but:"), out
        lab.wait(lambda: not any(alive(worker.pid) for worker in dask.workers), "the end of workers without a scheduler", 120)
        assert not [trial for trial in lab.read() if trial.state == TrialState.RUNNING]
        again = Dask(lab, stack)
        ended_well(lab.launch(None, "--cluster", again.address, "--jobs", "2"))
    return f"trial {number} went on with another worker; without a scheduler all was handed back; the same command went on"


def harm_jobs(lab: Lab, slurm: Slurm) -> str:
    """Run a study over two SLURM jobs, cancel one and requeue the other."""
    with lab.watched():
        launcher = lab.launch(None, "--cluster", str(_cluster(lab)), "--jobs", "2")
        lab.wait_for_rungs(2)
        first, second = slurm.jobs("RUNNING")[:2]
        slurm.scancel(first)
        lab.wait(lambda: first not in slurm.jobs(), "the end of a cancelled job")
        lab.wait(lambda: lab.running() or launcher.poll() is not None, "work to go on")
        if launcher.poll() is None and second in slurm.jobs("RUNNING"):
            slurm.scontrol("requeue", second)
        ended_well(launcher)
        lab.wait(lambda: not slurm.jobs(), "no job to be left", 60)
    reasons = [STOPPED.read(trial) for trial in lab.read() if STOPPED.read(trial)]
    handed = sum(reason == "its worker was asked to end" for reason in reasons)
    return f"job {first} cancelled, job {second} requeued, {handed} trials handed over at SIGTERM, no job left"


def _cluster(lab: Lab) -> Path:
    file = lab.folder / "site.toml"
    file.write_text('[cluster]\nsystem = "slurm"\nmemory = "3GB"\nwalltime = "00:30:00"\n', encoding="utf-8")
    return file
