"""Open a cluster through Dask: jobs of a batch system that each run one Dask worker, or a scheduler that runs already.

Whoever gets through to Dask may run any code as us: what we start speaks TLS, with certificates made for the occasion, and has
no dashboard. Knows nothing of studies, or of what tasks do.
"""

from __future__ import annotations

import asyncio
import logging
import re
import shlex
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Any

import dask
from dask_jobqueue.core import Job, JobQueueCluster
from dask_jobqueue.htcondor import HTCondorJob
from dask_jobqueue.pbs import PBSJob
from dask_jobqueue.sge import SGEJob
from dask_jobqueue.slurm import SLURMJob
from distributed import Adaptive, Client, Security, Status

from pitsearch.errors import reason
from search.errors import StudyError
from search.launcher.cluster_config import LOOPBACK, SYSTEMS, ClusterConfig
from search.launcher.dask_plugin import EndsWell
from search.launcher.jobscripts import DISK, DOLLAR, NAME, exports, selects, shell, taking_over, warning

# The oldest distributed that is known to keep what is asked of it here.
OLDEST = "2026.1.0"
# Seconds between two looks whether there are to be more jobs, and until a refused one is submitted again.
LOOK_S, AGAIN_S = 5, 60.0


class Tidy(Job):
    """Say of a job that it is closed when it is. dask-jobqueue does not, for which closing a cluster may fail."""

    async def close(self) -> None:
        """Cancel the job."""
        await super().close()  # type: ignore[no-untyped-call]
        self.status = Status.closed


# What Dask has for each system.
JOBS = {
    system: type("Job", (Tidy, job), {})
    for system, job in {"slurm": SLURMJob, "htcondor": HTCondorJob, "sge": SGEJob, "pbs": PBSJob}.items()
}


@contextmanager
def open_cluster(
    cluster: ClusterConfig | str, jobs: int, folder: Path, noted: Callable[[str], None] = lambda text: None
) -> Iterator[Client]:
    """Open a cluster and give a client of it; leave no job behind.

    As many jobs run as there are tasks, up to `jobs`, each task in a job of its own. Where a job is lost, its task is run again
    in any that is idle, and another job takes its place when its grace is over. `folder`: for what jobs print, and
    certificates; the nodes must share it. A scheduler that runs already keeps its own workers. Meanwhile Dask's configuration
    is another, for the whole process. `noted` is told, in another thread, of jobs that are refused later. Raises StudyError
    where a scheduler or a batch system refuses at once.
    """
    installed = version("distributed")
    if _numbers(installed) < _numbers(OLDEST):
        raise StudyError(f"`distributed >= {OLDEST}` must hold, but got {installed}; run pip install 'distributed>={OLDEST}'.")
    with ExitStack() as stack:
        if isinstance(cluster, str):
            grace, client = ClusterConfig.grace, stack.enter_context(_connect(cluster))
        else:
            stack.enter_context(dask.config.set(_settings(cluster)))
            started = stack.enter_context(_start(cluster, jobs, folder, noted))
            grace, client = cluster.grace, stack.enter_context(_client(started))
        client.register_plugin(EndsWell(grace))
        _quieten()
        yield client


def _quieten() -> None:
    """Let errors be reported on one line: Dask, whose loggers have levels of their own, would log all that led to them."""
    for name in [name for name in logging.root.manager.loggerDict if name.startswith("distributed")]:
        logging.getLogger(name).setLevel(logging.CRITICAL)


def _numbers(text: str) -> list[int]:
    return [int(number) for number in re.findall(r"\d+", text)[:3]]


def _client(of: str | JobQueueCluster) -> Client:
    return Client(of, set_as_default=False)  # type: ignore[no-untyped-call]


def _connect(address: str) -> Client:
    try:
        return _client(address)
    except (OSError, RuntimeError, TypeError, ValueError) as error:
        raise StudyError(
            f"a Dask scheduler must answer at {address}, but: {reason(error)}; start one there, or correct the address."
        ) from None


def _settings(cluster: ClusterConfig) -> dict[str, object]:
    return {
        # A task that goes from job to job is not at fault: jobs end.
        "distributed.scheduler.allowed-failures": 10**6,
        # Tasks wait at the scheduler, not behind another on a worker.
        "distributed.scheduler.worker-saturation": 1.0,
        # Dask takes a task for half a second's work, for which it would start one job.
        "distributed.scheduler.unknown-task-duration": "1h",
        # Dask cancels the job of a worker that is gone, then starts another: not before its task had time to save.
        "distributed.deploy.lost-worker-timeout": f"{cluster.grace}s",
    }


@contextmanager
def _start(cluster: ClusterConfig, jobs: int, folder: Path, noted: Callable[[str], None]) -> Iterator[JobQueueCluster]:
    submit = SYSTEMS[cluster.system]
    if shutil.which(submit) is None:
        raise StudyError(f"{cluster.system} must be reached by `{submit}`, but there is none; launch where jobs are submitted.")
    folder = folder.resolve()
    if shlex.quote(str(folder)) != str(folder):
        raise StudyError(f"the folder of a cluster's jobs must have a plain path, but got {str(folder)!r}; name another.")
    folder.mkdir(parents=True, exist_ok=True)
    with JobQueueCluster(**options(cluster, folder)) as started, ExitStack() as stack:
        stack.callback(_forget_keys, started)
        try:
            # The first job apart: what is wrong with a cluster is wrong with every job.
            started.sync(_submit, started, 1)
        except (OSError, RuntimeError, ValueError) as error:
            raise StudyError(f"{cluster.system} must take a job, but: {_said(error)}; correct the cluster.") from None
        # A duration that any task exceeds: as many jobs as tasks.
        adaptive = started.adapt(
            Adaptive=Persistent, minimum_jobs=1, maximum_jobs=jobs, interval=f"{LOOK_S}s", target_duration="1ms"
        )
        adaptive.noted = noted
        stack.callback(started.sync, adaptive.end)
        yield started


