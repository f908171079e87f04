"""A worker that is killed ends the map with one line; results given before are whole."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import pytest

from search.errors import StudyError
from search.training.pool import parallel_map
from spaces.errors import SpaceError
from spaces.plugin_files import use_plugin


def killed_by_three(number: int) -> int:
    if number == 3:
        time.sleep(0.5)  # the others are given first
        os.kill(os.getpid(), signal.SIGKILL)
    return number


KEPT: list[bytes] = []


def growing(number: int) -> int:
    KEPT.append(b"\1" * (200 << 20))
    time.sleep(1.1)  # joblib looks at the memory of a worker once a second
    return number


@pytest.mark.slow
def test_a_worker_that_has_grown_is_replaced_without_a_warning() -> None:
    assert sorted(parallel_map(growing, range(8), 2)) == [*range(8)]


def test_a_killed_worker_is_said_on_one_line() -> None:
    results: list[int] = []
    with pytest.raises(StudyError, match=r"^a worker was killed, perhaps for want of memory, with 2 workers; "):
        results.extend(parallel_map(killed_by_three, [1, 2, 3, 3], 2))
    assert set(results) <= {1, 2}


def test_workers_that_cannot_load_a_plugin_say_so(tmp_path: Path) -> None:
    plugin = tmp_path / "own.py"
    plugin.write_text("import pitsearch as ps\nplugin = ps.Plugin()\n")
    use_plugin(plugin)
    plugin.write_text("import pitsearch as ps\nplugin = ps.Plugin(networks=[])\n")
    with pytest.raises(SpaceError, match=r"^the plugin own must not change while it is in use, but .*own\.py did; run"):
        list(parallel_map(str, [1, 2], 2))
    plugin.unlink()
    with pytest.raises(SpaceError, match=r"^a plugin must be an existing file, but got .*own\.py; correct the path"):
        list(parallel_map(str, [1, 2], 2))
