"""Faults of disks, checkpoints, clocks and memory, and studies that do not match."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from optuna.trial import TrialState

from search.storage.leases import TAKEN_UP
from search.studies.plan import PLAN, store_plan
from search.trials.records import DAMAGE, ERROR, STOPPED, RungResult
from tests.faults.deaths import ended_well, finish, is_dead
from tests.faults.lab import EXPLODES, Lab, said
from tests.faults.shim import slow_disk, wrong_clock
from tests.support.processes import alive


@contextmanager
def mounted(folder: Path, *options: str) -> Iterator[Path]:
    """Mount a small file system of memory on a folder. Needs root."""
    folder.mkdir(parents=True, exist_ok=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", ",".join(options), "tmpfs", folder], check=True)
    try:
        yield folder
    finally:
        subprocess.run(["umount", folder], check=True)


def fill_the_disk(lab: Lab) -> str:
    """Let the disk of the checkpoints be too small for one."""
    with mounted(lab.runs, "size=64k"), lab.watched():
        out = said(lab.launch(2))
        assert "Traceback" not in out, out
        (line,) = [line for line in out.splitlines() if line.startswith("error: ")]
        assert "a checkpoint must be writable, but: No space left on device" in line, line
        assert not [trial for trial in lab.read() if trial.state == TrialState.RUNNING]
        half = [file.name for file in lab.runs.rglob("*.safetensors.*")]
        assert not half, half
    finish(lab)
    return "one line said so, no half file was left, with room the same command went on"


def take_write_access(lab: Lab) -> str:
    """Let the folder of the checkpoints be read-only from the start."""
    with mounted(lab.runs, "ro"):
        out = said(lab.launch(2))
        assert out.splitlines()[-1].startswith("error: "), out
        assert "the folder of checkpoints must be writable, but: Read-only file system; give another --runs" in out, out
    finish(lab)
    return "refused on one line before any trial began"


def slow_the_disk(lab: Lab) -> str:
    """Let every fsync take 100 ms for two workers that train, and 50 ms for sixteen that do nothing."""
    lab.environment |= slow_disk(lab.folder, 100)
    with lab.watched():
        ended_well(lab.launch(2))
    address = lab.storage if not lab.storage.startswith("sqlite") else f"sqlite:///{lab.folder}/busy.db"
    slow = {**os.environ, **slow_disk(lab.folder, 50)}
    command = [sys.executable, "-m", "tests.faults.busy", address]
    subprocess.run([*command, "0"], check=True, env=slow)
    busy = [subprocess.Popen([*command, "64"], env=slow, stdout=subprocess.PIPE, text=True) for _ in range(16)]
    done = [int(said(process) or -1) for process in busy]
    assert sum(done) == 64, done
    return "16 workers ran 64 trials that do nothing, each once, none locked out"


def harm_checkpoints(lab: Lab) -> str:
    """Cut one checkpoint of an interrupted trial short, and change a byte of another."""
    launcher = lab.launch(2)
    with lab.watched():
        lab.wait_for_rungs(2)
        os.killpg(launcher.pid, signal.SIGINT)
        ended_well(launcher, (130,))
        files = sorted(lab.runs.glob("lab/[0-9]*/*.safetensors"))
        files[0].write_bytes(files[0].read_bytes()[:-1])
        content = bytearray(files[-1].read_bytes())
        content[len(content) // 2] ^= 1
        files[-1].write_bytes(content)
        finish(lab)
    damages = " ".join(damage for trial in lab.read() if (damage := DAMAGE.read(trial)))
    assert damages.count("has been changed or cut short") == 2, damages
    return "both were found out by their hash, their folds trained again"


def lose_the_folder(lab: Lab) -> str:
    """Let a worker that cannot see the checkpoints take up an interrupted trial."""
    lab.prepare()
    worker = lab.worker()
    with lab.watched():
        lab.wait_for_rungs()
        worker.send_signal(signal.SIGTERM)
        ended_well(worker)
        ended_well(lab.worker("--runs", str(lab.folder / "elsewhere")))
    shutil.rmtree(lab.runs)  # what the first worker left, where nobody looks any more
    return "it began anew, to the same numbers"


def start_sixteen_at_once(lab: Lab) -> str:
    """Let sixteen processes make the same study in an empty database."""
    lab.prepare()
    plan = json.dumps(store_plan(lab.study.plan))
    address = lab.storage if not lab.storage.startswith("sqlite") else f"sqlite:///{lab.folder}/empty.db"
    code = (
        "import json, sys\nfrom search.studies.plan import Plan\nfrom search.studies.study import open_or_create\n"
        "from search.trials.formats import from_plain\nplan = from_plain(Plan, json.loads(sys.argv[2]), 'the plan')\n"
        "print(len(open_or_create(sys.argv[3], sys.argv[1], plan).optuna.trials))"
    )
    name = "lab" if address != lab.storage else "another"
    command = [sys.executable, "-c", code, address, plan, name]
    caught = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True, "cwd": lab.folder}
    starters = [subprocess.Popen(command, **caught) for _ in range(16)]  # type: ignore[call-overload]  # a table of options
    out = [said(starter) for starter in starters]
    assert out == ["0\n"] * 16, out
    finish(lab)
    return "16 of 16 opened it"


def refuse_what_does_not_match(lab: Lab) -> str:
    """Come to a study with a newer format, other data, another space, another direction."""
    lab.prepare()
    opened, plan = lab.study.optuna, lab.study.plan
    other = lab.folder / "other"
    shutil.copytree(lab.data, other)
    labels = (other / "labels.csv").read_text(encoding="utf-8").replace(",top,", ",misc,", 1)
    (other / "labels.csv").write_text(labels, encoding="utf-8")
    space = (lab.folder / "space.toml").read_text(encoding="utf-8")
    (lab.folder / "wide.toml").write_text(space.replace("low = 0.003", "low = 0.002"), encoding="utf-8")
    assert space != (lab.folder / "wide.toml").read_text(encoding="utf-8")

    def refused(process: subprocess.Popen[str]) -> str:
        out = said(process)
        assert process.returncode == 1, out
        return out.splitlines()[-1]

    lines = [
        refused(lab.launch(1, space="wide.toml")),
        refused(lab.launch(1, "--objectives", "acceptance,cost")),
        refused(lab.worker("--data", str(other))),
    ]
    opened.set_user_attr(PLAN, {**store_plan(plan), "format": 99})
    lines += [refused(lab.worker()), refused(lab.launch(1))]
    opened.set_user_attr(PLAN, store_plan(plan))
    for line, word in zip(
        lines, ("another space", "objectives", "from other data", "a newer pitsearch", "a newer pitsearch"), strict=True
    ):
        assert line.startswith("error: ") and word in line, line
    finish(lab)
    return "each refused on one line that names it"


def turn_the_clock(lab: Lab) -> str:
    """Let one of two workers live an hour ahead."""
    lab.prepare()
    (library,) = wrong_clock(lab.folder, 3600).values()
    ahead = lab.worker(prefix=["env", f"LD_PRELOAD={library}"])
    with lab.watched():
        lab.wait_for_rungs()
        ended_well(lab.worker())
        ended_well(ahead)
    again = [trial.number for trial in lab.read() if STOPPED.read(trial) is not None]
    assert not again, f"trials {again} were taken from a worker that lived"
    return "no trial was taken from the other"


def kill_whoever_runs_it(lab: Lab, number: int) -> str:
    """Kill every worker of one trial, as the kernel does where memory is short; a launch must fail it and go on."""
    launcher, killed = lab.launch(2), 0
    with lab.watched():
        while launcher.poll() is None:
            pid = lab.running().get(number) if lab.is_there() else None
            if pid is not None and alive(pid):
                os.kill(pid, signal.SIGKILL)
                killed += 1
                lab.wait(partial(is_dead, pid), "the end of a killed worker")
            time.sleep(0.1)
        ended_well(launcher)
        (reason,) = [ERROR.read(trial) for trial in lab.read() if trial.state == TrialState.FAIL]
        finish(lab)
    assert killed == TAKEN_UP + 1, killed
    return f"failed after {killed} deaths ({reason}); another took its place in the budget"


def explode(lab: Lab) -> str:
    """Let one configuration's loss leave all bounds: its rate is a hundred thousand times too high."""
    with lab.watched():
        ended_well(lab.launch(2))
    verdicts = {trial.number: RungResult.demand(trial).verdicts for trial in lab.read()}
    assert "diverged" in verdicts[EXPLODES], verdicts
    return f"a result like any other: trial {EXPLODES} diverged"