def _forget_keys(started: JobQueueCluster) -> None:
    """Remove the files of keys; dask-jobqueue leaves them until Python collects the cluster, whenever that is."""
    for name in ("ca_file", "cert", "key"):
        if hasattr(started, f"_job_{name}"):
            getattr(started, f"_job_{name}").close()


async def _submit(started: JobQueueCluster, jobs: int) -> None:
    """Submit jobs until there are so many. Raises what the system says where it refuses one; Dask's `scale` would log it."""
    while len(started.worker_spec) < jobs:
        started.worker_spec.update(started.new_worker_spec())  # type: ignore[no-untyped-call]
    await started


class Persistent(Adaptive):
    """Submit a refused job again after a while; Dask by itself would count it as there for good."""

    cluster: JobQueueCluster
    noted: Callable[[str], None] | None = None
    _again = 0.0
    _last = ""
    _ended = False

    async def adapt(self) -> None:
        """Look whether there are to be more jobs, or fewer."""
        if self._ended:
            return
        now = time.monotonic()
        if now >= self._again:
            self._again = now + AGAIN_S
            for name, job in [*self.cluster.workers.items()]:
                if job.status == Status.created:
                    job.status = Status.failed
                    del self.cluster.workers[name]
        try:
            await super().adapt()
        except (OSError, RuntimeError, ValueError) as error:
            said = _said(error)
            if self.noted is not None and said != self._last:
                self.noted(f"a job was refused, and is submitted again in a while: {said}")
            self._last = said

    async def scale_up(self, n: int) -> None:  # type: ignore[override]  # distributed itself gives a number
        """Submit jobs until there are so many."""
        if not self._ended:
            await _submit(self.cluster, n)

    async def end(self) -> None:
        """Submit no more, and wait for what is being submitted: closing the cluster meanwhile would leave that job behind."""
        self._ended = True
        self.stop("the launch ends")
        while self._adapting:
            await asyncio.sleep(0.05)


def lost_cluster(error: BaseException) -> StudyError:
    """Give what is said of a scheduler that is gone; `error`: whatever Dask makes of that."""
    return StudyError(
        f"the Dask scheduler must stay reachable, but: {reason(error)}; what finished is kept: start it, then run the same "
        "again."
    )


def _said(error: Exception) -> str:
    """Give what a submit program said of an error, on one line."""
    said = str(error).partition("stderr:\n")[2] or str(error)
    return next((line.strip() for line in said.splitlines() if line.strip()), type(error).__name__)


def options(cluster: ClusterConfig, folder: Path) -> dict[str, Any]:
    """Give what dask-jobqueue is asked for."""
    directives = [*shell(cluster), *warning(cluster), *cluster.directives]
    if cluster.system == "htcondor" and cluster.account:
        directives.append(f"accounting_group = {cluster.account}")
    pairs = [line.partition("=") for line in directives]
    timed = {"job_extra_directives": directives, "walltime": cluster.walltime, "queue": cluster.queue}
    settings: dict[str, dict[str, Any]] = {
        "slurm": {**timed, "job_mem": f"{cluster.memory_mb}M", "account": cluster.account},
        "sge": {**timed, "resource_spec": f"mem_free={cluster.memory_mb}M", "project": cluster.account},
        "pbs": {
            **timed,
            "account": cluster.account,
            "resource_spec": f"select=1:ncpus=1:mem={cluster.memory_mb}mb",
            "job_directives_skip": ["select="] if selects(cluster) else [],
        },
        "htcondor": {"job_extra_directives": {key.strip(): value.strip() for key, _, value in pairs}, "disk": DISK},
    }
    listens = {"interface": cluster.interface} if cluster.interface else {"host": cluster.address or LOOPBACK}
    # Elsewhere workers listen wherever they are, and ask for a certificate.
    hosts = ["--host", LOOPBACK] if cluster.on_loopback else []
    prologue = [*exports(), *cluster.prologue]
    return {
        "name": NAME,
        "job_cls": JOBS[cluster.system],
        "cores": 1,
        "processes": 1,
        "memory": cluster.memory,
        # A nanny takes the signal itself, and gives its worker ten seconds.
        "nanny": False,
        # -P: what we send is looked up by name, and the folder of the job may hold a user's models.py.
        "python": f"{taking_over(cluster)} {shlex.quote(cluster.python)} -P",
        "job_name": NAME,
        "job_script_prologue": [line.replace("$", DOLLAR) for line in prologue] if cluster.system == "htcondor" else prologue,
        "log_directory": str(folder),
        "shared_temp_directory": str(folder),
        # On loopback too: other users of a login node are on it as well.
        "security": Security.temporary(),  # type: ignore[no-untyped-call]
        # Not None, for then Dask's own configuration might name one, beyond loopback.
        "interface": cluster.interface or "",
        "worker_extra_args": [*hosts, "--no-dashboard", "--dashboard-address", f"{LOOPBACK}:0"],
        "scheduler_options": {**listens, "dashboard": False, "dashboard_address": f"{LOOPBACK}:0"},
        **settings[cluster.system],
    }
