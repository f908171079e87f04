"""What was promised of a fault, and what was found. Knows nothing of how a fault is played."""

from __future__ import annotations

from dataclasses import dataclass

from optuna.trial import TrialState

from tests.faults.lab import Lab, Table

# The name under which a test hands over its line of the report.
LINE = "finding"


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
    finished = [trial.number for trial in trials if trial.state in (TrialState.COMPLETE, TrialState.PRUNED)]
    table = Table.of(trials).rows
    differ = [number for number, row in undisturbed.rows.items() if number < lab.trials and table.get(number) != row]
    left = [path.name for path in lab.runs.glob("*/[0-9]*") if path.is_dir()]
    promises = {
        f"{len(lab.seen - there)} acknowledged rungs lost": not lab.seen <= there,
        f"trials counted twice: {sorted(finished)}": len(set(finished)) < len(finished),
        "a trial still running": any(trial.state == TrialState.RUNNING for trial in trials),
        f"{len(finished)} trials finished, {lab.trials} asked for": len(finished) != lab.trials,
        f"trials differ from an undisturbed run's: {differ}": bool(differ),
        f"checkpoints left of ended trials: {left}": bool(left),
    }
    return tuple(promise for promise, is_broken in promises.items() if is_broken)
