"""Where output goes: pipes whose reader is gone, full disks, and files of results that are tried before anything is trained."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from search.studies.study import Study
from tests.support.commands import Runner

GONE = "error: standard output must take what is printed, but: {}; give it a reader, or a disk with room.\n"


@pytest.mark.parametrize("words", ["spaces", "spaces quick", "plugin list"])
def test_an_output_that_is_full_or_gone_ends_in_one_line(words: str) -> None:
    command = [sys.executable, "-m", "pitsearch", *words.split()]
    with Path("/dev/full").open("w") as full:
        refused = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert (refused.returncode, refused.stderr) == (1, GONE.format("No space left on device"))
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout is not None and process.stderr is not None
    process.stdout.close()
    assert (process.stderr.read(), process.wait()) == (GONE.format("Broken pipe"), 1)
    process.stderr.close()


OUTS = [
    ["check", "DATA", "--sheet"],
    ["curve", "DATA", "--out"],
    ["diagnose", "--storage", "STORAGE", "--out"],
    ["front", "--storage", "STORAGE", "--out"],
    ["report", "--storage", "STORAGE", "--out"],
    ["predict", "no-bundle", "DATA", "--out"],
]


@pytest.mark.parametrize("words", OUTS, ids=lambda words: str(words[0]))
@pytest.mark.parametrize("out", [".", "/", "nowhere/out.csv", "/proc/out.csv", "/dev/full"])
def test_where_results_go_is_tried_before_anything_is_done(
    run: Runner, words: list[str], out: str, finished: Study, tiny_folder: Path, tmp_path: Path
) -> None:
    before = sorted(tmp_path.iterdir())
    refused = run(*({"DATA": tiny_folder, "STORAGE": finished.storage}.get(word, word) for word in words), out)
    assert refused.code == 1
    assert refused.out == ""
    assert len(refused.err.splitlines()) == 1
    option = "--sheet" if "--sheet" in words else "--out"
    assert option in refused.err
    assert sorted(tmp_path.iterdir()) == before
