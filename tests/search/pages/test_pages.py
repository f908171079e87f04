"""Every page opens in a browser without an error and offline, draws its figures, fits the window, and can be used by anyone."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.search.pages.material import Material
from tests.search.pages.table import PAGES, PageCase
from tests.support.browser import WIDTHS, faults_of, run_chromium, seen_faults_of, visit
from tests.support.repository import ROOT

# People look at them.
SCREENSHOTS = ROOT / "build" / "screenshots"


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """One browser for all pages."""
    with run_chromium() as browser:
        yield browser


@pytest.mark.slow
@pytest.mark.parametrize("case", PAGES, ids=lambda case: case.name)
def test_a_page_can_be_read_and_used(case: PageCase, chromium: Browser, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    faults: list[str] = []
    making = contextmanager(case.make)(Material(tmp_path, request.getfixturevalue))
    with making as address, visit(chromium, address, WIDTHS[0]) as visited:
        assert {*case.figures} <= {figure["name"] for figure in visited.check("figures")}
        for width in WIDTHS:
            visited.widen(width)
            visited.page.screenshot(path=SCREENSHOTS / f"{case.name}-{width}.png", full_page=True)
            # Rules and keyboard once, where there is least room.
            look = faults_of if width == min(WIDTHS) else seen_faults_of
            faults += [f"{fault} (at {width} pixels)" for fault in look(visited)]
        if case.has_dark:
            visited.darken()
            visited.page.screenshot(path=SCREENSHOTS / f"{case.name}-dark.png", full_page=True)
            faults += [f"{fault} (dark)" for fault in faults_of(visited)]
            visited.darken(is_dark=False)
        case.use(visited)
        faults += [*visited.said, *visited.asked]
    assert "\n".join(fault for fault in faults if not fault.startswith(case.excused or "-")) == ""
    assert [excuse for excuse in case.excused if not any(fault.startswith(excuse) for fault in faults)] == []
