"""Run the code blocks of a page as a reader would: in order, in one folder, commands in a shell and Python as one script.

Three things differ from a reader's machine. Commands are small (`tests/support/small.py`). An address of PostgreSQL, whatever
the host, is a database of the test's own server. Programs of `.venv/bin` are those of the environment that runs the tests.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import stat
import subprocess
import sys
import tomllib
from collections.abc import Callable
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
import typer

from search import defaults
from search.cli.app import app
from tests.support.commands import Runner
from tests.support.pages import Block, Page
from tests.support.repository import ROOT
from tests.support.small import LADDER, small

POSTGRES = re.compile(r"postgresql\+psycopg://[^/\s'\"]+/(\w+)")
# A command that is nothing but words is run in this process.
PLAIN = re.compile(r"pitsearch [^|&;<>$`(){}*\n]*")
QUICK = re.compile(r"(pitsearch (check|spaces|plugin list|status|synth)|make|cd|export)\b[^|&;<>]*$")
# Hours at full size. Tests of their own run all benchmarks in small.
BENCHMARKS = re.compile(r"python -m (benchmarks[\w.]*)(.*)")
# Seconds that a command of the shell may take; more than any does.
PATIENCE_S = 240


def words_of(command: str) -> list[list[str]]:
    """Give the words behind every `pitsearch` of a command of a shell."""
    found = re.findall(r"(?:^|[|;&(] *|\b(?:do|then|else|\w+=\S*) )pitsearch ((?:'[^']*'|\"[^\"]*\"|[^|;&<>])*)", command)
    return [shlex.split(words, comments=True) for words in found]


def parse(words: list[str], command: Any = None) -> None:
    """Parse the words of a command as `pitsearch`, or another program, does, and run nothing. Raises what that raises."""
    command = command or typer.main.get_command(app)
    while isinstance(command, typer.core.TyperGroup) and words and not words[0].startswith("-"):
        command, words = command.commands[words[0]], words[1:]
    with suppress(typer.Exit):  # --help, --version
        command.make_context("pitsearch", [*words])


def trains(page: Page) -> bool:
    """Tell whether running a page trains, scores, asks for an engine or starts a process: it is slow then."""
    for block in page.blocks:
        if not block.runs or block.file is not None:
            continue
        if block.language == "python" or not all(map(QUICK.match, block.commands)):
            return True
    return False


def _benchmark(module: str) -> Any:
    """Give the command of a program of benchmarks: its app, or else its one function."""
    program = import_module(module)
    group = getattr(program, "app", None) or typer.Typer()
    if not hasattr(program, "app"):
        group.command()(program.main)
    return typer.main.get_command(group)


class Reader:
    """Runs the blocks of a page in the current folder. `database` gives the address of a new database of PostgreSQL."""

    def __init__(self, run: Runner, monkeypatch: pytest.MonkeyPatch, bin_folder: Path, database: Callable[[], str]) -> None:
        self.run, self.patch, self.database = run, monkeypatch, database
        self.databases: dict[str, str] = {}
        # All Python of a page is one script.
        self.names: dict[str, Any] = {"__name__": "__main__"}
        shim = bin_folder / "pitsearch"
        shim.write_text(f'#!/bin/sh\nexec {sys.executable} -P -m tests.support.small "$@"\n', encoding="utf-8")
        shim.chmod(shim.stat().st_mode | stat.S_IXUSR)
        monkeypatch.setenv("PATH", os.pathsep.join([str(bin_folder), str(Path(sys.executable).parent), os.environ["PATH"]]))
        monkeypatch.setenv("PYTHONPATH", str(ROOT))
        # One worker where a page names no number: the others would only take longer to start.
        monkeypatch.setenv("LOKY_MAX_CPU_COUNT", "1")
        monkeypatch.setenv("PLOTLY_RENDERER", "json")
        # For Python that names none.
        monkeypatch.setattr(defaults, "LADDER", LADDER)

    def read(self, page: Page) -> None:
        """Run all blocks of a page; fail with the page and the line of the first that does not run."""
        for block in page.blocks:
            place = f"{page.name}:{block.line}"
            if block.not_run is None and block.language == "toml":
                tomllib.loads(block.text)
            if block.not_run is None and block.language == "json":
                json.loads(block.text)
            if not block.runs:
                continue
            if block.file is not None:
                Path(block.file).parent.mkdir(parents=True, exist_ok=True)
                Path(block.file).write_text(self._local(block.small), encoding="utf-8")
            elif block.language == "python":
                self._python(block, place)
            else:
                for command in block.commands:
                    self._command(self._local(command), place)

    def _local(self, text: str) -> str:
        """Put our own addresses in place of the page's."""
        return POSTGRES.sub(lambda found: self._database(found[1]), text).replace(
            ".venv/bin/", f"{Path(sys.executable).parent}/"
        )

    def _database(self, name: str) -> str:
        if name not in self.databases:
            self.databases[name] = self.database()
        return self.databases[name]

    def _python(self, block: Block, place: str) -> None:
        text = "\n" * (block.line - 1) + self._local(block.small)
        exec(compile(text, place.rpartition(":")[0], "exec"), self.names)

    def _command(self, command: str, place: str) -> None:
        if command.startswith("cd "):
            self.patch.chdir(shlex.split(command, comments=True)[1])
        elif command.startswith("export "):
            for name, value in (word.split("=", 1) for word in shlex.split(command, comments=True)[1:]):
                self.patch.setenv(name, os.path.expandvars(value))
        elif command.startswith("make "):
            target = shlex.split(command, comments=True)[1]
            rules = (ROOT / "Makefile").read_text(encoding="utf-8")
            assert re.search(rf"^{re.escape(target)}:", rules, re.MULTILINE), f"{place}: make has no target {target}"
        elif found := BENCHMARKS.search(command):
            parse(shlex.split(found[2], comments=True), _benchmark(f"{found[1]}.__main__"))
        elif PLAIN.fullmatch(command.partition(" #")[0].rstrip()):
            ran = self.run(*small(shlex.split(command, comments=True)[1:]))
            assert ran.code == 0, f"{place}: {command} must exit with 0, but got {ran.code}: {ran.out}{ran.err}"
        else:
            self._shell(command, place)

    def _shell(self, command: str, place: str) -> None:
        script = ["bash", "-euo", "pipefail", "-c", command]
        ended = subprocess.run(script, capture_output=True, text=True, check=False, timeout=PATIENCE_S)
        assert ended.returncode == 0, (
            f"{place}: {command} must exit with 0, but got {ended.returncode}: {ended.stdout}{ended.stderr}"
        )
