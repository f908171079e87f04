"""Clusters that the workers of a study run on: what each job asks of a batch system.

A cluster is the bare name of a system, a TOML file with one table `[cluster]`, or the address of a Dask scheduler that runs
already. Each job is one process with one thread. Knows nothing of studies, of how jobs are written
(`search/launcher/jobscripts.py`), or of Dask, but that it runs whatever code it is sent.
"""

from __future__ import annotations

import ipaddress
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from pitsearch.errors import did_you_mean
from pitsearch.toml_text import read_toml_text
from pitsearch.typed_values import brief
from search.errors import StudyError

# The batch systems, and the program that takes each one's jobs.
SYSTEMS = {"slurm": "sbatch", "htcondor": "condor_submit", "sge": "qsub", "pbs": "qsub"}
# A worker computes on one thread, in whatever library.
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")
LOOPBACK = "127.0.0.1"

# What the keys of a cluster must look like.
WORD = r"[\w.@:/+-]+"
FORMS = {
    "memory": (r"[1-9][0-9]{0,6}[MG]B", "whole MB or GB, as 4GB"),
    "walltime": (r"[0-9]{1,5}:[0-5][0-9]:[0-5][0-9]", "hours, minutes and seconds, as 01:00:00"),
    "queue": (WORD, "one word"),
    "account": (WORD, "one word"),
    "python": (r"[^\n]+", "the path of an interpreter"),
    "address": (r"[\w.:-]+", "the name or number of a host"),
    "interface": (r"[\w.:-]+", "one word, as ib0"),
}


@dataclass(frozen=True)
class ClusterConfig:
    """What each job asks of a batch system. Raises StudyError naming the key."""

    system: str
    memory: str = "4GB"
    walltime: str = "01:00:00"
    # SLURM calls it partition.
    queue: str | None = None
    # Or project, or accounting group.
    account: str | None = None
    # Shell commands that run before Python.
    prologue: tuple[str, ...] = ()
    # Further lines for the system, GPUs too, as they stand after its `#SBATCH`, `#$` or `#PBS`.
    directives: tuple[str, ...] = ()
    # The interpreter on the nodes.
    python: str = sys.executable
    # Where Dask's scheduler listens; loopback where neither this nor `interface` is set.
    address: str | None = None
    interface: str | None = None
    # Seconds between SIGTERM and the end of a job.
    grace: int = 60

    def __post_init__(self) -> None:
        if not isinstance(self.system, str) or self.system not in SYSTEMS:
            raise StudyError(f"`system` must be one of {', '.join(SYSTEMS)}, but got {brief(self.system)}; correct it.")
        for key, (pattern, form) in FORMS.items():
            value = getattr(self, key)
            if value is not None and not (isinstance(value, str) and re.fullmatch(pattern, value)):
                raise StudyError(f"`{key}` must be {form}, but got {brief(value)}; correct it.")
        for key in ("prologue", "directives"):
            lines = getattr(self, key)
            # A comment would swallow what HTCondor has behind it, for there all is one line.
            if not isinstance(lines, tuple) or not all(
                isinstance(line, str) and re.fullmatch(r"[^#\s].*", line) for line in lines
            ):
                raise StudyError(f"`{key}` must list lines that are no comments, but got {brief(lines)}; correct it.")
        if type(self.grace) is not int or not 1 <= self.grace < self.walltime_s:
            raise StudyError(
                f"`grace` must be whole seconds, 1 or more and fewer than `walltime`, but got {brief(self.grace)} with "
                f"{self.walltime}; correct it."
            )
        if self.address is not None and self.interface is not None:
            raise StudyError(
                f"`address` must not be set beside `interface`, but got {self.address!r} and {self.interface!r}; remove one."
            )
        if self.system == "htcondor" and (self.queue or not all(re.match(r"[\w.+]+\s*=", line) for line in self.directives)):
            raise StudyError(
                f"`htcondor` takes no `queue`, and `directives` written name = value, but got {self.queue!r} and "
                f"{self.directives}; correct it."
            )

    @property
    def memory_mb(self) -> int:
        """A job's memory, in MB."""
        return int(self.memory[:-2]) * (1000 if self.memory.endswith("GB") else 1)

    @property
    def walltime_s(self) -> int:
        """A job's time, in seconds."""
        hours, minutes, seconds = map(int, self.walltime.split(":"))
        return 3600 * hours + 60 * minutes + seconds

    @property
    def warned_s(self) -> int:
        """When, in seconds from its start, a job is to be sent SIGTERM."""
        return self.walltime_s - self.grace

    @property
    def on_loopback(self) -> bool:
        """Whether Dask listens on this machine alone."""
        return self.interface is None and is_loopback(self.address or LOOPBACK)


def is_loopback(host: str) -> bool:
    """Tell whether a host is this machine as only this machine reaches it; a name other than localhost is not."""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def read_cluster(text: str) -> ClusterConfig | str:
    """Read what a user names: a system, a TOML file, or a Dask scheduler's address, which is given back as it is.

    Raises StudyError, naming the file, for a file that is no cluster; for an address that Dask cannot defend, too.
    """
    if "://" in text:
        return _check_address(text)
    if text in SYSTEMS:
        return ClusterConfig(text)
    if not text.endswith(".toml"):
        raise StudyError(
            f"a cluster must be {', '.join(SYSTEMS)}, a file ending in .toml, or a Dask scheduler's address, but got {text!r}; "
            "correct it."
        )
    try:
        table = read_toml_text(Path(text)).table
    except (OSError, ValueError) as error:
        raise StudyError(f"{text}: a cluster file must be readable TOML, but: {error}; correct it.") from None
    try:
        return _read_table(table)
    except StudyError as error:
        raise StudyError(f"{text}: {error}") from None


def _read_table(table: Mapping[str, Any]) -> ClusterConfig:
    values = table.get("cluster")
    if set(table) != {"cluster"} or not isinstance(values, dict):
        raise StudyError(
            f"a cluster file must hold one table [cluster], but got {', '.join(table)[:60] or 'none'}; correct it."
        )
    keys = [field.name for field in fields(ClusterConfig)]
    unknown = [key for key in values if key not in keys]
    if unknown:
        remedy = did_you_mean(unknown[0][:40], keys)
        raise StudyError(f"a key must be one of {', '.join(keys)}, but got `{unknown[0][:40]}`; {remedy}, or remove it.")
    if "system" not in values:
        raise StudyError(f"`system` must be set, to one of {', '.join(SYSTEMS)}; add it.")
    plain: dict[str, Any] = {key: tuple(value) if isinstance(value, list) else value for key, value in values.items()}
    return ClusterConfig(**plain)


def _check_address(text: str) -> str:
    try:
        parts = urlsplit(text)
        whole = parts.scheme in ("tcp", "tls") and parts.hostname and parts.port
    except ValueError:
        whole = False
    if not whole:
        raise StudyError(f"a Dask scheduler's address must be tcp://HOST:PORT or tls://HOST:PORT, but got {text}; correct it.")
    if parts.scheme == "tcp" and not is_loopback(str(parts.hostname)):
        raise StudyError(
            f"a scheduler beyond loopback must be reached by tls://, for Dask runs whatever code it is sent, but got {text}; "
            "start it with certificates, and name them in Dask's own configuration."
        )
    return text
