"""What a process has left in shared memory is told by its own number, and not by another that holds its digits."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.processes import left_in_memory

# More digits than a process's number has: no process of this machine is meant.
PID = 10**11 + secrets.randbelow(10**9)


@pytest.fixture(
    params=[
        pytest.param((f"sem.loky-{PID}-x5x547wt", True), id="a semaphore of loky"),
        pytest.param((f"joblib_memmapping_folder_{PID}_17ca07_50dde3", True), id="a folder of joblib"),
        pytest.param((f"PostgreSQL.{PID}", False), id="a number of PostgreSQL"),
        pytest.param((f"PostgreSQL.1{PID}7", False), id="a number that holds it"),
        pytest.param((f"joblib_memmapping_folder_7_a{PID}f_50dde3", False), id="a hexadecimal one"),
    ]
)
def named(request: pytest.FixtureRequest) -> Iterator[tuple[Path, bool]]:
    """A file in shared memory, and whether it is the process's."""
    name, is_its_own = request.param
    file = Path("/dev/shm") / name
    file.touch()
    yield file, is_its_own
    file.unlink()


def test_only_files_of_the_process_itself_count(named: tuple[Path, bool]) -> None:
    file, is_its_own = named
    assert left_in_memory(PID) == ([file.name] if is_its_own else [])
