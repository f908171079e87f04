"""What the dashboard says of a study as a whole: its note, and its report as a page.

Both follow from all trials, and what makes them takes seconds to import. So they are made beside the requests, and anew only
where something has changed: a note is shown as it was last made. Knows nothing of Optuna's own pages.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Lock, Thread

from pitsearch.errors import reason
from search.dashboard.view import StudyView
from search.errors import StudyError
from search.selection.selection_record import SELECTION
from search.storage.places import UID
from search.studies.plan import PLAN
from search.studies.study import Study

# Seconds for which a text is shown as it is, whatever has changed.
FRESH_S = 20.0
# The address of a report is this and the number of the study.
REPORT = "/report"
LATER = "The answer is being worked out, and stands here in a moment."


@dataclass
class _Text:
    """A text of a study, as it was last made."""

    text: str = ""
    # What it was made of, and when; None before it was.
    state: object = None
    made: float = 0.0
    # Held by who makes it.
    lock: Lock = field(default_factory=Lock)


class StudyPages:
    """The notes and reports of the studies that a view shows."""

    def __init__(self, view: StudyView) -> None:
        self.view = view
        self._notes: dict[int, _Text] = {}
        self._reports: dict[int, _Text] = {}

    def note(self, study_id: int) -> str:
        """Give the note of a study, as it was last made; empty for one that pitsearch did not make."""
        if PLAN not in self.view.recorded.get_study_user_attrs(study_id):
            return ""
        note = self._notes.setdefault(study_id, _Text(LATER))
        if not note.lock.locked():
            Thread(target=self._renew_aside, args=(study_id, note), daemon=True).start()
        return note.text

    def _renew_aside(self, study_id: int, note: _Text) -> None:
        """Renew a note where nobody waits for it; what goes wrong is said on one line, but that the study was deleted."""
        try:
            self._renew(study_id, note, _note)
        except KeyError:
            return
        except Exception as error:  # a thread has nobody to raise to
            print(f"error: the note of a study ended in: {reason(error)}", file=sys.stderr)

    def report(self, study_id: int) -> str:
        """Give the report of a study, as a page of HTML. Raises StudyError where pitsearch did not make the study."""
        report = self._reports.setdefault(study_id, _Text())
        self._renew(study_id, report, _report)
        return report.text

    def _renew(self, study_id: int, text: _Text, make: Callable[[Study, int], str]) -> None:
        """Make a text anew, unless it is fresh or nothing has changed; one that is being made is waited for."""
        with text.lock:
            if text.state is not None and time.monotonic() - text.made < FRESH_S:
                return
            study, state = self._state(study_id)
            if text.state != state:
                text.text = make(study, study_id)
            text.state, text.made = state, time.monotonic()

    def _state(self, study_id: int) -> tuple[Study, object]:
        """Give a study, and what its texts follow from."""
        storage = self.view.recorded
        attributes, trials = storage.get_study_user_attrs(study_id), storage.get_all_trials(study_id, deepcopy=False)
        study = Study(storage.get_study_name_from_id(study_id), self.view.address)
        return study, (attributes.get(UID), attributes.get(SELECTION), [(one.state, len(one.user_attrs)) for one in trials])


def _note(study: Study, study_id: int) -> str:
    from search.dashboard.study_texts import study_note

    try:
        return study_note(study, f"{REPORT}/{study_id}")
    except StudyError as error:
        return reason(error)


def _report(study: Study, study_id: int) -> str:
    from search.dashboard.study_texts import study_report

    return study_report(study)
