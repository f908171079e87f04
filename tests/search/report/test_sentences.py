"""Every number in a sentence of the report stands in a table: that of `status`, those of a selection, or one of the report."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from foils.readiness import background_note
from search.report import study_report
from search.report.contents import Listing, Section
from search.report.data_table import data_table
from search.report.selection_tables import caveats, opening_lines
from search.report.subject import Subject, read_subject
from search.report.tables import status_table
from search.selection.race_record import JudgedRecord
from search.studies.learnable import unlearnable_folds
from search.studies.study import Study
from search.trials.ladder import short_ladder
from tests.support.golden import render
from tests.support.subjects import selected_subject, subject_of

NUMBER = re.compile(r"(?<![\w.])[+-]?\d+(?:\.\d+)?")
SECTIONS = tuple(make for _, _, make in study_report.SECTIONS)


def numbers(text: str) -> set[str]:
    """Give the numbers of a text as they are written, without a sign."""
    return {match.lstrip("+-") for match in NUMBER.findall(text)}


def tables(subject: Subject, sections: list[Section]) -> str:
    """Give all tables of a study as text."""
    listings = [part for section in sections for part in section.parts if isinstance(part, Listing)]
    cells = [cell for listing in listings for row in listing.rows for cell in row]
    opening = subject.opening
    read = [] if opening is None else [*opening_lines(opening), *caveats(opening.held_out.signals, subject.plan.ladder.epochs)]
    race = [] if subject.race is None else [f"bar {subject.race.reliability} of {subject.race.repeats}"]
    entered = [f"{len(subject.race.entries)} {sum(not one.dropped for one in subject.race.entries)}"] if subject.race else []
    judged = [] if subject.judged is None else [str(subject.judged.by_slides), *map(str, _shares(subject.judged))]
    return "\n".join([render(status_table(subject.status), 400), *_of_data(subject), *cells, *read, *race, *entered, *judged])


def _shares(judged: JudgedRecord) -> Iterator[object]:
    for candidate in judged.candidates:
        yield from (candidate.confirmed, candidate.unflattered)


def _of_data(subject: Subject) -> list[str]:
    """Give the table of `check`, and what a launch says of the data."""
    if subject.data is None:
        return []
    searched, plan = subject.plan.search_set(subject.data), subject.plan
    notes = background_note(searched, plan.options.working_point)
    remarks = unlearnable_folds(searched, plan.folds), short_ladder(plan.ladder.epochs)
    return [render(data_table(subject.data), 400), *notes, *(remark or "" for remark in remarks)]


def unknown(subject: Subject) -> Iterator[tuple[str, str]]:
    """Give each number of a sentence that no table holds, with the sentence."""
    sections = [made for make in SECTIONS if (made := make(subject)) is not None]
    known = numbers(tables(subject, sections))
    for section in sections:
        for text in (*section.paragraphs, *section.warnings):
            dated = re.sub(r"\d+ \w+ \d{4}, \d\d:\d\d", "", text)
            yield from ((number, text) for number in numbers(dated) - known)


# Numbers of these sentences are in no table; tests of the sections compare them one by one.
OWN = (
    "had been paused and taken up again",
    "fold-epochs that whole cross-validations",
    "signal pits are searched: intervals are wide",
    "have curves: ",
    "trainings learned, restarts counted",
    "An older pitsearch ran, without curves",
    "Which axes mattered cannot be told: that needs",
)


@pytest.mark.parametrize("subject", [subject_of(), selected_subject(), selected_subject(2)])
def test_every_number_of_a_sentence_is_in_a_table(subject: Subject) -> None:
    assert [(number, text) for number, text in unknown(subject) if not any(words in text for words in OWN)] == []


def test_of_a_real_study_too(finished: Study) -> None:
    subject = read_subject(finished)
    assert [(number, text) for number, text in unknown(subject) if not any(words in text for words in OWN)] == []


def test_a_wrong_number_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    wrong = Section("planted", "Planted", ("its acceptance differs by +0.123 [+0.107, +0.133] from that of trial 3",), ())
    monkeypatch.setattr(f"{__name__}.SECTIONS", (*SECTIONS, lambda subject: wrong))
    assert ("0.123", wrong.paragraphs[0]) in unknown(selected_subject())
