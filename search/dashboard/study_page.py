"""What the dashboard says of a study as a whole: its note, and its report as a page.

Both follow from all trials, which takes a while in a large study: they are made anew only where something has changed, and not
at every look. Knows nothing of Optuna's own pages.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from threading import Lock

from search.analysis.status import of_trials
from search.dashboard.notes import study_note
from search.dashboard.view import StudyView
from search.errors import StudyError
from search.report.study_report import make_sections, report_page
from search.report.subject import Subject, read_subject
from search.selection.confirmations import read_confirmations
from search.selection.held_out import recall
from search.selection.race_record import read_judged, read_race
from search.selection.selection_record import SELECTION, selected_key
from search.storage.places import UID
from search.studies.launch_record import last_launch, now_of
from search.studies.plan import PLAN
from search.studies.study import Study

# Seconds for which a text is shown as it is, whatever has changed.
FRESH_S = 20.0
# The address of a report is this and the number of the study.
REPORT = "/report"


class StudyPages:
    """The notes and reports of the studies that a view shows."""

    def __init__(self, view: StudyView) -> None:
        self.view, self._lock = view, Lock()
        # By study and kind: what it was made of, when, and the text.
        self._made: dict[tuple[int, str], tuple[object, float, str]] = {}

    def note(self, study_id: int) -> str:
        """Give the note of a study; empty for one that pitsearch did not make."""
        if PLAN not in self.view.recorded.get_study_user_attrs(study_id):
            return ""
        return self._fresh(study_id, "note", lambda study: study_note(_subject(study), f"{REPORT}/{study_id}"))

    def report(self, study_id: int) -> str:
        """Give the report of a study, as a page of HTML. Raises StudyError where pitsearch did not make the study."""
        return self._fresh(study_id, "report", _report)

    def _fresh(self, study_id: int, kind: str, make: Callable[[Study], str]) -> str:
        storage = self.view.recorded
        study = Study(storage.get_study_name_from_id(study_id), self.view.address)
        trials = storage.get_all_trials(study_id, deepcopy=False)
        attributes = storage.get_study_user_attrs(study_id)
        state = (attributes.get(UID), attributes.get(SELECTION), [(trial.state, len(trial.user_attrs)) for trial in trials])
        with self._lock:
            before, when, text = self._made.get((study_id, kind), (None, 0.0, ""))
            if before is None or (before != state and time.monotonic() - when > FRESH_S):
                try:
                    text = make(study)
                except StudyError as error:
                    if kind == "report":
                        raise
                    text = str(error)
                self._made[study_id, kind] = (state, time.monotonic(), text)
        return text


def _report(study: Study) -> str:
    subject = read_subject(study)
    return report_page(subject, make_sections(subject))


def _subject(study: Study) -> Subject:
    """Read a study as its note needs it: without its data, and without looking at every row for damage."""
    opened, plan = study.optuna, study.plan
    trials, confirmations = opened.get_trials(deepcopy=False), read_confirmations(opened)
    selection = selected_key(study) if SELECTION in opened.user_attrs else None
    return Subject(
        study=study,
        plan=plan,
        trials=tuple(trials),
        status=of_trials(study.name, plan, trials, last_launch(study), now_of(study), confirmations),
        confirmations=confirmations,
        race=read_race(study),
        selection=selection,
        judged=None if selection is None else read_judged(study, selection.sha256),
        opening=None if selection is None else recall(study, selection),
        data=None,
        data_fault="",
    )
