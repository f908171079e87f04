"""The scripts of examples/ run as they stand: an own network, from its check to scores elsewhere, and a search on SLURM."""

from __future__ import annotations

import csv
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

import pytest

from search.studies.study import find_study
from tests.support.commands import Runner
from tests.support.engines import Slurm
from tests.support.processes import wait_until
from tests.support.repository import PACKAGES, ROOT, imported
from tests.support.tiny import write_dataset

EXAMPLES = ROOT / "examples"
# Runs a script where these cannot be imported.
WITHOUT = "import runpy, sys\nsys.modules.update(dict.fromkeys({names!r}))\nrunpy.run_path(sys.argv[0], run_name='__main__')"
QUICK = ["--scheme", "binary", "--fix", "optimiser.batch_size=16", "--working-point", "0.2", "--pruner", "none"]


def run(folder: Path, *words: object, environment: Mapping[str, str] = MappingProxyType({}), code: int = 0) -> str:
    """Run a command, and give what it prints on stdout. Fails the test where it ends with another code."""
    command = [str(word) for word in words]
    process = subprocess.run(
        command, cwd=folder, env={**os.environ, **environment}, capture_output=True, text=True, timeout=600, check=False
    )
    assert process.returncode == code, process.stdout + process.stderr
    return process.stdout


def test_the_scorer_needs_nothing_but_what_it_says() -> None:
    foreign = imported(EXAMPLES / "score_with_onnxruntime.py") - sys.stdlib_module_names
    assert foreign == {"numpy", "onnxruntime", "PIL"}


def test_every_file_is_listed() -> None:
    page = (EXAMPLES / "README.md").read_text(encoding="utf-8")
    listed = subprocess.run(["git", "ls-files", "."], cwd=EXAMPLES, capture_output=True, text=True, check=True).stdout.split()
    assert listed
    assert [name for name in listed if f"]({name})" not in page] == ["README.md"]


@pytest.mark.slow
def test_an_own_network_scores_without_pitsearch(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    runner = Runner(monkeypatch, capsys)

    def pitsearch(*words: object) -> str:
        ran = runner(*words)
        assert ran.code == 0, ran.out + ran.err
        return ran.out + ran.err

    script = tmp_path / "own_network.py"
    shutil.copy(EXAMPLES / script.name, script)
    write_dataset(tmp_path / "mydata")
    assert "network middle-and-rim, mode stacked: kept" in pitsearch("plugin", "check", script)
    chosen = ["--plugin", script, "--fix", "network=middle-and-rim"]
    pitsearch("launch", "mydata", *chosen, *QUICK, "--trials", "1", "--ladder", "5x8", "--workers", "1")
    pitsearch("select", "--top", "1", "--repeats", "1", "--reliability", "0", "--workers", "1")
    pitsearch("export", "best")
    pitsearch("predict", "best", "mydata", "--plugin", script, "--out", "scores.csv")
    names = (*PACKAGES, "torch", "optuna", "pandas", "sklearn")
    code = WITHOUT.format(names=names)
    blocked = [sys.executable, "-c", f"import sys; sys.argv = sys.argv[1:]\n{code}", EXAMPLES / "score_with_onnxruntime.py"]
    printed = run(tmp_path, *blocked, "best/model.onnx", "mydata/crops")
    scores = list(csv.DictReader(printed.splitlines()))
    with (tmp_path / "scores.csv").open(newline="") as stream:
        expected = {row["pit"]: row for row in csv.DictReader(stream)}
    assert len(scores) == len(expected) == 75
    assert all(abs(float(row["p_signal"]) - float(expected[row["pit"]]["p_signal"])) < 1e-4 for row in scores)
    assert {row["accepted"] for row in scores} == {"0", "1"}
    (tmp_path / "mydata" / "crops" / "p000_9.png").unlink()
    for folder in ("mydata", "mydata/crops"):
        assert run(tmp_path, *blocked, "best/model.onnx", folder, code=1) == ""


@pytest.mark.slow
def test_the_slurm_script_searches_by_jobs(slurm: Slurm, postgres_url: str, tmp_path: Path) -> None:
    write_dataset(tmp_path / "mydata")
    # As an installation puts it on the path; the private cluster's jobs inherit what the script is given.
    command = tmp_path / "bin" / "pitsearch"
    command.parent.mkdir()
    command.write_text(f'#!/bin/sh\nexec "{sys.executable}" -P -m pitsearch "$@"\n')
    command.chmod(0o755)
    script = ["bash", EXAMPLES / "search_on_slurm.sh", "mydata", *QUICK, "--trials", "2", "--ladder", "5x2"]
    path = f"{command.parent}:{os.environ['PATH']}"
    environment = {"STORAGE": postgres_url, "JOBS": "1", "PYTHONPATH": str(ROOT), "PATH": path}
    run(tmp_path, *script, code=1, environment=environment)
    said = run(tmp_path, *script, "--study", "mine", environment=environment)
    assert "Submitted batch job" in said
    assert "pitsearch select --study mine" in said
    wait_until(lambda: not slurm.jobs(), "the end of the jobs", 300)
    trials = find_study("mine", postgres_url).optuna.get_trials(deepcopy=False)
    logs = "\n".join(path.read_text() for path in tmp_path.glob("*.out"))
    assert [trial.state.name for trial in trials] == ["COMPLETE", "COMPLETE"], logs
