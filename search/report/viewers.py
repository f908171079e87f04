"""Show a search in place on a terminal, or as plain lines on a console or in a file. Reads no study; is told how it stands."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic
from types import TracebackType

from joblib import cpu_count
from optuna.trial import FrozenTrial
from rich.console import Console, RenderableType
from rich.live import Live
from rich.text import Text

from pitsearch.errors import reason
from search.analysis.running import RunningTrial
from search.analysis.status import Status
from search.launcher.callbacks import Callback
from search.report.core_use import CoreUse
from search.report.live_view import LiveView
from search.report.out_files import try_out
from search.report.tables import done_of, trial_line
from search.studies.study import Study
from search.text import duration

REFRESH_HZ = 1.0
# Seconds between two lines about trials that climb on; of silence before a line about what runs, in the first minute and later.
RUNG_S, SILENT_S, LATER_S = 10.0, 10.0, 60.0
# Lines that a live view keeps, and trials that a line about what runs names.
KEPT, NAMED = 12, 4
STOPPING = "stopping: running trials end after their epoch; press Ctrl-C again to stop at once"


class Viewer(Callback):
    """Someone who is shown a search: a callback that is also told how the search stands, and of trials that climb on."""

    def on_status(self, status: Status) -> None:
        """Take how the search stands, about once a second."""

    def on_rung(self, trial: FrozenTrial) -> None:
        """Take a trial that has reached a rung and climbs on."""


class PlainLines(Viewer):
    """Print one line when a trial ends or is paused, and one at times about those that climb and run."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self.started = self.said = self.rung = monotonic()
        self.rung -= RUNG_S
        self.begun = False

    def on_start(self, study: Study, notes: Sequence[str]) -> None:
        self._line(f"study {study.name}")
        for note in notes:
            self._line(f"note: {note}")

    def on_trial_end(self, trial: FrozenTrial) -> None:
        self._line(trial_line(trial))

    def on_rung(self, trial: FrozenTrial) -> None:
        if monotonic() - self.rung >= RUNG_S:
            self.rung = monotonic()
            self._line(trial_line(trial))

    def on_status(self, status: Status) -> None:
        now = monotonic()
        silent_s = SILENT_S if now - self.started < LATER_S else LATER_S
        self.begun = self.begun or bool(status.running_trials)
        if (status.running_trials or not self.begun) and now - self.said >= silent_s:
            self._line(running_line(status))

    def on_note(self, text: str) -> None:
        self._line(f"note: {text}")

    def on_stop(self) -> None:
        self._line(STOPPING)

    def _line(self, text: str) -> None:
        self.said = monotonic()
        self._print(text)

    def _print(self, text: str) -> None:
        self.console.print(Text(text), soft_wrap=True)


class LogFile(PlainLines):
    """Append the plain lines to a file, each with the time in UTC, whatever else is shown.

    Raises StudyError where the file cannot be written to. Where it cannot be later, `fault` says so, and the search goes on.
    """

    def __init__(self, path: Path) -> None:
        try_out(path, "--log-file")
        super().__init__(Console())
        self.path = path
        self.fault: str | None = None

    def _print(self, text: str) -> None:
        if self.fault is not None:
            return
        try:
            with self.path.open("a", encoding="utf-8") as stream:
                stream.write(f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ} {text}\n")
        except OSError as error:
            self.fault = f"the log ends before the search: {self.path}: {reason(error)}"


class LiveTable(Viewer):
    """Show the search in place, once a second, with the trials that ended last; notes stand above it."""

    def __init__(self, console: Console, *, own_workers: bool = True) -> None:
        self.status: Status | None = None
        self.lines: list[str] = []
        self.started = monotonic()
        self.use = CoreUse() if own_workers else None
        self.cores: float | None = None
        self.live = Live(get_renderable=self._render, console=console, refresh_per_second=REFRESH_HZ)

    def __enter__(self) -> LiveTable:
        self.live.__enter__()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.live.__exit__(kind, error, trace)

    def on_start(self, study: Study, notes: Sequence[str]) -> None:
        for note in notes:
            self.on_note(note)

    def on_status(self, status: Status) -> None:
        self.status = status
        self.cores = (self.use.measure() if self.use else None) or self.cores

    def on_rung(self, trial: FrozenTrial) -> None:
        self._keep(trial_line(trial))

    def on_trial_end(self, trial: FrozenTrial) -> None:
        self._keep(trial_line(trial))

    def on_note(self, text: str) -> None:
        self.live.console.print(Text(f"note: {text}"))  # above the view, as long as it is

    def on_stop(self) -> None:
        self._keep(STOPPING)

    def _keep(self, line: str) -> None:
        self.lines = [*self.lines, line][-KEPT:]

    def _render(self) -> RenderableType:
        if self.status is None:
            return Text("starting ...")
        cores = None if self.cores is None else (self.cores, cpu_count())
        return LiveView(self.status, monotonic() - self.started, cores, tuple(self.lines))


def running_line(status: Status) -> str:
    """Say what runs, on one line, with how much is done and how much time is left."""
    running = status.running_trials
    if not running:
        return f"{done_of(status)} trials done; no worker has begun a trial yet"
    names = [_climbing(one) for one in running[:NAMED]]
    more = [f"and {len(running) - NAMED} more"] if len(running) > NAMED else []
    left = "" if status.left_s is None else f"; time left {duration(status.left_s)}"
    return f"{done_of(status)} trials done; at work: {', '.join([*names, *more])}{left}"


def _climbing(one: RunningTrial) -> str:
    progress = one.progress
    if progress is None:
        return f"trial {one.trial.number} {'starts' if one.rung is None else f'from {one.rung}'}"
    fold = "all folds" if progress.fold is None else f"fold {progress.fold + 1}"
    return f"trial {one.trial.number} to {progress.rung}, {fold}, epoch {progress.epoch}"
