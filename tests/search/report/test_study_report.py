"""The report is one page: what a study or its data say is shown as it is, nothing is fetched, and what is damaged is said."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from plotly.offline import get_plotlyjs

from foils import DataError
from search.errors import StudyError
from search.report import study_report
from search.report.contents import Drawing, Gallery, GalleryItem, Listing, PlainText, Section
from search.report.figures.style import literal, new_figure
from search.report.study_report import make_sections, report_page, write_report
from search.report.subject import Subject, read_subject
from search.studies.study import Study

EVIL = "</script><img src=x onerror=alert(1)>`rm`"


@pytest.fixture
def subject(finished: Study) -> Subject:
    """A small finished study, read."""
    return read_subject(finished)


def test_a_page_holds_every_part_and_escapes_it(subject: Subject) -> None:
    figure = new_figure("epochs", "loss")
    figure.add_scatter(x=[0, 1], y=[1, 2], name=literal(EVIL))
    parts = (
        Drawing("loss-curves", EVIL, figure, EVIL),
        Listing(EVIL, (EVIL,), ((EVIL,),), EVIL),
        Gallery(EVIL, EVIL, (EVIL,), (GalleryItem(EVIL, EVIL, ("data:image/png;base64,AAAA",)),)),
        PlainText(EVIL, EVIL),
    )
    page = report_page(subject, [Section("all", EVIL, (EVIL,), parts, (EVIL,))])
    assert "<img src=x" not in page and "&lt;img src=x" in page
    page = page.replace(str(get_plotlyjs()), "")
    assert page.count("</script>") == page.count("<script")
    assert "<code>rm</code>" in page
    assert 'id="loss-curves"' in page and 'data-format="svg"' in page


def test_a_page_asks_for_nothing_from_elsewhere(subject: Subject) -> None:
    page = report_page(subject, make_sections(subject))
    assert not re.findall(r"<(?:script|img|link|iframe)[^>]+(?:src|href)=[\"']?(?:https?:)?//", page)
    assert "default-src 'none'" in page


def test_a_section_that_cannot_be_read_says_so_and_the_others_stand(
    subject: Subject, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def broken(_: Subject) -> Section:
        raise StudyError("a record must be whole, but is not; choose another --study.")

    monkeypatch.setattr(study_report, "SECTIONS", (("one", "One", broken), *study_report.SECTIONS))
    sections = write_report(subject, tmp_path / "report.html")
    assert sections[0].warnings == (
        "this section cannot be shown: a record must be whole, but is not; choose another --study.",
    )
    assert len(sections) > 1
    assert "a record must be whole" in (tmp_path / "report.html").read_text()


def test_a_study_whose_data_is_gone_has_a_report(finished: Study, tmp_path: Path) -> None:
    opened = finished.optuna
    plan = opened.user_attrs["pitsearch:plan"]
    opened.set_user_attr("pitsearch:plan", {**plan, "folder": str(tmp_path / "gone")})
    subject = read_subject(finished)
    assert subject.data is None
    assert "is gone" in subject.data_fault
    assert make_sections(subject)
    with pytest.raises(DataError, match="there is none by this name"):
        read_subject(finished, tmp_path / "nowhere")


def test_a_report_that_cannot_be_written_is_one_error(subject: Subject, tmp_path: Path) -> None:
    with pytest.raises(StudyError, match="choose another --out"):
        write_report(subject, tmp_path / "missing" / "report.html")
