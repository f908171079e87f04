"""A study that version 0.1.0 made has every section of the report that its records carry."""

from __future__ import annotations

from pathlib import Path

from search.report.contents import Drawing
from search.report.study_report import SECTIONS, make_sections
from search.report.subject import read_subject
from tests.support.study_0_1_0 import restore_study


def test_a_study_of_an_older_version_has_a_report(tmp_path: Path) -> None:
    sections = {section.name: section for section in make_sections(read_subject(restore_study(tmp_path)))}
    assert not any("cannot be shown" in warning for section in sections.values() for warning in section.warnings)
    assert {"data", "scores", "importance", "pits"} <= {*sections} <= {name for name, _, _ in SECTIONS}
    scores = {part.name for part in sections["scores"].parts if isinstance(part, Drawing)}
    # It recorded no scores of trials and no classes: there is no confusion matrix; its confirmations have scores.
    assert scores == {
        "acceptance-curve",
        "score-histograms",
        "accepted-by-label",
        "signal-by-slide",
        "background-by-slide",
        "calibration",
    }
    assert sections["pits"].paragraphs[1].startswith("No trial kept scores that tell of labels; pits that show")
