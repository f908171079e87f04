"""The commands that bring new labels into a data set: what they print, and what they refuse on one line."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from foils import load
from tests.support.commands import Runner


def test_import_writes_a_data_set_that_check_reads_and_refuses_on_one_line(run: Runner) -> None:
    generator = np.random.default_rng(0)
    for label in ("sig", "bkg"):
        Path("pits", label).mkdir(parents=True)
        for number in range(12):
            Image.fromarray(generator.integers(0, 255, (12, 12)).astype(np.uint8)).save(f"pits/{label}/{label}{number}.png")
    refused = run("import", "pits", "--out", "data")
    assert (refused.code, refused.err.count("\n")) == (1, 1)
    assert refused.err.startswith("error: `--signal` must be one of the labels (bkg, sig), but got 'candidate'")
    assert not Path("data").exists()
    done = run("import", "pits", "--signal", "sig", "--out", "data")
    assert done.code == 0, done.err
    assert done.out.splitlines()[-2:] == ["wrote data: 24 pits of folders", "next: pitsearch check data"]
    assert load("data").counts() == {"sig": 12, "bkg": 12}


def test_queue_and_merge_refuse_on_one_line(run: Runner) -> None:
    for words, said in (
        (("queue", "none", "hits.csv", "--out", "queue"), "error: none/model.json"),
        (("merge", "none", "queue", "--out", "new"), "error: none: a data set is a folder"),
    ):
        refused = run(*words)
        assert (refused.code, refused.err.count("\n")) == (1, 1), refused.err
        assert said in refused.err
