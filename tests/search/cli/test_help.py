"""The command line's help: groups, examples, version, completion; and what an error of ours looks like."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import typer

from search.cli.app import app, main
from tests.support.commands import Runner

GROUPS = {
    "Data": ["synth", "check", "relabel", "import"],
    "Search": ["spaces", "launch", "status", "dashboard"],
    "Choose": ["confirm", "front", "select"],
    "Understand": ["report", "importance", "curve", "diagnose"],
    "Use": ["export", "predict"],
    "Foil": ["scan", "match", "align", "queue", "merge"],
    "Clusters": ["worker", "jobscript"],
}
COMMANDS = [command for commands in GROUPS.values() for command in commands]


def test_the_commands_are_those_of_the_readme() -> None:
    assert [command.name or command.callback.__name__ for command in app.registered_commands if command.callback] == COMMANDS


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help_with_an_example(run: Runner, command: str) -> None:
    shown = run(command, "--help")
    assert shown.code == 0
    assert f"Example: pitsearch {command} " in re.sub(r"\s+", " ", shown.out)


def test_the_help_lists_the_commands_under_the_headings_of_their_groups(run: Runner) -> None:
    shown = run("--help").out
    printed = re.findall(r"^(\w+):\n((?:  .*\n)+)", shown, re.MULTILINE)
    sections = {heading: re.findall(r"^  (\w+) ", rows, re.MULTILINE) for heading, rows in printed}
    del sections["Options"]
    more = {"Search": [*GROUPS["Search"], "plugin"], "Clusters": [*GROUPS["Clusters"], "storage"]}
    assert sections == GROUPS | more
    assert all(ord(letter) < 128 for letter in shown)


def test_the_version_is_printed_with_what_results_depend_on(run: Runner) -> None:
    shown = run("--version")
    assert shown.code == 0
    assert re.fullmatch(r"pitsearch \d+\.\d+\.\d+ \(Python 3[\d.]+, torch \S+, optuna [\d.]+\)\n", shown.out)


def test_a_shell_completes_the_command(run: Runner) -> None:
    assert "completion" not in run("launch", "--help").out
    script = Path(sys.executable).with_name("pitsearch")
    # What --show-completion prints where a shell is found among the parent processes.
    source = {"_PITSEARCH_COMPLETE": "source_bash"}
    shown = subprocess.run([script], env={**os.environ, **source}, capture_output=True, text=True, check=False)
    assert "_PITSEARCH_COMPLETE=complete_bash" in shown.stdout
    words = {"COMP_WORDS": "pitsearch la", "COMP_CWORD": "1", "_PITSEARCH_COMPLETE": "complete_bash"}
    completed = subprocess.run([script], env={**os.environ, **words}, capture_output=True, text=True, check=False)
    assert completed.stdout.split() == ["launch"]


def test_help_and_version_need_no_torch() -> None:
    code = "import sys; from search.cli.app import app; sys.exit('torch' in sys.modules or 'optuna' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize(
    "words",
    [["launch"], ["nonsense"], ["launch", "x", "--trials", "0"], ["launch", "x", "--depth", "3"], ["dashboard", "--port", "0"]],
)
def test_wrong_use_exits_with_2(run: Runner, words: list[str]) -> None:
    assert run(*words).code == 2


def test_a_fault_of_ours_is_not_dressed_up_as_a_refusal(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken() -> None:
        raise ValueError("a bug")

    monkeypatch.setattr("search.cli.app.app", broken)
    with pytest.raises(ValueError, match="a bug"):
        main()


def test_the_console_script_is_there() -> None:
    command = typer.main.get_command(app)
    assert command.name == "pitsearch"
