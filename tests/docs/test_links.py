"""Links of all Markdown pages lead to files and headings that are there; the reference has every public name."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import pitsearch as ps
from tests.support.links import broken_links, broken_site_links, pages
from tests.support.repository import ROOT

DIRECTIVE = re.compile(r"^\.\. auto(?:class|exception|function):: pitsearch\.(\w+)$", re.MULTILINE)


def test_every_link_of_every_page_leads_to_a_file_and_a_heading() -> None:
    assert {"README.md", "CONTRIBUTING.md", "docs/index.md"} <= {str(page.relative_to(ROOT)) for page in pages(ROOT)}
    assert broken_links(ROOT) == []


@pytest.mark.parametrize(
    ("address", "fault"),
    [
        ("docs/trials.md", ""),
        ("docs/trials.md#folds-and-epochs-1-ladder", ""),
        ("docs/trials.md#seeds-1", ""),
        ("#top", ""),
        ("https://example.org/nowhere#part", ""),
        ("docs/trial.md", "no such file"),
        ("docs/trials.md#seeds-2", "no such heading"),
        ("docs/trials.md#Seeds", "no such heading"),
        ("#bottom", "no such heading"),
    ],
)
def test_a_link_that_leads_nowhere_is_seen(address: str, fault: str, tmp_path: Path) -> None:
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "trials.md").write_text("# Folds and `epochs`: 1 ladder\n\n## Seeds\n\n## Seeds\n")
    (tmp_path / "README.md").write_text(f"# Top\n\n`[code](nowhere.md)`\n\n| a |\n| --- |\n| [link]({address}) |\n")
    assert broken_links(tmp_path) == ([f"README.md:7: {address}: {fault}"] if fault else [])


def test_a_picture_that_is_not_there_is_seen(tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text("![a picture](picture.png)\n")
    assert broken_links(tmp_path) == ["README.md:1: picture.png: no such file"]


def test_what_leads_nowhere_on_a_site_or_comes_from_another_is_seen(tmp_path: Path) -> None:
    (tmp_path / "a.html").write_text('<a href="b/c.html#part">c</a><a href="https://example.org">away</a><a href="#here">?</a>')
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "c.html").write_text(
        '<p id="part"><a href="../d.html">d</a><script src="https://example.org/e.js"></script>'
    )
    assert broken_site_links(tmp_path) == [
        "a.html: #here: no such part",
        "b/c.html: ../d.html: no such file",
        "b/c.html: https://example.org/e.js: not on the site",
    ]


def test_the_reference_has_every_public_name_once() -> None:
    names = [name for page in (ROOT / "docs" / "reference").glob("*.md") for name in DIRECTIVE.findall(page.read_text())]
    assert sorted(names) == sorted({*dir(ps)} - {"__version__"})
