"""The commands that bring new labels into a data set: what they print, and what they refuse on one line."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from foils import load
from models.inference.bundle import write_bundle
from scan.hits import write_hits
from tests.support.bundles import of_data
from tests.support.commands import Runner
from tests.support.hits import hit
from tests.support.tiny import write_dataset


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


def test_a_queue_is_labelled_and_merged_from_the_command_line(run: Runner) -> None:
    data = load(write_dataset(Path("data"), counts={"candidate": 8, "top": 8, "misc": 6}, listed=False))
    other = load(write_dataset(Path("other"), frames=True, seed=7, counts={"candidate": 12, "top": 12}, slides=2))
    # Bytes and places of another foil.
    for frame in list(Path("other/frames").iterdir()):
        frame.rename(frame.with_name(frame.name.replace("f1_", "f2_")))
    hits = [hit(n, foil="f2", slide=pit.slide, x=pit.x, y=pit.y) for n, pit in enumerate(other.pits)]
    Path("hits").mkdir()
    write_hits(hits, Path("hits/hits.parquet"))
    Path("best").mkdir()
    write_bundle(Path("best"), of_data(data))
    for name in ("foil.toml", "labels.csv"):  # frames alone
        Path("other", name).unlink()
    refused = run("queue", "best", "hits/hits.parquet", "--out", "queue", "--data", "data")
    assert refused.code == 1
    assert "give --frames" in refused.err
    done = run("queue", "best", "hits/hits.parquet", "--out", "queue", "--data", "data", "--frames", "other", "--n", "6")
    assert done.code == 0, done.err
    assert done.out.splitlines()[0].startswith("wrote queue: 6 of 24 hits: 2 signal-like, 2 uncertain, 2 unlike")
    pits = [pit.pit for pit in load("queue", labelled=False).pits]
    Path("labels.csv").write_text(f"pit,label\n{pits[0]},candidate\n{pits[1]},top\n")
    done = run("merge", "data", "queue", "--labels", "labels.csv", "--out", "more")
    assert done.code == 0, done.err
    assert done.out.splitlines() == ["wrote more: 2 pits added, 4 without a label left out", "next: pitsearch launch more"]
    assert load("more").counts() == {"candidate": 9, "top": 9, "misc": 6}
