"""Change the code of the modules that decide, one place at a time, and see whether their tests notice (mutmut).

`python -m tests.mutants [MODULE ...]`: each module of the table is mutated in a folder of its own, `build/mutants/MODULE`,
and only its own quick tests run. docs/mutants.md holds the figures, and says of every change that no test notices why none can.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import tomli_w

from tests.support.repository import PACKAGES, ROOT

PLACE = ROOT / "build" / "mutants"
# What counts as noticed: a test failed, the process ended, or stood still.
NOTICED = ("killed", "timeout", "segfault", "suspicious")


@dataclass(frozen=True)
class Subject:
    """A module whose changes its tests must notice."""

    # The file that is changed.
    file: str
    # Arguments of pytest: the files of tests, and which of them are quick.
    tests: Sequence[str]
    # The functions that are changed, as mutmut names them.
    functions: str = "*"


SUBJECTS: Mapping[str, Subject] = {
    "verdicts": Subject(
        "models/training/verdicts.py",
        (
            "tests/models/training/test_verdict_bounds.py",
            "tests/models/training/test_verdicts.py",
            *("-k", "bounds or rules or recorded or chance"),  # no trainings
        ),
    ),
    "ladder": Subject("search/trials/ladder.py", ("tests/search/trials/test_ladder.py",)),
    "folds": Subject("foils/folds.py", ("tests/foils/test_folds.py", "-k", "not keep_groups and not straddles")),
    "working-point": Subject(
        "models/metrics.py",
        (
            "tests/models/test_metrics_by_hand.py",
            "tests/models/test_metrics.py",
            *("-k", "by_hand or nine_tenths or equal_scores"),
        ),
    ),
    "threshold": Subject(
        "search/selection/final_model.py",
        ("tests/search/selection/test_threshold.py",),
        functions="search.selection.final_model.x_fix_threshold__*",
    ),
    "racing": Subject("search/selection/racing.py", ("tests/search/selection/test_racing.py",)),
    "matching": Subject("scan/match.py", ("tests/scan/test_match.py", "-k", "not hundred_thousand")),
    "leases": Subject(
        "search/storage/leases.py",
        (
            "tests/search/storage/test_claims.py",
            "tests/search/storage/test_leases.py",
            "tests/search/storage/test_lease_table.py",
            *("-k", "not postgresql and not importing and not machine"),
        ),
    ),
}


def prepare(name: str) -> Path:
    """Give a new folder in which mutmut finds the packages, the tests, and what it shall change."""
    subject, folder = SUBJECTS[name], PLACE / name
    shutil.rmtree(folder, ignore_errors=True)
    # The changed packages' place must be there before Python first looks for it.
    (folder / "mutants").mkdir(parents=True)
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    settings["tool"]["mutmut"]["only_mutate"] = [subject.file]
    settings["tool"]["mutmut"]["pytest_add_cli_args_test_selection"] = [*subject.tests, "-m", "not slow"]
    (folder / "pyproject.toml").write_text(tomli_w.dumps(settings), encoding="utf-8")
    for package in (*PACKAGES, "tests"):
        (folder / package).symlink_to(ROOT / package)
    return folder


def mutmut(folder: Path, *arguments: str) -> str:
    """Run a command of mutmut in a folder, and give what it prints."""
    program = [sys.executable, "-m", "mutmut", *arguments]
    # Processes that tests start must import the changed packages, too.
    paths = [str(folder / "mutants"), *os.environ.get("PYTHONPATH", "").split(os.pathsep)]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, paths))}
    done = subprocess.run(program, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(
            f"mutmut {' '.join(arguments)} ended with {done.returncode}:\n{done.stdout[-3000:]}{done.stderr[-3000:]}"
        )
    return done.stdout


def statuses(folder: Path, functions: str) -> dict[str, str]:
    """Change a module in every place and run its tests each time: give the status of each changed module, by its name."""
    mutmut(folder, "run", *([] if functions == "*" else [functions]))
    lines = (line.strip().rpartition(": ") for line in mutmut(folder, "results", "--all", "true").splitlines())
    return {name: status for name, _, status in lines if name and status != "not checked"}


def main(names: Sequence[str]) -> None:
    """Print a line of figures for each module, then what was not noticed; `mutmut show NAME`, in its folder, shows it."""
    print(f"{'module':<14} {'mutants':>7} {'killed':>7} {'survived':>8} {'share':>6}", flush=True)
    for name in names or SUBJECTS:
        folder = prepare(name)
        found = statuses(folder, SUBJECTS[name].functions)
        survivors = [mutant for mutant, status in found.items() if status not in NOTICED]
        killed = len(found) - len(survivors)
        print(f"{name:<14} {len(found):>7} {killed:>7} {len(survivors):>8} {killed / max(len(found), 1):>6.1%}", flush=True)
        print(*(f"    {mutant}: {found[mutant]}" for mutant in survivors), sep="\n", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
