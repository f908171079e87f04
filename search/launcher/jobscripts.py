"""Job scripts: a worker's command as an array of jobs of a batch system, ready for its submit program.

Whatever the system, the worker is sent SIGTERM a while before it is killed, and computes on one thread. Knows nothing of what
the command does.
"""

from __future__ import annotations

import shlex
from collections.abc import Sequence

from search.errors import StudyError
from search.launcher.cluster_config import THREADS, ClusterConfig
from search.storage.urls import parse_url

NAME = "pitsearch"
# What an interpreter is given to run the command. -P: the folder of the job, where a user's models.py may be, is not searched.
MODULE = ("-P", "-m", "pitsearch")
# HTCondor wants to be told; a worker keeps next to nothing on its node.
DISK = "1GB"
# A dollar that begins no macro of HTCondor's.
DOLLAR = "$(DOLLAR)"

# SGE sends a warning to the whole group of processes, and has a shell of its own around the worker.
SGE_BODY = """\
# SGE warns by SIGUSR1 (time is nearly up) and SIGUSR2 (about to be killed); the worker listens for SIGTERM alone.
trap '' USR1 USR2
{command} &
worker=$!
trap 'kill -TERM "$worker"' TERM USR1 USR2
while :; do
    wait "$worker"
    status=$?
    # What a signal ended was the wait, not the worker.
    kill -0 "$worker" 2>/dev/null || exit "$status"
done
"""


def job_script(cluster: ClusterConfig, command: Sequence[str], jobs: int) -> str:
    """Write a script that runs a command in so many jobs; for HTCondor a submit description.

    Raises StudyError for a command with a password in it, for others can read what jobs run, or with more than one line.
    """
    if jobs < 1:
        raise StudyError(f"`jobs >= 1` must hold, but got {jobs}; correct it.")
    for word in command:
        if not word.isprintable():  # a line of its own in a script would be a directive, or a command
            raise StudyError(f"a job's command must be one line of plain text, but got {word!r}; rename it.")
        if "://" in word:
            parse_url(word.partition("=")[2] if word.startswith("-") else word)
    if cluster.system == "htcondor":
        return _submit_description(cluster, command, jobs)
    prefix, directives_of = {"slurm": ("#SBATCH", _slurm), "sge": ("#$", _sge), "pbs": ("#PBS", _pbs)}[cluster.system]
    header = [
        f"{prefix} {line}" for line in (*directives_of(cluster, jobs), *shell(cluster), *warning(cluster), *cluster.directives)
    ]
    # PBS alone starts in the home folder.
    start = ['cd "$PBS_O_WORKDIR" || exit 1'] if cluster.system == "pbs" else []
    if cluster.system == "sge":
        body = SGE_BODY.format(command=shlex.join(command))
    else:
        body = f"# The script becomes the worker, so that signals reach it.\n{taking_over(cluster)} {shlex.join(command)}\n"
    return "\n".join(["#!/bin/bash", *header, "", *start, *exports(), *cluster.prologue, "", body])


def exports() -> list[str]:
    """Give the shell commands that keep numerical libraries to one thread."""
    return [f"export {name}=1" for name in THREADS]


def shell(cluster: ClusterConfig) -> list[str]:
    """Give the directives for a script to be read by bash, where a system looks at the user's shell, not at the first line."""
    return ["-S /bin/bash"] if cluster.system in ("sge", "pbs") else []


def taking_over(cluster: ClusterConfig) -> str:
    """Give what stands before a command so that it takes its shell's place, and is warned in time.

    A shell that waits for a command does not pass on a signal: it dies of it, and the command is killed, or lives on alone.
    """
    if cluster.system != "pbs":
        return "exec"
    # PBS itself warns only kill_delay seconds before, 10 unless the site says otherwise. Only what stays in the foreground is
    # still of the job's own group of processes.
    return f"exec timeout --foreground --preserve-status --signal=TERM {cluster.warned_s}"


