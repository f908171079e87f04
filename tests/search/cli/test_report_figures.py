"""`pitsearch report --figures`: the files are there, or one line says what to install, before anything is written."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from search.report import study_report
from search.report.contents import Drawing, Section
from search.report.figures.style import new_figure
from search.report.subject import Subject
from search.studies.study import Study
from tests.support.commands import Runner


def only(_: Subject) -> Section:
    figure = new_figure("epoch", "loss").add_scatter(x=[1, 2], y=[0.5, 0.25])
    return Section("one", "One", (), (Drawing("loss", "Loss", figure, ""),))


def test_where_the_style_is_missing_the_command_says_how_to_install_it_and_writes_nothing(
    finished: Study, run: Runner, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "mplhep", None)
    ran = run("report", "--storage", finished.storage, "--figures", "note")
    assert ran.code == 1
    assert "figures for a note need matplotlib and mplhep, but mplhep is missing" in ran.err
    assert "pip install 'pitsearch[figures]'" in ran.err
    assert not (tmp_path / "report.html").exists() and not (tmp_path / "note").exists()


def test_the_command_writes_them(finished: Study, run: Runner, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(study_report, "SECTIONS", (("one", "One", only),))
    ran = run("report", "--storage", finished.storage, "--figures", "note")
    assert ran.code == 0
    assert "wrote 2 files of figures into note" in ran.out + ran.err
    assert {path.name for path in (tmp_path / "note").iterdir()} == {"loss.pdf", "loss.png"}
