"""Faults that come from outside: trials ended by hand, links, damaged caches."""

from __future__ import annotations

import os

import optuna
from optuna.storages import RDBStorage
from optuna.trial import TrialState

from tests.faults.deaths import ended_well, finish
from tests.faults.lab import Lab

SELECT = ("select", "--study", "lab", "--top", "1", "--repeats", "1", "--reliability", "0", "--workers", "1")


def flip_bits_of_the_cache(lab: Lab) -> str:
    """Flip a bit in every file of the cache between two selections; the models must be the same."""
    cache = lab.folder / "cache"
    lab.environment["PITSEARCH_CACHE"] = str(cache)
    ended_well(lab.launch(2))
    contents, flipped = [], 0
    for name in ("before", "after"):
        ended_well(lab.start([*SELECT, "--storage", lab.storage]))
        out = lab.folder / name
        ended_well(lab.start(["export", str(out), "--study", "lab", "--storage", lab.storage]))
        contents.append({path.name: path.read_bytes() for path in out.iterdir() if path.suffix == ".safetensors"})
        for path in cache.iterdir():
            content = bytearray(path.read_bytes())
            content[len(content) // 2] ^= 0x40
            path.write_bytes(content)
            flipped += 1
    assert contents[0] == contents[1], "another model"
    return f"{flipped} bits flipped, each noticed, and the model is the same to the last bit"


def end_a_trial_from_outside(lab: Lab, number: int) -> str:
    """Set a running trial to FAIL, as the dashboard does; the launch must go on with the rest."""
    launcher = lab.launch(2)
    lab.wait(lambda: lab.is_there() and number in lab.running(), f"trial {number} on its way")
    optuna.load_study(study_name="lab", storage=RDBStorage(lab.storage)).tell(number, state=TrialState.FAIL)
    out = ended_well(launcher)
    (line,) = [line for line in out.splitlines() if line.startswith(f"trial {number} ")]
    assert "ended from outside" in line, line
    finish(lab)
    return "one line said so, and another trial took its place in the budget"


def link_elsewhere(lab: Lab) -> str:
    """Put a link to a folder of somebody's in a trial's place, and such a folder where an export would write."""
    lab.prepare()
    elsewhere, link = lab.folder / "elsewhere", lab.runs / "lab" / "999"
    elsewhere.mkdir()
    for name in ("thesis.tex", "fold0-0-3-abcdefgh.safetensors"):
        (elsewhere / name).write_text("precious", encoding="utf-8")
        os.utime(elsewhere / name, (0, 0))
    link.symlink_to(elsewhere)
    before = sorted(elsewhere.iterdir())
    with lab.watched():
        finish(lab)
    link.unlink()
    assert sorted(elsewhere.iterdir()) == before
    return "nothing behind the link was touched"
