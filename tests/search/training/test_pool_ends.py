"""Workers end with the process that started them, however it ends, and leave nothing behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from search.training.pool import parallel_map
from tests.support.processes import alive, left_in_memory, wait_until
from tests.support.repository import ROOT

# Seconds that the end of all may take.
WITHIN_S = 60.0


@pytest.fixture
def started(tmp_path: Path) -> Iterator[tuple[subprocess.Popen[str], list[int], Path]]:
    """A process with two workers that compute for ever, the workers, and the temporary folder of all."""
    begun, temporary = tmp_path / "begun", tmp_path / "tmp"
    begun.mkdir()
    temporary.mkdir()
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.support.busy_workers", str(begun)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        cwd=ROOT,
        env={**os.environ, "TMPDIR": str(temporary)},
        start_new_session=True,
    )
    try:
        wait_until(lambda: len([*begun.iterdir()]) == 2 or process.poll() is not None, "two workers at work")
        yield process, [int(path.name) for path in begun.iterdir()], temporary
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


@pytest.mark.parametrize(
    ("number", "to_all"),
    [
        pytest.param(signal.SIGKILL, False, id="killed"),
        pytest.param(signal.SIGTERM, False, id="terminated", marks=pytest.mark.slow),
        pytest.param(signal.SIGHUP, False, id="hung up", marks=pytest.mark.slow),
        pytest.param(signal.SIGHUP, True, id="its terminal closed", marks=pytest.mark.slow),
        pytest.param(signal.SIGINT, True, id="Ctrl-C", marks=pytest.mark.slow),
    ],
)
def test_workers_end_with_their_parent(
    started: tuple[subprocess.Popen[str], list[int], Path], number: signal.Signals, to_all: bool
) -> None:
    process, workers, temporary = started
    assert len(workers) == 2
    (os.killpg if to_all else os.kill)(process.pid, number)
    wait_until(lambda: not any(map(alive, workers)), "the end of all workers", WITHIN_S)
    out, _ = process.communicate(timeout=WITHIN_S)
    assert process.returncode == (-signal.SIGKILL if number == signal.SIGKILL else 130)
    assert out == ""
    wait_until(lambda: not left_in_memory(process.pid), "nothing left in shared memory", WITHIN_S)
    assert not [*temporary.iterdir()]


def slow(number: int) -> int:
    time.sleep(0.1 if number == 0 else 3600)
    return number


@pytest.mark.slow
def test_workers_end_when_nobody_asks_for_more_results() -> None:
    for number in (results := parallel_map(slow, range(4), 2)):
        assert number == 0
        break
    results.close()  # type: ignore[attr-defined]  # a generator, and the others would sleep for an hour
