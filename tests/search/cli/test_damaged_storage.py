"""What each command makes of a damaged SQLite file: what can be read, or one line; and what can be read is saved."""

from __future__ import annotations

import json
import re
import sqlite3
from contextlib import closing
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from search.studies.study import Study
from tests.support.commands import Ran, Runner

TRIALS = 3


def cut(path: Path, size: int) -> None:
    """Cut so many bytes off the end."""
    path.write_bytes(path.read_bytes()[:-size])


def scribble(path: Path, seed: int, pages: int = 3) -> None:
    """Put junk in pages, none of them the first, which names the tables."""
    generator, content = np.random.default_rng(seed), bytearray(path.read_bytes())
    size = int.from_bytes(content[16:18], "big")
    for page in generator.choice(np.arange(1, len(content) // size), pages, replace=False):
        content[page * size : (page + 1) * size] = generator.integers(0, 256, size, np.uint8).tobytes()
    path.write_bytes(content)


def rewrite(path: Path, table: str, key: str, value: str) -> None:
    """Write another value for an attribute of the study, or of its second trial."""
    where = "key = ? and trial_id = 2" if table == OF_TRIALS else "key = ?"
    with closing(sqlite3.connect(path)) as connection, connection:
        assert connection.execute(f"update {table} set value_json = ? where {where}", [value, key]).rowcount == 1  # noqa: S608


OF_STUDY, OF_TRIALS = "study_user_attributes", "trial_user_attributes"
PLAN, LAUNCH, RUNG = (OF_STUDY, "pitsearch:plan"), (OF_STUDY, "pitsearch:launch"), (OF_TRIALS, "reached")
DAMAGES: dict[str, partial[None]] = {
    "cut by a byte": partial(cut, size=1),
    "cut by a page": partial(cut, size=4096),
    **{f"three pages of junk, {seed}": partial(scribble, seed=seed) for seed in range(2)},
    **{
        f"another {what[1]}: {text[:9]}": partial(rewrite, table=what[0], key=what[1], value=text)
        for what in (PLAN, LAUNCH, RUNG)
        for text in ("{", "null", json.dumps({"format": 2, "trials": "many"}))
    },
}


def judged(ran: Ran) -> str:
    """Give what a command printed, which ended well or refused on one line."""
    assert ran.code in (0, 1), ran.err
    lines = ran.err.splitlines()
    assert len(lines) == ran.code, ran.err
    assert all(line.startswith("error: ") for line in lines)
    return ran.out or ran.err


@pytest.mark.slow
@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES.keys())
def test_every_command_reads_it_or_refuses_on_one_line(
    damage: partial[None], finished: Study, tiny_folder: Path, run: Runner, tmp_path: Path
) -> None:
    path, saved = tmp_path / "studies.db", f"sqlite:///{tmp_path}/saved.db"
    damage(path)
    before = path.read_bytes()
    salvaged = run("storage", "copy", "--salvage", finished.storage, saved)
    judged(salvaged)
    assert path.read_bytes() == before
    named = ("--study", "tiny", "--storage", finished.storage)
    judged(run("status", *named))
    judged(run("select", *named, "--top", "1", "--repeats", "1", "--final", "1", "--reliability", "0", "--workers", "1"))
    judged(run("launch", tiny_folder, *named, "--trials", str(TRIALS), "--workers", "1"))
    if salvaged.code == 0:
        judged(run("status", "--storage", saved))
    if damage.func is not scribble:  # which may hit any row
        kept = re.search(r"saved tiny: (\d+) trials", salvaged.out)
        assert kept is not None and int(kept[1]) >= TRIALS - 1, salvaged.out
