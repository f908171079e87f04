"""Chromium, by Playwright: open a page and tell every fault that a reader would meet. Knows nothing of what pages are there.

Pages open at once or not at all: whatever they ask of another place is refused and told.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Error, Page, Request, Route, sync_playwright

from tests.support.processes import need

# Pixels, as a laptop and as half of its screen.
WIDTHS = (1280, 700)
HEIGHT = 800
# Milliseconds: the machine may have two cores and ten tests on them.
PATIENCE_MS = 30_000
CHECKS = (Path(__file__).parent / "page_checks.js").read_text(encoding="utf-8")
# Two frames, after which what was asked for is drawn.
TWO_FRAMES = "() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"


@dataclass
class Visit:
    """A page that is open, and what it did since it was asked for."""

    page: Page
    # Warnings and errors of the console, and errors that no one caught.
    said: list[str] = field(default_factory=list)
    # Addresses of other places that the page asked for, and was refused.
    asked: list[str] = field(default_factory=list)

    def check(self, name: str) -> list[Any]:
        """Run a function of page_checks.js."""
        found: list[Any] = self.page.evaluate(f"() => window.pageChecks.{name}()")
        return found

    def settle(self) -> None:
        """Wait until what was asked for is drawn."""
        self.page.wait_for_function("() => window.pageChecks.settled()")
        self.page.evaluate(TWO_FRAMES)

    def darken(self, *, is_dark: bool = True) -> None:
        """Say that the reader prefers pages dark."""
        self.page.emulate_media(color_scheme="dark" if is_dark else "light")
        self.settle()

    def widen(self, width: int) -> None:
        """Give the window another width."""
        self.page.set_viewport_size({"width": width, "height": HEIGHT})
        self.settle()


@contextmanager
def run_chromium() -> Iterator[Browser]:
    """Run one Chromium for many visits. Fails the test where Debian's package is missing."""
    program = need("chromium", "chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox", "--disable-gpu"])
        try:
            yield browser
        finally:
            browser.close()


@contextmanager
def visit(browser: Browser, address: str, width: int) -> Iterator[Visit]:
    """Open a page in a window of its own, in which nothing is stored before."""
    context = browser.new_context(viewport={"width": width, "height": HEIGHT})
    context.set_default_timeout(PATIENCE_MS)
    try:
        visited = Visit(context.new_page())
        _listen(visited, address)
        try:
            visited.page.goto(address, wait_until="load")
        except Error as error:
            pytest.fail(f"{address} must open, but: {error.message}")
        visited.page.evaluate(CHECKS)
        visited.settle()
        yield visited
    finally:
        context.close()


def browse(context: BrowserContext, page: Path, script: str) -> Any:
    """Open a page in a context, which keeps what pages store; give what a script, an async function's body, returns."""
    opened = context.new_page()
    try:
        opened.goto(page.as_uri())
        return opened.evaluate(f"async () => {{ {script} }}")
    finally:
        opened.close()


def _listen(visited: Visit, address: str) -> None:
    home = urlsplit(address)

    def refuse(route: Route, request: Request) -> None:
        place = urlsplit(request.url)
        if place.scheme in ("data", "blob") or (place.scheme, place.netloc) == (home.scheme, home.netloc):
            route.continue_()
        else:
            visited.asked.append(f"the page asks for {request.url}")
            route.abort()

    def hear(message: ConsoleMessage) -> None:
        # What WebGL's driver says of a machine without a graphics card is no fault of the page.
        if message.type in ("warning", "error") and not message.text.startswith("[.WebGL"):
            visited.said.append(f"console: {message.text}")

    visited.page.route("**/*", refuse)
    visited.page.on("console", hear)
    visited.page.on("pageerror", lambda error: visited.said.append(f"error: {error.message}"))


def faults_of(visited: Visit) -> list[str]:
    """List all faults of a page as it stands, a line each: what is seen, then axe's rules and the keyboard."""
    return [*seen_faults_of(visited), *_axe(visited.page), *_keyboard(visited)]


def seen_faults_of(visited: Visit) -> list[str]:
    """List the faults that are seen: errors, requests, figures and images that are not drawn, text that does not fit."""
    faults = [*visited.said, *visited.asked]
    for figure in visited.check("figures"):
        if figure["drawn"] < max(figure["traces"], 1):
            faults.append(f"a figure is not drawn: of {figure['name']}, {figure['drawn']} of {figure['traces']} traces")
        if figure["uploads"]:
            faults.append(f"a figure offers to upload itself: {figure['name']}")
    for name in ("empty", "cut", "overlapping"):
        faults += visited.check(name)
    return faults


def _axe(page: Page) -> list[str]:
    """Ask axe-core, by all of its rules: contrast, names, roles, landmarks, what scrolls."""
    # It would read style sheets of their own once more, which a browser refuses where they are on the disk.
    options = {"resultTypes": ["violations"], "preload": False}
    found = Axe().run(page, options=options).response["violations"]
    return [f"axe: {one['id']}: {one['help']}: {one['nodes'][0]['html'][:160]} ({len(one['nodes'])} places)" for one in found]


def _keyboard(visited: Visit) -> list[str]:
    """Press Tab through the page: everything that can be used gets the focus, which can be seen."""
    stops = visited.check("stops")
    reached: dict[int, bool] = {}
    leave = "() => { document.activeElement.blur(); window.scrollTo(0, 0); }"
    visited.page.evaluate(leave)
    for _ in range(len(stops) + 2):
        visited.page.keyboard.press("Tab")
        focus: Any = visited.check("focused")
        if focus is not None:
            reached[focus["stop"]] = focus["marked"]
    visited.page.evaluate(leave)
    faults = [f"the keyboard does not reach {what}" for number, what in enumerate(stops) if number not in reached]
    return faults + [f"the focus cannot be seen on {stops[number]}" for number, marked in reached.items() if not marked]
