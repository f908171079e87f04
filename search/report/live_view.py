"""Lay out a search that runs: one view of fixed rows that fits a terminal of 80 x 24.

Knows nothing of how the numbers came about, nor of when they are read.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rich.console import Console, ConsoleOptions, RenderResult
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from search.analysis.running import RunningTrial
from search.analysis.status import Status, acceptance, configuration
from search.report.sparkline import sparkline
from search.report.tables import done_of
from search.text import counted, duration
from search.trials.ladder import Ladder

# Rows that are kept free below the view, and the least of lines and trials that are shown however low the terminal is.
FREE, FEW_LINES, FEW_TRIALS = 2, 2, 2
# The width of the first column.
NAMES = 13


@dataclass(frozen=True)
class LiveView:
    """A search at one moment, for rich to draw in whatever room there is."""

    status: Status
    # Seconds since it was begun to be watched.
    elapsed_s: float
    # Cores that this process and its workers use, of how many; None where the workers are elsewhere, or before it is known.
    cores: tuple[float, int] | None = None
    # What happened, the latest last.
    lines: Sequence[str] = ()

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        status, height = self.status, options.height or console.height
        rows = [_row(name, text) for name, text in search_rows(status, self.cores)]
        room = max(height - FREE - len(rows) - 3, FEW_LINES + FEW_TRIALS)  # three: title, bar, and the heading of the trials
        lines = self.lines[-max(room - len(status.running_trials) - 1, FEW_LINES) :]
        trials = _trial_rows(status.running_trials, status.plan.ladder, room - len(lines), options)
        yield _title(status, self.elapsed_s)
        bar = Table.grid(padding=(0, 1))
        total = status.target or None
        bar.add_row(ProgressBar(total=total, completed=status.done, width=50, pulse=total is None), f"{done_of(status)} done")
        yield bar
        yield from (*rows, *trials)
        yield from (Text(line, no_wrap=True, overflow="ellipsis") for line in lines)


def search_rows(status: Status, cores: tuple[float, int] | None) -> list[tuple[str, str]]:
    """Say how a search stands, a row for each thing that is asked of it; the rows are always the same."""
    return [
        ("best so far", _best(status)),
        ("", "" if status.best is None else configuration(status.best)),
        ("in use", _in_use(status)),
        ("further", _further(status)),
        ("trials", _states(status)),
        ("rungs", "   ".join(f"{rung}: {count}" for rung, count in status.rungs)),
        ("queue", _queue(status)),
        ("pruning", _pruning(status)),
        ("verdicts", _verdicts(status)),
        ("workers", _workers(status, cores)),
    ]


def _row(name: str, text: str) -> Text:
    style = "red" if name == "verdicts" and text.startswith("nothing") else ""
    return Text.assemble((name.ljust(NAMES), "bold"), (text, style), no_wrap=True, overflow="ellipsis", end="\n")


def _title(status: Status, elapsed_s: float) -> Text:
    left = "unknown" if status.left_s is None else duration(status.left_s)
    name = status.name if len(status.name) <= 30 else f"{status.name[:27]}..."
    text = f"   watched {duration(elapsed_s)}   time left {left}"
    return Text.assemble((f"study {name}", "bold"), text, no_wrap=True, overflow="ellipsis")


def _best(status: Status) -> str:
    if status.best is None:
        return "no trial has climbed the whole ladder yet"
    tally = status.tally
    return f"{acceptance(status.best)}  trial {status.best.number}; {tally.learned} of {tally.trainings} trainings learned"


def _in_use(status: Status) -> str:
    if status.comparison is None:
        return "the network in use is not at the top yet"
    baseline, gain = status.comparison.baseline, status.comparison.gain
    best = f"best {gain.value:+.3f} [{gain.low:+.3f}, {gain.high:+.3f}]" if gain else "none is better"
    return f"{acceptance(baseline)}  trial {baseline.number}; {best}"


def _further(status: Status) -> str:
    gain = status.gain
    if gain is None:
        return "too few trials to say"
    return f"{gain.further} more trials: {gain.expected:+.3f} expected, hardly above {gain.bound:+.3f}"


def _states(status: Status) -> str:
    counts = (
        (status.complete, "complete"),
        (status.pruned, "pruned"),
        (status.paused, "paused"),
        (status.waiting, "interrupted"),
        (status.failed, "failed"),
    )
    return ", ".join(f"{count} {state}" for count, state in counts if count) or "none yet"


def _queue(status: Status) -> str:
    if not status.queue:
        return "no trial is paused"
    return f"{status.paused} paused: " + ", ".join(f"{count} on {rung}" for rung, count in status.queue)


def _pruning(status: Status) -> str:
    audit = status.audit
    wrong = f"; wrong-kill rate {audit.wrong_kills}" if audit is not None and audit.wrong_kills is not None else ""
    spared = "nothing yet" if status.spared is None else f"{status.spared:.0%} of the epochs of whole cross-validations"
    return f"spared {spared}{wrong}"


def _verdicts(status: Status) -> str:
    if status.nothing is not None:
        return "nothing has learned yet; the sentence at the end says what is likely"
    verdicts = ", ".join(f"{count} {verdict}" for verdict, count in status.verdicts.items()) or "none yet"
    return f"{verdicts}; {counted(status.reseeds, 'fold')} reseeded"


def _workers(status: Status, cores: tuple[float, int] | None) -> str:
    hosts = {running.worker.rpartition(":")[0] for running in status.running_trials}
    where = f" on {counted(len(hosts), 'machine')}" if len(hosts) > 1 else ""
    use = "" if cores is None else f"; {cores[0]:.1f} of {counted(cores[1], 'core')} in use"
    return f"{status.running} at work{where}{use}"


def _trial_rows(running: Sequence[RunningTrial], ladder: Ladder, room: int, options: ConsoleOptions) -> list[Text]:
    """Lay out the trials that run, as many as there is room for, and say how many are left out."""
    shown = running if len(running) <= room else running[: max(room - 1, 1)]
    heading = "trial    rung   fold  epoch     validation loss"
    rows = [Text(heading if running else "no trial runs now", style="bold", no_wrap=True)]
    rows += [Text(_trial(one, ladder, options), no_wrap=True, overflow="ellipsis") for one in shown]
    if len(shown) < len(running):
        rows.append(Text(f"and {len(running) - len(shown)} more", no_wrap=True))
    return rows


def _trial(one: RunningTrial, ladder: Ladder, options: ConsoleOptions) -> str:
    progress = one.progress
    if progress is None:
        return f"{one.trial.number:<8} {'starts' if one.rung is None else f'from {one.rung}'}"
    of = next((rung.epochs for rung in ladder.rungs if str(rung) == progress.rung), ladder.epochs)
    fold = "all" if progress.fold is None else str(progress.fold + 1)
    epochs, loss = f"{progress.epoch} of {of}", f"{progress.losses[-1]:.3g}" if progress.losses else ""
    curve = sparkline(progress.losses, options.max_width - 42, ascii_only=options.ascii_only)
    return f"{one.trial.number:<8} {progress.rung:<6} {fold:<5} {epochs:<9} {loss:<9} {curve}"
