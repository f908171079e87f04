"""The command `report` writes the page, says what to know before believing it, and never writes half of one."""

from __future__ import annotations

from pathlib import Path

import pytest

from search.errors import StudyError
from search.report import study_report
from search.storage.connect import forget_storages
from search.studies.study import Study
from tests.support.commands import Runner


def test_the_command_writes_the_page_and_prints_its_warnings(run: Runner, finished: Study) -> None:
    ran = run("report", "--storage", finished.storage)
    assert ran.code == 0, ran.err
    lines = ran.out.splitlines()
    assert lines[-1] == "wrote report.html; next: open it in a browser"
    assert any(line.startswith("The answer: Only ") for line in lines)
    page = Path("report.html").read_text(encoding="utf-8")
    assert "<h1>Study tiny</h1>" in page
    assert len(page) < 8e6


def test_a_study_that_another_program_made_is_refused_on_one_line(run: Runner, finished: Study) -> None:
    finished.optuna.set_user_attr("pitsearch:plan", 3)
    forget_storages()
    ran = run("report", "--storage", finished.storage)
    assert (ran.code, ran.out) == (1, "")
    assert len(ran.err.splitlines()) == 1
    assert not Path("report.html").exists()


def test_an_earlier_page_stays_where_a_new_one_fails(run: Runner, finished: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    Path("report.html").write_text("earlier")

    def broken(*_: object) -> str:
        raise StudyError("a page must be made, but is not; try again.")

    monkeypatch.setattr(study_report, "report_page", broken)
    assert run("report", "--storage", finished.storage).code == 1
    assert Path("report.html").read_text() == "earlier"
