"""What was promised of a fault, and what was found. Knows nothing of how a fault is played."""

from __future__ import annotations

from dataclasses import dataclass

from optuna.trial import FrozenTrial, TrialState

from search.pruning.promotion import FINALISTS, PROMOTION
from search.trials.records import CheckpointRecord, is_paused
from tests.faults.lab import Lab, Row, Table


@dataclass(frozen=True)
class Finding:
    """One line of the report: a fault, what else was found of it, and which promises were broken."""

    fault: str
    storage: str
    found: str
    broken: tuple[str, ...]

    def __str__(self) -> str:
        promised = "0 acknowledged rungs lost, 0 trials counted twice, 0 running, the budget exactly, the same table"
        kept = f"kept: {promised}" if not self.broken else f"BROKEN: {'; '.join(self.broken)}"
        return f"{self.fault} [{self.storage}]: {self.found}; {kept}"


def judge(lab: Lab, undisturbed: Table) -> tuple[str, ...]:
    """Hold a study that has come to its end against every promise."""
    trials = lab.read()
    there = {(trial.number, step, value) for trial in trials for step, value in trial.intermediate_values.items()}
    paused = {trial.number: trial for trial in trials if is_paused(trial)}
    finished = [trial.number for trial in trials if trial.state in (TrialState.COMPLETE, TrialState.PRUNED)]
    table, rows = Table.of(trials).rows, undisturbed.rows
    differ = [
        number for number, row in rows.items() if number < lab.trials and number not in paused and table.get(number) != row
    ]
    differ += [number for number, trial in paused.items() if number in rows and not _is_on_the_way(trial, rows[number])]
    left = [path.name for path in lab.runs.glob("*/[0-9]*") if path.is_dir() and int(path.name) not in paused]
    ended = len(finished) + len(paused)
    promises = {
        f"{len(lab.seen - there)} acknowledged rungs lost": not lab.seen <= there,
        f"trials counted twice: {sorted(finished)}": len(set(finished)) < len(finished),
        "a trial still running": any(trial.state == TrialState.RUNNING for trial in trials),
        f"{ended} trials finished or paused, {lab.trials} asked for": ended != lab.trials,
        f"trials differ from an undisturbed run's: {differ}": bool(differ),
        f"checkpoints left of ended trials: {left}": bool(left),
        f"{len(finished)} finalists": lab.pruner == PROMOTION and len(finished) < min(FINALISTS, lab.trials),
    }
    return tuple(promise for promise, is_broken in promises.items() if is_broken)


def _is_on_the_way(trial: FrozenTrial, row: Row) -> bool:
    """Tell whether a paused trial stood on its rungs as in an undisturbed run, and its checkpoints are named."""
    _, _, values, params, _ = row
    return trial.params == params and trial.intermediate_values.items() <= values.items() and bool(CheckpointRecord.read(trial))
