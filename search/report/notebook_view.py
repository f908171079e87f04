"""Show a search under the cell of the notebook that launched it. Reads no study; is told how it stands."""

from __future__ import annotations

from collections.abc import Sequence

from optuna.trial import FrozenTrial

from search.analysis.status import Status, acceptance, configuration
from search.notebooks import NotebookOutput, bar, facts
from search.report.tables import comparison_line, done_of, trial_line
from search.report.viewers import STOPPING, Viewer, running_line
from search.studies.study import Study

# Notes that are kept.
KEPT = 12


class NotebookView(Viewer):
    """Shows a bar, the best so far, what ended last, and notes, in one place that changes."""

    def __init__(self) -> None:
        self.status: Status | None = None
        self.last = ""
        self.notes: list[str] = []
        self._output, self._shown = NotebookOutput(), ""

    def on_start(self, study: Study, notes: Sequence[str]) -> None:
        self.notes = [*notes]
        self._show()

    def on_status(self, status: Status) -> None:
        self.status = status
        self._show()

    def on_rung(self, trial: FrozenTrial) -> None:
        self.last = trial_line(trial)

    def on_trial_end(self, trial: FrozenTrial) -> None:
        self.last = trial_line(trial)
        self._show()

    def on_note(self, text: str) -> None:
        self.notes.append(text)
        self._show()

    def on_stop(self) -> None:
        self.on_note(STOPPING)

    def _show(self) -> None:
        """Show the search, unless nothing has changed."""
        status = self.status
        text = "starting" if status is None else _words(status)
        moving = bar("trials", 0, None, text) if status is None else bar("trials", status.done, status.target, text)
        html = moving + facts("" if status is None else f"study {status.name}", self._rows())
        if html != self._shown:
            self._shown = html
            self._output.show(html, text)

    def _rows(self) -> list[tuple[str, str]]:
        status = self.status
        rows = []
        if status is not None and status.best is not None:
            best = f"acceptance {acceptance(status.best)}, trial {status.best.number}; reliability {status.tally}"
            rows += [("best so far", best), ("", configuration(status.best))]
            rows.append(("in use", comparison_line(status.comparison)))
        if status is not None and status.nothing is not None:
            rows.append(("learned", status.nothing))
        rows += [("last", self.last)] if self.last else []
        return rows + [("note", note) for note in self.notes[-KEPT:]]


def _words(status: Status) -> str:
    return running_line(status) if status.running_trials else f"{done_of(status)} trials done"
