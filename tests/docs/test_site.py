"""The site that `make docs` builds: without a warning, whole without a network, and readable in a browser."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.support.browser import WIDTHS, faults_of, run_chromium, seen_faults_of, visit
from tests.support.links import broken_site_links
from tests.support.processes import make
from tests.support.repository import ROOT

# People look at them.
SCREENSHOTS = ROOT / "build" / "screenshots"

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site, by make's own rule; what the rule needs is installed where the tests run."""
    folder = tmp_path_factory.mktemp("site")
    make("docs", f"BIN={Path(sys.executable).parent}", f"BUILD={folder}")
    return folder / "site"


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """One browser for all pages."""
    with run_chromium() as browser:
        yield browser


def test_all_links_lead_somewhere_and_nothing_comes_from_another_place(site: Path) -> None:
    assert broken_site_links(site) == []
    for style in site.rglob("*.css"):
        assert "url(http" not in style.read_text(encoding="utf-8").replace("'", "").replace('"', "")


@pytest.mark.parametrize("page", ["benchmarks", "changes", "contributing", "examples"])
def test_a_page_of_the_repository_is_shown_and_not_only_named(page: str, site: Path) -> None:
    here = (ROOT / "docs" / f"{page}.md").read_text(encoding="utf-8").splitlines()[2]
    assert here.endswith("the site shows it here.")
    assert "the site shows it here." not in (site / f"{page}.html").read_text(encoding="utf-8")


def test_the_help_of_commands_and_the_comments_of_fields_are_on_the_site(site: Path) -> None:
    assert "Usage: pitsearch launch" in (site / "reference" / "command-line.html").read_text(encoding="utf-8")
    assert "Minutes after which the launch stops" in (site / "reference" / "search.html").read_text(encoding="utf-8")


@pytest.mark.parametrize("page", ["index", "how-to/from-optuna", "reference/search"])
def test_a_page_can_be_read(page: str, site: Path, chromium: Browser) -> None:
    faults: list[str] = []
    with visit(chromium, (site / f"{page}.html").as_uri(), WIDTHS[0]) as visited:
        for width in WIDTHS:
            for is_dark in (False, True):
                visited.widen(width)
                visited.darken(is_dark=is_dark)
                kind = f"{width}{'-dark' if is_dark else ''}"
                visited.page.screenshot(path=SCREENSHOTS / f"site-{Path(page).name}-{kind}.png")
                # Rules and keyboard on one page, for all are of one theme.
                look = faults_of if page == "index" else seen_faults_of
                faults += [f"{fault} ({kind})" for fault in look(visited)]
    assert "\n".join(faults) == ""


def test_the_search_finds_a_page(site: Path, chromium: Browser) -> None:
    with visit(chromium, (site / "search.html").as_uri() + "?q=promotion", WIDTHS[0]) as visited:
        expect(visited.page.locator("#search-results li a").first).to_be_visible()
        assert visited.said == visited.asked == []
