"""What each command imports: those that train nothing start without torch, most without scikit-learn and pandas."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path

import pytest

from search.cli.app import COMMANDS as GROUPS

# Packages that take from half a second to several seconds to import.
SLOW = (
    "torch",
    "optuna",
    "sqlalchemy",
    "timm",
    "torchvision",
    "sklearn",
    "pandas",
    "plotly",
    "scipy.stats",
    "tifffile",
    "distributed",
    "optuna_dashboard",
)
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
# What opens a study needs these.
STUDY = {"optuna", "sqlalchemy"}
# What cuts folds, too, or compares trials.
FOLDS = STUDY | {"sklearn", "pandas", "scipy.stats"}
# What trains nothing: its words, and the slow packages that it needs.
COMMANDS: Mapping[str, tuple[list[str], set[str]]] = {
    "spaces": (["spaces"], set()),
    "spaces NAME": (["spaces", "quick"], set()),
    "synth": (["synth", "synthetic", "--pits", "40"], set()),
    "check": (["check", "DATA"], {"tifffile"}),
    # Its workers train; the launch itself hands out the trials.
    "launch": (["launch", "DATA", "--workers", "0", "--storage", "sqlite:///launched.db"], FOLDS | {"tifffile"}),
    "relabel": (["relabel", "DATA", "suspects.csv"], {"tifffile"}),
    "status": (["status", "--storage", "STORAGE"], STUDY),
    "status --trial": (["status", "--storage", "STORAGE", "--trial", "1"], STUDY),
    "front": (["front", "--storage", "STORAGE"], STUDY | {"plotly"}),
    "report": (["report", "--storage", "STORAGE"], FOLDS | {"plotly", "tifffile"}),
    "importance": (["importance", "--storage", "STORAGE"], FOLDS),
    "export": (["export", "best", "--storage", "STORAGE"], STUDY),
    "match": (["match", "places.json", "places.json"], {"scipy.stats"}),
    "match --out": (["match", "places.json", "places.json", "--out", "match.html"], {"scipy.stats", "plotly"}),
    "align": (["align", "places.json", "places.json", "--no-mirror"], set()),
    "jobscript": (["jobscript", "--cluster", "slurm", "--storage", "STORAGE"], STUDY),
    "storage check": (["storage", "check", "STORAGE"], STUDY),
    "storage copy": (["storage", "copy", "STORAGE", "sqlite:///other.db"], STUDY),
    "plugin list": (["plugin", "list"], set()),
}
# Refused, of a study that has neither two objectives, nor trials enough, nor a selection, nor a server; after their imports.
REFUSED = {"front", "importance", "export", "jobscript"}


# What people run most, in the fast tests, too.
QUICK = ("spaces", "check", "status")


def imports_of(names: Iterable[str], finished_folder: Path, tiny_folder: Path, folder: Path) -> None:
    """Run commands, each in a process of its own, and assert how it ended and what it imported."""
    shutil.copy(finished_folder / "studies.db", folder / "studies.db")
    shutil.copytree(tiny_folder, folder / "data")
    pit, label = (folder / "data" / "labels.csv").read_text().splitlines()[1].split(",")[:2]
    other = "top" if label != "top" else "bottom"
    (folder / "suspects.csv").write_text(f"pit,label,corrected\n{pit},{label},{other}\n")
    # Twenty places that lie irregularly.
    (folder / "places.json").write_text(json.dumps([[37 * n * n % 1009, 91 * n * n * n % 997] for n in range(1, 21)]))
    places = {"DATA": "data", "STORAGE": "sqlite:///studies.db"}
    commands = {name: [places.get(word, word) for word in COMMANDS[name][0]] for name in names}
    script = [sys.executable, "-c", SCRIPT, json.dumps([SLOW, commands])]
    printed = subprocess.run(script, cwd=folder, capture_output=True, text=True, check=True).stdout
    ended = {name: (code, set(modules)) for name, code, modules in map(json.loads, printed.splitlines())}
    assert set(ended) == set(commands)
    for name, (code, modules) in ended.items():
        assert "StudyError" in str(code) if name in REFUSED else code == 0, name
        assert modules <= COMMANDS[name][1], name


def test_check_status_and_spaces_import_nothing_slow(finished_folder: Path, tiny_folder: Path, tmp_path: Path) -> None:
    imports_of(QUICK, finished_folder, tiny_folder, tmp_path)


@pytest.mark.slow
def test_no_command_that_trains_nothing_imports_torch(finished_folder: Path, tiny_folder: Path, tmp_path: Path) -> None:
    assert not any({"torch", "timm", "torchvision"} & modules for _, modules in COMMANDS.values())
    imports_of(COMMANDS, finished_folder, tiny_folder, tmp_path)


def test_every_command_is_listed_or_trains() -> None:
    trains = {"confirm", "select", "curve", "diagnose", "worker", "predict", "scan", "queue"}
    listed = {name.split()[0] for name in COMMANDS}
    # Of merge and import the sources are many: their own tests run them.
    elsewhere = {"merge", "import"}
    # The dashboard serves until it is stopped; a bundle's networks, which predict, scan and queue read, are torch's.
    commands = {command.__name__.rstrip("_") for group in GROUPS.values() for command, _ in group}
    assert commands <= {*trains, *listed, *elsewhere, "dashboard"}
