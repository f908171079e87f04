"""Every page has the one layout, needs nothing else, and shows what a data set says as text."""

from __future__ import annotations

import tomllib
from pathlib import Path

import plotly.graph_objects as go
import pytest
from jinja2 import UndefinedError

from search.errors import StudyError
from search.report.pages import TEMPLATES, figure_page, render_page, write_figure_page
from tests.support.repository import ROOT


def test_whatever_is_said_is_escaped() -> None:
    page = render_page("suspects", title="<b>a</b>", file="a&b.csv", rows=[])
    assert "<title>&lt;b&gt;a&lt;/b&gt;</title>" in page
    assert "<h1>&lt;b&gt;a&lt;/b&gt;</h1>" in page
    assert "<code>a&amp;b.csv</code>" in page
    assert "<p>None.</p>" in page and "<table>" not in page


def test_a_value_that_a_template_lacks_is_a_fault() -> None:
    with pytest.raises(UndefinedError):
        render_page("suspects", title="a", rows=[])


def test_a_figure_fills_a_page_that_needs_nothing_else() -> None:
    page = figure_page(go.Figure(), "curve", "a < b")
    assert page.startswith("<!doctype html>")
    assert "<title>a &lt; b</title>" in page
    assert '<div style="height:95vh; width:100%;">' in page and '<div id="curve"' in page
    assert page.count("<html") == page.count("</html>") == 1
    assert "<script src=" not in page


def test_a_figure_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StudyError, match=r"the figure must be written, but: No such file or directory; choose another --out"):
        write_figure_page(go.Figure(), "curve", "a", tmp_path / "nowhere" / "a.html")


def test_every_template_has_the_layout_and_is_installed() -> None:
    templates = sorted(path.name for path in TEMPLATES.iterdir())
    # A part of a page, of its name and an underscore, is included in it; style and script likewise.
    pages = [name for name in templates if name.endswith(".html.j2") and "_" not in name and name != "page.html.j2"]
    assert pages == ["figure.html.j2", "report.html.j2", "suspects.html.j2"]
    starts = [(TEMPLATES / name).read_text(encoding="utf-8").splitlines()[0] for name in pages]
    assert set(starts) == {'{% extends "page.html.j2" %}'}
    data = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["package-data"]
    assert data["search.report"] == ["templates/*.j2"]
