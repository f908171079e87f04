"""Programs, ports and processes: find, run, watch and end them. A test that needs what is missing fails."""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from tests.support.repository import ROOT

# Seconds that an engine may take to answer. This machine may have two cores and ten tests on them.
PATIENCE_S = 60.0


def need(program: str, package: str, folder: Path | None = None) -> str:
    """Find a program's path. Fails the test, naming the Debian package, where there is none."""
    found = shutil.which(program, path=None if folder is None else str(folder))
    if found is None:
        pytest.fail(f"{program} must be installed for this test, but there is none; run apt-get install -y {package}.")
    return found


def free_ports(count: int) -> list[int]:
    """Find ports of loopback that nobody listens on."""
    taken = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [int(one.getsockname()[1]) for one in taken]
    for one in taken:
        one.close()
    return ports


def wait_until(true: Callable[[], bool], what: str, seconds: float = PATIENCE_S) -> None:
    """Look ten times a second until it is so. Fails the test where it never is."""
    end = time.monotonic() + seconds
    while not true():
        if time.monotonic() > end:
            pytest.fail(f"within {seconds:.0f} s, {what} must be so, but is not.")
        time.sleep(0.1)


def run(command: list[str], **options: object) -> str:
    """Run a command and give what it prints. Fails the test, with what it says, where the command does."""
    done = subprocess.run(command, capture_output=True, text=True, check=False, **options)  # type: ignore[call-overload]
    if done.returncode:
        pytest.fail(f"{' '.join(command)} must exit with 0, but got {done.returncode}: {done.stdout}{done.stderr}")
    return str(done.stdout).strip()


def make(target: str, *words: str) -> str:
    """Make a target of the repository and give what it prints, as in a shell: also where make itself runs the tests.

    What is installed already is not installed again.
    """
    environment = {name: value for name, value in os.environ.items() if name not in ("MAKEFLAGS", "MAKELEVEL", "MFLAGS")}
    return run(["make", target, "--assume-old=.venv/installed", *words], cwd=ROOT, env=environment)


def alive(pid: int) -> bool:
    """Tell whether a process runs; one that has ended and was not waited for does not."""
    with suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0] != "Z"
    return False


def children(pid: int) -> list[int]:
    """Give the ids of a process's children."""
    with suppress(OSError):
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="utf-8").split()]
    return []


def left_in_memory(pid: int) -> list[str]:
    """Give the names of a process's files in shared memory, as loky and joblib name them.

    Its digits elsewhere, in a number drawn by PostgreSQL or in joblib's hexadecimal ones, are chance.
    """
    return [path.name for path in Path("/dev/shm").iterdir() if re.search(rf"[-_]{pid}[-_]", path.name)]


def end_by(pid_file: Path, number: int) -> None:
    """Send a signal to the process of a pid file and wait for its end; kill one that does not."""
    with suppress(OSError, ValueError):
        pid = int(pid_file.read_text(encoding="utf-8").split()[0])
        os.kill(pid, number)
        end = time.monotonic() + PATIENCE_S
        while alive(pid) and time.monotonic() < end:
            time.sleep(0.05)
        if alive(pid):
            os.kill(pid, signal.SIGKILL)
