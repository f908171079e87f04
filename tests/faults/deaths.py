"""Faults that end a process: workers, launchers and databases that die, or are told to."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import time
from functools import partial

from optuna.trial import TrialState

from search.storage.leases import TAKEN_UP
from search.trials.records import STOPPED, CheckpointRecord
from tests.faults.lab import Lab, said
from tests.support.engines import Postgres
from tests.support.processes import alive, children

# What a process is given between SIGTERM and SIGKILL.
GRACE_S = 30.0
# Seconds within which workers end whose command was killed.
ORPHANED_S = 5.0


def ended_well(process: subprocess.Popen[str], codes: tuple[int, ...] = (0,)) -> str:
    """Wait for a process that must end by itself, and give all that it said."""
    out = said(process)
    assert process.returncode in codes, f"exit code {process.returncode}: {out}"
    assert "Traceback" not in out, out
    return out


def finish(lab: Lab) -> None:
    """Run the same launch once more, to the end of its budget."""
    ended_well(lab.launch(1))


def kill_workers_in_a_rung(lab: Lab, times: int) -> str:
    """Kill one worker after the other in the middle of a rung; no trial's more often than it may be taken up."""
    generator, killed, launcher = random.Random(0), 0, lab.launch(2)

    def victims() -> list[int]:
        lost = lab.taken_up()
        return [pid for number, pid in lab.running().items() if lost[number] < TAKEN_UP and alive(pid)]

    with lab.watched():
        lab.wait_for_rungs()
        while killed < times and launcher.poll() is None:
            lab.wait(lambda: victims() or launcher.poll() is not None, "a trial to kill")
            time.sleep(generator.random() * 0.5)
            for pid in victims()[:1]:  # looked for again: a worker may have gone on to another trial
                os.kill(pid, signal.SIGKILL)
                killed += 1
                lab.wait(partial(is_dead, pid), "the end of a killed worker")
        out = ended_well(launcher)
    return f"{killed} workers killed, {out.count('a worker was killed')} replaced"


def is_dead(process: int) -> bool:
    """Tell whether a process has ended."""
    return not alive(process)


def kill_all_workers(lab: Lab) -> str:
    """Kill every worker at once."""
    launcher = lab.launch(2)
    with lab.watched():
        pids = lab.wait_for_rungs(2)
        for pid in pids.values():
            os.kill(pid, signal.SIGKILL)
        ended_well(launcher)
    return f"{len(pids)} workers killed at once, the launch went on"


def kill_the_launcher(lab: Lab) -> str:
    """Kill the launcher; its workers must hand their trials back and end."""
    launcher = lab.launch(2)
    with lab.watched():
        pids = lab.wait_for_rungs(2)
        os.kill(launcher.pid, signal.SIGKILL)
        launcher.wait()
        started = time.monotonic()
        lab.wait(lambda: not any(map(alive, pids.values())), "the end of orphans", 30)
        took = time.monotonic() - started
        reasons = {STOPPED.read(trial) for trial in lab.read() if trial.state == TrialState.WAITING}
        finish(lab)
    return f"its workers ended within {took:.0f} s ({', '.join(sorted(filter(None, reasons)))}), the same command went on"


def terminate_the_launcher(lab: Lab) -> str:
    """Send SIGTERM to the launcher; nothing of it may stay."""
    launcher = lab.launch(2)
    with lab.watched():
        pids = lab.wait_for_rungs(2)
        started = time.monotonic()
        launcher.send_signal(signal.SIGTERM)
        ended_well(launcher, (130,))
        took = time.monotonic() - started
        orphans = sum(map(alive, pids.values()))
        assert not orphans, f"{orphans} orphans"
        finish(lab)
    return f"it and its workers ended within {took:.0f} s, no orphan"


def terminate_a_worker(lab: Lab) -> str:
    """Send SIGTERM to a worker that joined by hand: it must hand its trial over, saved, and exit with 0."""
    lab.prepare()
    worker = lab.worker()
    with lab.watched():
        (number,) = lab.wait_for_rungs()
        started = time.monotonic()
        worker.send_signal(signal.SIGTERM)
        ended_well(worker)
        took = time.monotonic() - started
        assert took < GRACE_S, f"it took {took:.1f} s of {GRACE_S:.0f}"
        trial = lab.study.trial(number)
        saved = CheckpointRecord.demand(trial)
        assert (trial.state, STOPPED.read(trial)) == (TrialState.WAITING, "its worker was asked to end"), trial.state
        epochs = sum(kept.epoch for kept in saved.folds.values())
        ended_well(lab.worker())
    return f"exit code 0 after {took:.1f} s, trial {number} saved at {epochs} fold-epochs and taken up by another worker"


