"""Faults that come from outside: studies deleted, trials ended by hand, links, damaged caches, databases without room."""

from __future__ import annotations

import os
import random
import signal
import sqlite3
import subprocess
import threading
import time
from functools import partial

import optuna
from optuna.storages import RDBStorage
from optuna.trial import TrialState

from tests.faults.deaths import ended_well, finish
from tests.faults.lab import Lab, said
from tests.support.engines import Postgres
from tests.support.processes import alive, children

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


def delete_the_study(lab: Lab) -> str:
    """Delete the study while it is searched, as the dashboard does, then launch it again."""
    launcher = lab.launch(2)
    lab.wait_for_rungs(2)
    workers = children(launcher.pid)
    optuna.delete_study(study_name="lab", storage=RDBStorage(lab.storage))
    out = ended_well(launcher, (1,))
    line = out.splitlines()[-1]
    assert line.startswith("error: a study must stay while it is worked on, but 'lab' was deleted"), out
    lab.wait(lambda: not any(map(alive, workers)), "the end of all workers", 10)
    lab.seen.clear()
    finish(lab)
    assert set(lab.taken_up().values()) == {0}, "losses were inherited"
    return "the launch ended with one line, and a new study of the name inherited nothing"


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


def share_a_cache_between_containers(lab: Lab) -> str:
    """Let processes of containers, all of number 1, pack the same pixels into one cache at once."""
    lab.environment["PITSEARCH_CACHE"] = str(lab.folder / "cache")
    checks = [lab.start(["check", str(lab.data)], ["unshare", "--pid", "--fork"]) for _ in range(3)]
    for check in checks:
        ended_well(check)
    files = [path.name for path in (lab.folder / "cache").iterdir()]
    assert len(files) == 1, files
    finish(lab)
    return "three packed at once, one whole file stayed"


def interrupt_while_workers_start(lab: Lab, times: int) -> str:
    """Press Ctrl-C at moments from the first on, most of them while workers start."""
    generator = random.Random(0)
    for number in range(times):
        launcher = lab.launch(2)
        if number % 2:
            lab.wait(partial(_has_begun, launcher), "a worker to start")
            time.sleep(generator.random())
        else:
            time.sleep(0.3 + 2 * generator.random())
        os.killpg(launcher.pid, signal.SIGINT)
        out = said(launcher)
        assert "Traceback" not in out and launcher.returncode == 130, (launcher.returncode, out)
    finish(lab)
    return f"{times} times, no traceback"


def _has_begun(launcher: subprocess.Popen[str]) -> bool:
    return bool(children(launcher.pid)) or launcher.poll() is not None


def lock_the_database(lab: Lab) -> str:
    """Lock SQLite's file for 5 seconds when commands begin; each must wait."""
    lab.prepare()
    lock = sqlite3.connect(lab.storage.removeprefix("sqlite:///"), isolation_level=None, check_same_thread=False)
    lock.execute("begin exclusive")
    commands = [lab.start(["status", "--study", "lab", "--storage", lab.storage]), lab.launch(1)]
    timer = threading.Timer(5.0, lambda: lock.execute("commit"))
    timer.start()
    for command in commands:
        ended_well(command)
    timer.join()
    lock.close()
    return "a status and a launch waited for it"


def begin_without_a_database(lab: Lab, postgres: Postgres) -> str:
    """Begin a status, a launch and a worker while PostgreSQL is away for 10 seconds."""
    lab.prepare()
    postgres.kill()
    commands = [lab.start(["status", "--study", "lab", "--storage", lab.storage]), lab.launch(2), lab.worker()]
    time.sleep(10.0)
    postgres.start()
    for command in commands:
        assert "the storage is away" in ended_well(command)
    return f"{len(commands)} of {len(commands)} commands waited for it"


def kill_a_worker_in_an_outage(lab: Lab, postgres: Postgres) -> str:
    """Kill a worker while PostgreSQL is away: the one in its place must wait."""
    launcher = lab.launch(2)
    with lab.watched():
        pids = lab.wait_for_rungs(2)
    postgres.kill()
    os.kill(next(iter(pids.values())), signal.SIGKILL)
    time.sleep(10.0)
    postgres.start()
    ended_well(launcher)
    return "a worker was replaced, and the launch went on"


def share_few_connections(lab: Lab, limit: int, workers: int) -> str:
    """Launch more workers than the database has connections for; those that get in do the work."""
    out = ended_well(lab.launch(workers))
    return f"{workers} workers on {limit} connections, {out.count('the storage is away')} waited"
