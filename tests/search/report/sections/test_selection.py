"""What the report says of a race and a selection, and how it stands before there is one."""

from __future__ import annotations

from search.report.contents import Drawing, Listing
from search.report.sections.selection import section
from search.report.selection_tables import opening_lines
from search.statistics.intervals import wilson
from tests.support.subjects import JUDGED, RACE, selected_subject, subject_of


def test_before_a_race_the_section_says_which_command_runs_one() -> None:
    laid_out = section(subject_of())
    assert laid_out.parts == ()
    assert "`pitsearch select --study craters` races the best" in laid_out.paragraphs[0]


def test_after_a_race_every_entrant_is_said_and_listed() -> None:
    laid_out = section(subject_of(race=RACE))
    assert laid_out.paragraphs == (
        "3 configurations entered the race, each cross-validated up to 2 times on fresh splits and seeds; 2 ran to the end. A "
        "configuration is kept where the lower bound of its reliability passes 0.8.",
        "Trial 0 left the race: lost the race after 1 of 2: -0.087 to trial 3.",
        "Nothing is selected yet; `pitsearch select --study craters` does.",
    )
    table = next(part for part in laid_out.parts if isinstance(part, Listing))
    assert [(row[0], row[5], row[7]) for row in table.rows] == [
        ("3", str(RACE.entries[0].tally), "ran to the end"),
        ("5", str(RACE.entries[1].tally), "ran to the end"),
        ("0", str(RACE.entries[2].tally), RACE.entries[2].dropped),
    ]


def test_after_a_selection_the_reasons_and_the_reading_are_those_of_select() -> None:
    subject = selected_subject()
    laid_out = section(subject)
    assert f"Trial 3: winner, with {wilson(195, 210)} on fresh splits." in laid_out.paragraphs
    assert f"Trial 5: kept, beaten by trial 3, with {wilson(190, 210)} on fresh splits." in laid_out.paragraphs
    assert subject.opening is not None
    for line in opening_lines(subject.opening):
        assert any(line.strip()[1:] in paragraph for paragraph in laid_out.paragraphs)
    assert f"Acceptance on slides it never saw: {wilson(160, 207)}, over 4 folds of whole slides." in laid_out.paragraphs
    table = next(part for part in laid_out.parts if isinstance(part, Listing))
    assert [row[1] for row in table.rows] == [str(candidate.confirmed) for candidate in JUDGED.candidates]
    assert [row[2] for row in table.rows] == ["0.914", "0.893", "not known"]
    assert table.rows[0][6] == "3.40 M"
    figure = next(part for part in laid_out.parts if isinstance(part, Drawing)).figure
    assert list(figure.layout.yaxis.categoryarray) == ["trial 0 (dropped, left after 0)", "trial 5 (kept)", "trial 3 (winner)"]


def test_a_selection_of_an_older_version_shows_its_reading_and_says_what_is_missing() -> None:
    laid_out = section(selected_subject(race=None, judged=None))
    assert "`pitsearch select --study craters` records it" in laid_out.paragraphs[0]
    assert any("held-out set, opened for the first time" in paragraph.lower() for paragraph in laid_out.paragraphs)
