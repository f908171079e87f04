"""Faults that come from outside: trials ended and studies deleted by hand, links, damaged caches."""

from __future__ import annotations

import os
import time

import optuna
import sqlalchemy as sql
from optuna.storages import RDBStorage
from optuna.trial import TrialState

from search.storage.connect import backend_of, open_storage
from search.storage.lease_table import LEASES
from search.studies.study import open_or_create
from search.trials.records import STOPPED
from tests.faults.deaths import ended_well, finish
from tests.faults.lab import Lab

# Seconds within which a launch and its workers end when their study is deleted.
DELETED_S = 10.0
# The trials of a study that is deleted long before it has them.
DOOMED = 500
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


def delete_the_study(lab: Lab, *, again: bool) -> str:
    """Delete the study that a launch and a worker by hand work on, as the dashboard does; `again`: and make it anew at once."""
    # So many that the study cannot end before it is deleted, however late the worker comes.
    trials, lab.trials = lab.trials, DOOMED
    others = [lab.launch(2)]
    lab.wait_for_rungs()
    plan = lab.study.plan
    others.append(lab.worker())
    lab.wait(lambda: sum(trial.state == TrialState.RUNNING for trial in lab.read()) == 3, "a worker by hand at work")
    optuna.delete_study(study_name="lab", storage=open_storage(lab.storage))
    if again:
        open_or_create("lab", lab.storage, plan)
    started = time.monotonic()
    for process in others:
        out = ended_well(process, (1,))
        lines = [line for line in out.splitlines() if line.startswith("error: ")]
        assert lines == [out.splitlines()[-1]] and "'lab' was deleted" in lines[0], out
    took = time.monotonic() - started
    assert took < DELETED_S, f"it took {took:.1f} s of {DELETED_S:.0f}"
    count = sql.select(sql.func.count()).select_from(LEASES)
    leases = backend_of(open_storage(lab.storage)).transact(lambda session: session.execute(count).scalar(), reads=True)
    left = [path.name for path in lab.runs.glob("*/[0-9]*")]
    assert (leases, left) == (0, []), f"{leases} leases, checkpoints of trials {left}"
    lab.seen.clear()
    lab.trials = trials
    finish(lab)
    assert not any(lab.taken_up().values()) and not any(map(STOPPED.read, lab.read())), "the next study inherited something"
    return f"launch and worker ended within {took:.0f} s, no lease and no checkpoint left, and the next study began anew"


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
