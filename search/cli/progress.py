"""How `launch` and `status --watch` show a search, and how they close it. Knows nothing of how a search runs."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, TextIO, cast

from search.cli.console import Output, make_console, next_command, say, typed
from search.errors import StudyError

if TYPE_CHECKING:
    from search.analysis.status import Status
    from search.report.events import JsonLines
    from search.report.viewers import LogFile, Viewer

STOPPED = "stopped; finished trials are kept, the same command goes on where it stopped"


@dataclass(frozen=True)
class Progress:
    """What the options ask for."""

    # Whether nothing is shown but how it ended.
    quiet: bool
    # Whether events are written as JSON.
    as_json: bool
    # Where plain lines go, too.
    log_file: Path | None
    # Whether the workers are of this process.
    own_workers: bool = True

    def __post_init__(self) -> None:
        if self.quiet and self.as_json:
            raise StudyError("--quiet and --json must not be given together, but both are; remove one.")

    @cached_property
    def viewers(self) -> list[Viewer]:
        """Make what shows the search. Raises StudyError where a log file cannot be written to."""
        from search.report.viewers import LiveTable, PlainLines

        # The log first: where it cannot be, nothing is shown.
        viewers: list[Viewer] = [] if self._log is None else [self._log]
        console = make_console()
        if self.as_json:
            viewers.append(self._events)
        elif not self.quiet:
            live = console.is_terminal
            viewers.append(LiveTable(console, own_workers=self.own_workers) if live else PlainLines(console))
        return viewers

    @cached_property
    def _events(self) -> JsonLines:
        from search.report.events import JsonLines

        return JsonLines(cast(TextIO, Output(sys.stdout)))

    @cached_property
    def _log(self) -> LogFile | None:
        from search.report.viewers import LogFile

        return None if self.log_file is None else LogFile(self.log_file)

    def close(self, status: Status, storage: str, *, stopped: bool = False, minutes: float | None = None) -> None:
        """Say on one line what was found, and on the next which command follows; as JSON it is the last event.

        `stopped`: the search is to go on; `minutes`: what it was given.
        """
        from search.report.closing import closing
        from search.report.events import EndEvent
        from search.report.tables import status_table

        end = closing(status, minutes)
        if end.command == "check":
            command = typed("pitsearch", end.command, *end.words)
        else:
            goes_on = ("launch", status.plan.folder) if stopped else (end.command, *end.words)
            command = next_command(goes_on[0], storage, *goes_on[1:], study=status.name)
        fault = None if self._log is None else self._log.fault
        if self.as_json:
            self._events.write(EndEvent(end.sentence, command, stopped))
        elif not self.quiet and not make_console().is_terminal:
            make_console().print(status_table(status))
        if self._log is not None:
            self._log.on_note(end.sentence)
        if fault is not None:
            print(f"note: {fault}", file=sys.stderr)
        if not self.as_json:
            say(end.sentence)
            say(STOPPED if stopped else f"next: {command}")
