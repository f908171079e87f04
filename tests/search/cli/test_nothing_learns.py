"""A launch in which nothing learns ends in one plain sentence, and so does select, before it trains anything."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from tests.support.commands import Runner
from tests.support.studies import SMALL_SPACE
from tests.support.tiny import write_dataset


def write_noise(folder: Path) -> Path:
    """Write tiny pits whose labels are dealt out by chance."""
    write_dataset(folder)
    header, *rows = [line.split(",") for line in (folder / "labels.csv").read_text().splitlines()]
    order = np.random.default_rng(7).permutation(len(rows))
    dealt = [[row[0], rows[other][1], *row[2:]] for row, other in zip(rows, order, strict=True)]
    (folder / "labels.csv").write_text("\n".join(map(",".join, [header, *dealt])) + "\n")
    return folder


def test_a_launch_in_which_nothing_learns_says_so_and_so_does_select(run: Runner, tmp_path: Path) -> None:
    folder = write_noise(tmp_path / "noise")
    Path("space.toml").write_text(SMALL_SPACE.write())
    words = ["--trials", 2, "--workers", 1, "--ladder", "5x1", "--space", "space.toml", "--pruner", "none"]
    launched = run("launch", folder, *words)
    assert launched.code == 0
    *_, sentence, following = launched.out.splitlines()
    assert sentence.startswith("nothing has learned: none of ")
    likely = r"likely too few signal pits \(1\d searched\) or too few epochs \(1\) or too small a crop; to see the pits: "
    assert re.search(likely, sentence)
    assert following == f"next: pitsearch check {folder} --sheet pits.png"
    assert "note: networks are barely trained: the ladder ends at 1 epoch; " in launched.out
    assert "nothing has learned" in run("status").out
    for command in ("select", "confirm"):
        refused = run(command)
        assert (refused.code, refused.out) == (1, "")
        assert refused.err == f"error: study 'tiny' has no trial to confirm: {sentence}.\n"
