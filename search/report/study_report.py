"""Make the report of a study: a page of HTML that holds all it needs, one section a question."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path

from plotly.io.json import to_json_plotly
from plotly.offline import get_plotlyjs

from foils.atomic_write import write_whole
from pitsearch.errors import PitsearchError, reason
from search.errors import StudyError
from search.report.contents import Section
from search.report.figures.style import DARK, LIGHT
from search.report.pages import json_in_script, render_page
from search.report.sections import answer, data, importance, pits, repeat, scores, search_history, selection, training_curves
from search.report.subject import Subject

# In the order of the page: the id and the title of each section, and what lays it out, which gives None where the study has
# nothing to say to it.
SECTIONS: tuple[tuple[str, str, Callable[[Subject], Section | None]], ...] = (
    ("answer", "The answer", answer.section),
    ("data", "The data", data.section),
    ("search", "The search", search_history.section),
    ("curves", "Training curves", training_curves.section),
    ("scores", "How well signal is told from background", scores.section),
    ("importance", "What mattered", importance.section),
    ("pits", "Pits worth a look", pits.section),
    ("selection", "The race and the selection", selection.section),
    ("repeat", "How to repeat it", repeat.section),
)


def make_sections(subject: Subject) -> tuple[Section, ...]:
    """Lay out a study. A section whose records are not what pitsearch wrote says so, and the others stand."""
    sections = [_section(name, title, section, subject) for name, title, section in SECTIONS]
    return tuple(section for section in sections if section is not None)


def _section(name: str, title: str, make: Callable[[Subject], Section | None], subject: Subject) -> Section | None:
    try:
        return make(subject)
    except PitsearchError as error:
        return Section(name, title, (), (), warnings=(f"this section cannot be shown: {error}",))


def report_page(subject: Subject, sections: Sequence[Section]) -> str:
    """Give the page."""
    templates = {"light": LIGHT.to_plotly_json(), "dark": DARK.to_plotly_json()}
    return render_page(
        "report",
        title=f"Study {subject.study.name}",
        subtitle=f"Report of {datetime.now():%d %B %Y, %H:%M}.",
        sections=sections,
        templates=json_in_script(to_json_plotly(templates, engine="json")),
        plotly=get_plotlyjs(),
    )


def write_report(subject: Subject, path: Path) -> tuple[Section, ...]:
    """Write the report of a study, and give its sections. Raises StudyError where the file cannot be written."""
    sections = make_sections(subject)
    page = report_page(subject, sections)
    try:
        write_whole(path, lambda stream: stream.write(page.encode("utf-8")))
    except OSError as error:
        raise StudyError(f"{path}: the report must be written, but: {reason(error)}; choose another --out.") from None
    return sections
