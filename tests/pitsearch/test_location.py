"""A user's own models.py, search.py, spaces.py and foils/ stand for nothing of ours: in scripts, commands, workers and jobs."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.studies import SHORT, SMALL_SPACE
from tests.support.tiny import write_dataset

SCRIPT = """
import pitsearch as ps
from search.training.pool import parallel_map

options = ps.SearchOptions(ladder=ps.Ladder.parse("5x1,5x6"), working_point=0.1)
workers = ps.Processes(workers=2)
study = ps.launch(ps.load("mydata"), ps.Space.read("space.toml"), options, budget=ps.Budget(trials=2), executor=workers)
print(ps.summarise(study).complete + ps.summarise(study).pruned, "trials")
print(*(rung for ladder in parallel_map(ps.Ladder.parse, ["5x1", "5x1"], 2) for rung in ladder.rungs))
"""
PITSEARCH = Path(sys.executable).with_name("pitsearch")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a data set, a space and modules of a user's own that bear our packages' names."""
    (tmp_path / "foils").mkdir()
    for name in ("foils/__init__.py", "spaces.py", "models.py", "search.py"):
        (tmp_path / name).write_text("raise RuntimeError('a module of the user was imported')\n")
    write_dataset(tmp_path / "mydata")
    (tmp_path / "space.toml").write_text(SMALL_SPACE.write())
    return tmp_path


def run(folder: Path, *command: object, searched: bool = False) -> str:
    """Run a command in a folder, which Python searches before all others where `searched` is true; give what it prints."""
    environment = {**os.environ, "PYTHONPATH": str(folder)} if searched else None
    process = subprocess.run(
        [*map(str, command)], cwd=folder, env=environment, capture_output=True, text=True, timeout=240, check=False
    )
    assert process.returncode == 0, process.stderr
    return process.stdout


@pytest.mark.slow
def test_a_script_beside_them_searches_with_workers(folder: Path) -> None:
    (folder / "script.py").write_text(SCRIPT)
    assert run(folder, sys.executable, "script.py").splitlines()[-2:] == ["2 trials", "5x1 5x1"]


@pytest.mark.slow
def test_the_command_searches_among_them_and_so_does_a_job(folder: Path, postgres_url: str) -> None:
    words = ["--trials", 2, "--workers", 2, "--ladder", SHORT, "--space", "space.toml", "--storage", postgres_url]
    assert "2 of 2 done" in run(folder, PITSEARCH, "launch", "mydata", *words, searched=True)
    script = run(folder, PITSEARCH, "jobscript", "--cluster", "slurm", "--storage", postgres_url)
    (line,) = [line for line in script.splitlines() if line.startswith("exec ")]
    command = shlex.split(line)[1:]
    assert command[1:5] == ["-P", "-m", "pitsearch", "worker"]
    assert run(folder, *command) == f"next: pitsearch status --study tiny --storage {postgres_url}\n"


def test_a_package_that_is_imported_first_finds_the_others(folder: Path) -> None:
    (folder / "search.py").unlink()
    code = "import search, sys; search.StudyError; print(sys.modules['pitsearch.location'].FINDER is sys.meta_path[0])"
    assert run(folder, sys.executable, "-c", code) == "True\n"


def test_a_module_of_the_same_name_that_was_imported_before_is_refused_on_one_line(folder: Path) -> None:
    (folder / "models.py").write_text("")
    command = [sys.executable, "-c", "import models, pitsearch"]
    refused = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert refused.returncode == 1
    assert refused.stderr.splitlines()[-1] == (
        f"ImportError: the package `models` must be pitsearch's own, but {folder / 'models.py'} was imported before under this "
        "name; give that file another name."
    )
