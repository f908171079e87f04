"""Lay out what people see of a study: the table of `status`, and a trial on one line.

Knows nothing of how the numbers came about.
"""

from __future__ import annotations

from collections.abc import Sequence

from optuna.trial import FrozenTrial, TrialState
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from search.analysis.status import Status, acceptance, configuration, trained
from search.pruning.audit import Audit
from search.report.pareto_table import front_table
from search.statistics.fitted import pooled_remarks
from search.storage.health import StorageHealth
from search.studies.plan import Plan
from search.text import counted, duration
from search.trials.baseline import Comparison, is_baseline
from search.trials.objectives import final_value, said
from search.trials.outlook import outlook_line
from search.trials.records import ERROR, STOPPED, Recipe, RungResult, is_interrupted, is_paused
from spaces.axes import Domain

# Trials of a front that a status shows.
MOST = 15


def status_table(status: Status) -> RenderableType:
    """Show a study: its trials by state, the best, verdicts, rungs, the audit of pruning, time left, and its front."""
    table = Table(title=f"study {status.name}", title_justify="left", show_header=False)
    table.add_column(style="bold")
    table.add_column()
    for name, text in setup_rows(status.plan):
        table.add_row(name, text)
    table.add_row(
        "trials",
        f"{done_of(status)} done: {status.complete} complete, {status.pruned} pruned, "
        f"{status.paused} paused; "
        f"{status.running} running, {status.waiting} interrupted, {status.failed} failed",
    )
    if status.best is not None:
        table.add_row("best so far", f"acceptance {acceptance(status.best)}, trial {status.best.number}")
        for remark in pooled_remarks([acceptance(status.best)]):
            table.add_row("", remark)
        table.add_row("", f"reliability {status.tally} trainings learned")
        table.add_row("", configuration(status.best))
    else:
        table.add_row("best so far", "no trial has climbed the whole ladder yet")
    table.add_row("in use", comparison_line(status.comparison))
    if status.gain is not None:
        table.add_row("further", outlook_line(status.gain))
    table.add_row("rungs", "   ".join(f"{rung}: {count}" for rung, count in status.rungs))
    verdicts = ", ".join(f"{count} {verdict}" for verdict, count in status.verdicts.items()) or "none yet"
    table.add_row("verdicts", f"{verdicts}; {counted(status.reseeds, 'fold')} reseeded")
    if status.audit is not None:
        table.add_row("audit", audit_line(status.audit, [rung for rung, _ in status.rungs]))
    if status.nothing is not None:
        table.add_row("learned", Text(status.nothing, style="red"))
    table.add_row("time left", duration(status.left_s))
    for error in status.errors[-3:]:
        table.add_row("failed", Text(error, style="red"))
    for damage in status.damages[-3:]:
        table.add_row("repaired", damage)
    for fault in status.unreadable[:3]:
        table.add_row("left out", Text(fault, style="red"))
    if status.unreadable:
        table.add_row("", f"{len(status.unreadable)} cannot be read; `pitsearch storage copy --salvage` saves the rest")
    return table if status.second is None else Group(table, front_table(status.second, status.front, MOST))


def done_of(status: Status) -> str:
    """Say how many trials have ended or are paused, and of how many, where that is known."""
    return str(status.done) if status.target is None else f"{status.done} of {max(status.target, status.done)}"


def setup_rows(plan: Plan) -> list[tuple[str, str]]:
    """Say what a study was made for: its data, space, held-out set, and how trials are judged and trained."""
    options, axes = plan.options, {key: domain for key, domain in plan.space.chosen.items() if _varies(domain)}
    pinned = len(plan.space.chosen) - len(axes)
    networks = plan.space.domain("network.name")
    named = ", ".join(map(str, networks)) if isinstance(networks, tuple) else ""
    between = f", {len(plan.between)} left out beside them" if plan.between else ""
    return [
        ("data", f"{plan.folder}, fingerprint {plan.fingerprint[:12]}"),
        ("space", f"{len(axes)} axes vary, {pinned} pinned; networks {named}"),
        ("held out", f"{counted(len(plan.held_out), 'pit')}{between}; {len(plan.folds)} searched in {plan.ladder.folds} folds"),
        ("search", f"working point {options.working_point:g}, ladder {plan.ladder}, seed {options.seed}"),
    ]


def _varies(domain: Domain) -> bool:
    return not isinstance(domain, tuple) or len(domain) > 1


def storage_table(health: StorageHealth) -> RenderableType:
    """Show what a storage is."""
    table = Table(show_header=False, title=health.place, title_justify="left")
    table.add_row("database", health.what)
    table.add_row("workers", health.workers)
    table.add_row("schema", f"Optuna's {health.schema}" if health.schema else "none yet; the first launch makes it")
    table.add_row("studies", ", ".join(health.studies) or "none yet")
    table.add_row("a write", f"{health.write_ms:.1f} ms, median")
    table.add_row("a read", f"{health.read_ms:.1f} ms, median")
    return table


def comparison_line(comparison: Comparison | None) -> str:
    """Say by how much the best trial beats the network in use."""
    if comparison is None:
        return "the network in use has not climbed the whole ladder yet; a launch runs it first"
    baseline, gain = comparison.baseline, comparison.gain
    line = f"the network in use, trial {baseline.number}: acceptance {acceptance(baseline)}, reliability {trained(baseline)}; "
    return line + (f"the best: {gain.value:+.3f} [{gain.low:+.3f}, {gain.high:+.3f}]" if gain else "none is better")


def audit_line(audit: Audit, rungs: Sequence[str]) -> str:
    """Say what the audited trials show of the pruner; `rungs`: the ladder's, in its order."""
    if not audit.audited:
        return "no audited trial has climbed the whole ladder yet"
    known = f"{counted(audit.audited, 'trial')} never pruned, {audit.good or 'none'} of them good"
    if audit.wrong_kills is None:
        return known
    where = ", ".join(f"{rung}: {audit.killed[rung]}" for rung in rungs if rung in audit.killed)
    ended = f"{sum(audit.killed.values())} ({where})" if where else "none"
    return f"{known}; pruning would have ended {ended}: wrong-kill rate {audit.wrong_kills}"


def trial_line(trial: FrozenTrial) -> str:
    """Say how a trial ended, on one line."""
    recipe, reached = Recipe.read(trial), RungResult.read(trial)
    interrupted = STOPPED.read(trial) if is_interrupted(trial) else None
    state = "goes on" if interrupted else "paused" if is_paused(trial) else trial.state.name.lower()
    share = acceptance(trial)
    parts = [f"trial {trial.number:<4} {state:<9}", f"acceptance {share}" if share else "no rung reached"]
    if reached:
        parts += [said(name, final_value(reached, name)) for name in reached.path if name != "acceptance"]
        parts.append(f"rung {reached.rung}")
        if trained(trial).trainings:
            parts.append(f"reliability {trained(trial)}")
    if is_baseline(trial):
        parts.append("the network in use")
    if recipe and recipe.audited:
        rung = reached.would_prune if reached else None
        parts.append(f"audited: pruning would have ended it at {rung}" if rung else "audited")
    if reached is not None and reached.note is not None:
        parts.append(reached.note)
    if trial.state == TrialState.FAIL:
        parts.append(ERROR.read(trial) or "ended from outside")
    if interrupted:
        parts.append(f"interrupted: {interrupted}")
    parts += [f"{reached.seconds if reached else 0.0:.1f} s", configuration(trial)]
    return "  ".join(part for part in parts if part)