def warning(cluster: ClusterConfig) -> list[str]:
    """Give the directives that have a system send SIGTERM, or what stands for it, `grace` seconds before the end."""
    return {
        # B: to the script itself, which the worker has taken over; without it, to everything but the script.
        "slurm": [f"--signal=B:TERM@{cluster.grace}"],
        "sge": ["-notify", f"-l s_rt={cluster.warned_s}"],
        "pbs": [],
        "htcondor": [
            "kill_sig = SIGTERM",
            "want_graceful_removal = True",
            f"job_max_vacate_time = {cluster.grace}",
            f"periodic_remove = JobStatus == 2 && time() - EnteredCurrentStatus > {cluster.warned_s}",
            # Pools that sort jobs by their time, as CERN's does, ask for it here.
            f"MY.MaxRuntime = {cluster.walltime_s}",
        ],
    }[cluster.system]


def selects(cluster: ClusterConfig) -> bool:
    """Tell whether a cluster's own directives say what a PBS job consists of, for a GPU: it may be said once only."""
    return cluster.system == "pbs" and any("select=" in line for line in cluster.directives)


def _slurm(cluster: ClusterConfig, jobs: int) -> list[str]:
    return [
        f"--job-name={NAME}",
        f"--array=1-{jobs}",
        "--ntasks=1",
        "--cpus-per-task=1",
        f"--mem={cluster.memory_mb}M",
        f"--time={cluster.walltime}",
        *([f"--partition={cluster.queue}"] if cluster.queue else []),
        *([f"--account={cluster.account}"] if cluster.account else []),
        # A job that is preempted starts again, and goes on writing to the same file.
        "--requeue",
        "--open-mode=append",
    ]


def _sge(cluster: ClusterConfig, jobs: int) -> list[str]:
    return [
        f"-N {NAME}",
        f"-t 1-{jobs}",
        f"-l mem_free={cluster.memory_mb}M",
        f"-l h_rt={cluster.walltime}",
        *([f"-q {cluster.queue}"] if cluster.queue else []),
        *([f"-P {cluster.account}"] if cluster.account else []),
        "-cwd",
        "-j y",
        "-r y",
    ]


def _pbs(cluster: ClusterConfig, jobs: int) -> list[str]:
    return [
        f"-N {NAME}",
        # It refuses an array of one.
        *([f"-J 1-{jobs}"] if jobs > 1 else []),
        *([] if selects(cluster) else [f"-l select=1:ncpus=1:mem={cluster.memory_mb}mb"]),
        f"-l walltime={cluster.walltime}",
        *([f"-q {cluster.queue}"] if cluster.queue else []),
        *([f"-A {cluster.account}"] if cluster.account else []),
        "-j oe",
        "-r y",
    ]


def _submit_description(cluster: ClusterConfig, command: Sequence[str], jobs: int) -> str:
    script = "; ".join([*cluster.prologue, f"{taking_over(cluster)} {shlex.join(command)}"])
    lines = [
        "universe = vanilla",
        # HTCondor renames what it runs, and Python no longer finds its own files: a shell does.
        "executable = /bin/sh",
        f'arguments = "-c {_condor_word(script)}"',
        f'environment = "{" ".join(f"{name}=1" for name in THREADS)}"',
        f"batch_name = {NAME}",
        "request_cpus = 1",
        f"request_memory = {cluster.memory_mb}MB",
        f"request_disk = {DISK}",
        *([f"accounting_group = {cluster.account}"] if cluster.account else []),
        f"output = {NAME}-$(ClusterId).$(ProcId).out",
        f"error = {NAME}-$(ClusterId).$(ProcId).err",
        f"log = {NAME}-$(ClusterId).log",
        *warning(cluster),
        *cluster.directives,
        f"queue {jobs}",
    ]
    return "\n".join(lines) + "\n"


def _condor_word(text: str) -> str:
    # As HTCondor reads one argument: marks are doubled.
    return "'" + text.replace("'", "''").replace('"', '""').replace("$", DOLLAR) + "'"