def kill_commands(lab: Lab) -> str:
    """Kill `confirm` and `diagnose` while their workers train: the workers must end, and the same command go on."""
    ended_well(lab.launch(2))
    named, seconds = ("--repeats", "1", "--study", "lab", "--storage", lab.storage, "--workers", "2"), []
    confirm = ["confirm", "--top", "2", "--reliability", "0", *named]
    for command in (["diagnose", "--out", str(lab.folder / "suspects.csv"), *named], confirm):
        process = lab.start(command)
        lab.wait(partial(has_descendants, process.pid), "workers that train")
        time.sleep(2)
        workers = descendants(process.pid)
        assert process.poll() is None, said(process)
        process.kill()
        started = time.monotonic()
        lab.wait(partial(are_dead, workers), f"the end of all workers of {command[0]}", ORPHANED_S)
        seconds.append(time.monotonic() - started)
    ended_well(lab.start(confirm))
    return f"all workers ended within {max(seconds):.1f} s, and the same command went on"


def has_descendants(process: int) -> bool:
    """Tell whether a command has started two workers, beside the two processes that tidy shared memory."""
    return len(descendants(process)) >= 4


def are_dead(processes: list[int]) -> bool:
    """Tell whether all these processes have ended."""
    return not any(map(alive, processes))


def descendants(process: int) -> list[int]:
    """Give the ids of a process's children, and of theirs."""
    ids = children(process)
    return [*ids, *(other for child in ids for other in descendants(child))]


def interrupt(lab: Lab) -> str:
    """Press Ctrl-C once, then run the same command, then press it twice."""
    launcher = lab.launch(2)
    with lab.watched():
        lab.wait_for_rungs(2)
        started = time.monotonic()
        os.killpg(launcher.pid, signal.SIGINT)
        ended_well(launcher, (130,))
        once = time.monotonic() - started
        assert once < 10, f"once took {once:.1f} s"
        launcher = lab.launch(2)
        lab.wait(lambda: lab.running() or launcher.poll() is not None, "the launch to go on")
        workers = children(launcher.pid)
        started = time.monotonic()
        os.killpg(launcher.pid, signal.SIGINT)
        time.sleep(0.2)
        if launcher.poll() is None:
            os.killpg(launcher.pid, signal.SIGINT)
        ended_well(launcher, (0, 130))
        twice = time.monotonic() - started
        lab.wait(lambda: not any(map(alive, workers)), "the end of all processes", 10)
        finish(lab)
    return f"once ended within {once:.1f} s, twice within {twice:.1f} s, no process left"


def stop_a_worker_past_its_lease(lab: Lab) -> str:
    """Stop a worker until its lease has run out and another has its trial, then let it go on: it must be fenced off."""
    lab.prepare()
    late = lab.worker()
    with lab.watched():
        (number,) = lab.wait_for_rungs()
        os.kill(late.pid, signal.SIGSTOP)
        started = time.monotonic()
        other = lab.worker()
        lab.wait(lambda: has_passed(lab, number, late.pid), "another worker to take it up")
        took = time.monotonic() - started
        os.kill(late.pid, signal.SIGCONT)
        ended_well(other)
        ended_well(late)
    return f"trial {number} was taken up after {took:.0f} s, and the late worker's end of it was ignored"


def has_passed(lab: Lab, number: int, process: int) -> bool:
    """Tell whether a trial is in other hands than a process's, or has ended."""
    return lab.running().get(number, process) != process or lab.study.trial(number).state.is_finished()


def kill_the_database(lab: Lab, postgres: Postgres, seconds: float) -> str:
    """Kill PostgreSQL and start it again after a while."""
    launcher = lab.launch(2)
    with lab.watched():
        lab.wait_for_rungs(2)
        postgres.kill()
        time.sleep(seconds)
        postgres.start()
        out = ended_well(launcher)
    again = sum(STOPPED.read(trial) is not None for trial in lab.read())
    return f"{out.count('the storage is away')} processes waited for it, {again} trials were taken up anew"
