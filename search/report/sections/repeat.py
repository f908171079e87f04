"""How to repeat a study: the command, its space, and what its numbers follow from."""

from __future__ import annotations

import shlex

from search.report.contents import Listing, PlainText, Section
from search.report.subject import Subject
from search.text import counted
from search.trials.records import TrialOrigin

# The file that the command reads.
SPACE_FILE = "space.toml"


def section(subject: Subject) -> Section:
    """Lay out how to repeat a study."""
    plan = subject.plan
    return Section(
        "repeat",
        "How to repeat it",
        (
            f"The command below launches the same search again: what is random follows from the seed {plan.options.seed}, the "
            f"data and the space. Save the space as `{SPACE_FILE}` first. Where several workers run trials at once, a new "
            "configuration is suggested from what has ended by then: another number of workers, or another machine, may try "
            "others.",
        ),
        (
            PlainText("Command", launch_command(subject)),
            Listing("What the numbers follow from", ("what", "value"), _origins(subject)),
            PlainText(f"Space, {SPACE_FILE}", plan.space.write()),
        ),
    )


def launch_command(subject: Subject) -> str:
    """Give the command that launches the study anew, as it is typed, an option a line, the storage left out."""
    plan, options = subject.plan, subject.plan.options
    holdout = options.holdout
    held_out = [("--holdout-slide", slide) for slide in holdout.slides]
    if holdout.share is not None and not holdout.slides:
        held_out = [("--holdout-share", f"{holdout.share:g}")]
    given = [
        ("--study", subject.study.name),
        ("--space", SPACE_FILE),
        ("--seed", str(options.seed)),
        ("--working-point", f"{options.working_point:g}"),
        ("--ladder", str(plan.ladder)),
        ("--pruner", options.pruner),
        ("--sampler", options.sampler),
        ("--audit", f"{options.audit:g}"),
        ("--objectives", ",".join(options.objectives)),
        *held_out,
        ("--trials", str(_trials(subject))),
        *(("--plugin", plugin.name) for plugin in plan.plugins),
    ]
    lines = [shlex.join(["pitsearch", "launch", plan.folder]), *map(shlex.join, given)]
    return " \\\n    ".join(lines)


def _trials(subject: Subject) -> int:
    """Give the trials that the last launch asked for, or where it named no number those that have ended."""
    return max(subject.status.target or 0, subject.status.done, 1)


def _origins(subject: Subject) -> tuple[tuple[str, str], ...]:
    plan, selection = subject.plan, subject.selection
    rows = [
        ("data", plan.folder),
        ("fingerprint of the data", plan.fingerprint),
        ("seed", str(plan.options.seed)),
        ("split", f"{len(plan.folds)} pits searched in {plan.ladder.folds} folds, {len(plan.held_out)} held out"),
        ("pitsearch that made the study", plan.version),
        *_environment(subject),
        ("trials ran on", ", ".join(_machines(subject)) or "no machine yet"),
        *(("plugin", str(plugin)) for plugin in plan.plugins),
    ]
    if selection is not None:
        rows.append(("selected model, SHA-256", selection.sha256 or "not recorded by the version that selected it"))
    return tuple(rows)


def _environment(subject: Subject) -> list[tuple[str, str]]:
    """Say what the last launch ran with."""
    known = subject.environment
    if known is None:
        return [("versions, machine", "not recorded by the version that launched")]
    versions = ", ".join(f"{name} {version}" for name, version in known.versions.items())
    return [
        ("versions of the last launch", f"Python {known.python}, {versions}"),
        ("machine of the last launch", f"{known.processor}, {counted(known.cores, 'core')}, {known.system}"),
    ]


def _machines(subject: Subject) -> list[str]:
    """Name the machines that ran trials."""
    origins = [TrialOrigin.read(trial) for trial in subject.trials]
    return sorted({origin.worker.rpartition(":")[0] for origin in origins if origin is not None and origin.worker})
