"""Figures for a note as files: both formats, the same bytes every time, and one line where they cannot be written."""

from __future__ import annotations

from pathlib import Path

import pytest

from search.errors import StudyError
from search.report.contents import Drawing, Listing, Section
from search.report.figures.style import new_figure
from search.report.note_figures.files import write_note_figures

FIGURE = new_figure("signal acceptance at 5 %", "trials [≥ 1]").add_scatter(x=[0.5, 0.7], y=[1, 2])
SECTIONS = (
    Section("one", "One", (), (Drawing("best", "Best", FIGURE, ""), Listing("a table", (), ()))),
    Section("two", "Two", (), (Drawing("rungs", "Rungs", FIGURE, ""),)),
)


def test_every_figure_becomes_a_pdf_and_a_png_and_the_same_figure_the_same_bytes(tmp_path: Path) -> None:
    folder = tmp_path / "new" / "note"
    told: list[tuple[int, int]] = []
    paths = write_note_figures(SECTIONS, folder, lambda *counts: told.append(counts))
    assert told == [(1, 2), (2, 2)]
    assert [path.name for path in paths] == ["best.pdf", "best.png", "rungs.pdf", "rungs.png"]
    assert sorted(folder.iterdir()) == sorted(paths)
    assert paths[0].read_bytes().startswith(b"%PDF-")
    assert paths[1].read_bytes().startswith(b"\x89PNG")
    assert [path.read_bytes() for path in paths[:2]] == [path.read_bytes() for path in paths[2:]]


def test_a_folder_that_cannot_be_written_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "note").write_text("a file")
    with pytest.raises(StudyError, match=r"^[^\n]*note: figures must be written, but: [^\n]*; choose another --figures\.$"):
        write_note_figures(SECTIONS, tmp_path / "note")
