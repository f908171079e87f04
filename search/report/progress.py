"""Watch a launch: a live table on a terminal, a plain line per trial elsewhere.

Knows nothing of how trials are run; it reads the study.
"""

from __future__ import annotations

from collections.abc import Sequence
from time import monotonic
from types import TracebackType

from optuna.trial import FrozenTrial
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from search.analysis.status import Status, summarise
from search.launcher.callbacks import Callback
from search.report.tables import done_of, status_table, trial_line
from search.studies.study import Study

REFRESH_HZ = 1.0
# Reading a study grows with its trials: it is left alone this many times as long as reading it took.
PAUSE = 50
RECENT = 5
STOPPING = "stopping: running trials end after their epoch; press Ctrl-C again to stop at once"


class PlainLines(Callback):
    """Print one line when a trial ends, and one for each other thing that happens."""

    interrupted = False

    def __init__(self, console: Console) -> None:
        self.console = console

    def on_start(self, study: Study, notes: Sequence[str]) -> None:
        self._line(f"study {study.name}")
        for note in notes:
            self._line(f"note: {note}")

    def on_trial_end(self, trial: FrozenTrial) -> None:
        self._line(trial_line(trial))

    def on_note(self, text: str) -> None:
        self._line(f"note: {text}")

    def on_stop(self) -> None:
        self.interrupted = True
        self._line(STOPPING)

    def _line(self, text: str) -> None:
        self.console.print(Text(text), soft_wrap=True)


class LiveTable(Callback):
    """Show the study's state once a second, with the trials that ended last."""

    interrupted = False

    def __init__(self, console: Console) -> None:
        self.study: Study | None = None
        self.status: Status | None = None
        self.due = 0.0
        self.recent: list[str] = []
        self.notes: list[str] = []
        self.live = Live(get_renderable=self._render, console=console, refresh_per_second=REFRESH_HZ)

    def __enter__(self) -> LiveTable:
        self.live.__enter__()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.due = 0.0  # what stays on the screen is how it ended
        self.live.__exit__(kind, error, trace)

    def on_start(self, study: Study, notes: Sequence[str]) -> None:
        self.study = study
        self.notes += [f"note: {note}" for note in notes]

    def on_trial_end(self, trial: FrozenTrial) -> None:
        self.recent = [*self.recent, trial_line(trial)][-RECENT:]

    def on_note(self, text: str) -> None:
        self.notes.append(f"note: {text}")

    def on_stop(self) -> None:
        self.interrupted = True
        self.notes.append(STOPPING)

    def _render(self) -> RenderableType:
        if self.study is None:
            return Text("starting ...")
        status = self._read(self.study)
        bar = Table.grid(padding=(0, 1))
        total = status.target or None
        bar.add_row(ProgressBar(total=total, completed=status.done, width=50, pulse=total is None), done_of(status))
        lines = (Text(line, no_wrap=True, overflow="ellipsis") for line in (*self.notes, *self.recent))
        return Group(status_table(status), bar, *lines)

    def _read(self, study: Study) -> Status:
        """Read the study's state, unless that was done a moment ago."""
        started = monotonic()
        if self.status is None or started >= self.due:
            try:
                self.status = summarise(study)
            except KeyError:  # the study was deleted: the launch says so, and what was shown last stays
                if self.status is None:
                    raise
            self.due = monotonic() + PAUSE * (monotonic() - started)
        return self.status
