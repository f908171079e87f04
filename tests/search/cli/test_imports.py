"""What each command imports: those that train nothing start without torch, most without scikit-learn and pandas."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

# Packages that take from half a second to several seconds to import.
SLOW = ("torch", "timm", "torchvision", "sklearn", "pandas", "plotly", "scipy.stats", "distributed", "optuna_dashboard")
# Runs each command in a process that has imported nothing yet, a fork of this one: what it imports is its own.
SCRIPT = """
import contextlib, io, json, os, sys
from search.cli.app import app

slow, commands = json.loads(sys.argv[1])
for name, words in commands.items():
    sys.stdout.flush()
    if os.fork() == 0:
        said = io.StringIO()
        with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
            try:
                code = app(words, standalone_mode=False) or 0
            except BaseException as error:
                code = repr(error)
        imported = [module for module in slow if module in sys.modules]
        print(json.dumps([name, code, imported]), flush=True)
        os._exit(0)
    os.wait()
"""
# What trains nothing: its words, and the slow packages that it needs.
COMMANDS: Mapping[str, tuple[list[str], set[str]]] = {
    "spaces": (["spaces"], set()),
    "spaces NAME": (["spaces", "quick"], set()),
    "synth": (["synth", "synthetic", "--pits", "40"], set()),
    "check": (["check", "DATA"], set()),
    "relabel": (["relabel", "DATA", "suspects.csv"], set()),
    "status": (["status", "--storage", "STORAGE"], set()),
    "status --trial": (["status", "--storage", "STORAGE", "--trial", "1"], set()),
    "front": (["front", "--storage", "STORAGE"], {"plotly"}),
    "importance": (["importance", "--storage", "STORAGE"], {"sklearn", "pandas", "scipy.stats"}),
    "export": (["export", "best", "--storage", "STORAGE"], set()),
    "jobscript": (["jobscript", "--cluster", "slurm", "--storage", "STORAGE"], set()),
    "storage check": (["storage", "check", "STORAGE"], set()),
    "storage copy": (["storage", "copy", "STORAGE", "sqlite:///other.db"], set()),
    "plugin list": (["plugin", "list"], set()),
}
# Refused, of a study that has neither two objectives, nor trials enough, nor a selection, nor a server; after their imports.
REFUSED = {"front", "importance", "export", "jobscript"}


@pytest.fixture(scope="module")
def imported(
    finished_folder: Path, tiny_folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> Mapping[str, tuple[object, set[str]]]:
    """How each command ended, and what it imported."""
    folder = tmp_path_factory.mktemp("imports")
    shutil.copy(finished_folder / "studies.db", folder / "studies.db")
    shutil.copytree(tiny_folder, folder / "data")
    pit, label = (folder / "data" / "labels.csv").read_text().splitlines()[1].split(",")[:2]
    other = "top" if label != "top" else "bottom"
    (folder / "suspects.csv").write_text(f"pit,label,corrected\n{pit},{label},{other}\n")
    places = {"DATA": "data", "STORAGE": "sqlite:///studies.db"}
    commands = {name: [places.get(word, word) for word in words] for name, (words, _) in COMMANDS.items()}
    script = [sys.executable, "-c", SCRIPT, json.dumps([SLOW, commands])]
    printed = subprocess.run(script, cwd=folder, capture_output=True, text=True, check=True).stdout
    ended = [json.loads(line) for line in printed.splitlines() if line.startswith("[")]
    return {name: (code, set(modules)) for name, code, modules in ended}


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_that_trains_nothing_imports_only_what_it_needs(
    imported: Mapping[str, tuple[object, set[str]]], name: str
) -> None:
    code, modules = imported[name]
    if name in REFUSED:
        assert "StudyError" in str(code)
    else:
        assert code == 0
    assert modules <= COMMANDS[name][1]
    assert not modules & {"torch", "timm", "torchvision"}
