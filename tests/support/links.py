"""Links of Markdown pages and of built sites: where each leads, and whether that is there. Asks nothing of the network."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from functools import cache
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path
from urllib.parse import unquote, urlsplit

from markdown_it import MarkdownIt
from markdown_it.token import Token

# Folders with pages, beside those at the top of the repository.
FOLDERS = ("docs", "benchmarks", "examples")
# Attributes of HTML that name a file or a page.
ADDRESSES = ("href", "src")


@cache
def tokens(page: Path) -> tuple[Token, ...]:
    """Parse a Markdown page; code is no link."""
    return tuple(MarkdownIt("commonmark").enable("table").parse(page.read_text(encoding="utf-8")))


def pages(root: Path) -> list[Path]:
    """List the Markdown pages of a checkout."""
    return sorted([*root.glob("*.md"), *(page for name in FOLDERS for page in (root / name).rglob("*.md"))])


def links(page: Path) -> Iterator[tuple[int, str]]:
    """Give the line and the address of every link and picture of a page that leads into the repository."""
    for token in tokens(page):
        for child in token.children or ():
            address = str(child.attrs.get("href") or child.attrs.get("src") or "")
            if address and not urlsplit(address).scheme:
                yield (token.map or [0])[0] + 1, unquote(address)


def anchors(page: Path) -> set[str]:
    """Give the anchors of a page's headings, as GitHub makes them."""
    parsed, names, counts = tokens(page), set[str](), Counter[str]()
    for heading, inline in pairwise(parsed):
        if heading.type == "heading_open":
            text = "".join(child.content for child in inline.children or ())
            name = re.sub(r"[^\w\- ]", "", text.lower()).replace(" ", "-")
            names.add(f"{name}-{counts[name]}" if counts[name] else name)
            counts[name] += 1
    return names


def broken_links(root: Path) -> list[str]:
    """List the links of a checkout's pages that lead to no file or to no heading."""
    faults = []
    for page in pages(root):
        for line, address in links(page):
            name, _, anchor = address.partition("#")
            target = page.parent / name if name else page
            place = f"{page.relative_to(root)}:{line}: {address}"
            if not target.exists():
                faults.append(f"{place}: no such file")
            elif anchor and anchor not in anchors(target):
                faults.append(f"{place}: no such heading")
    return faults


class SitePage(HTMLParser):
    """Read a page of a site: the names of its parts, where it leads, and the addresses of what it is shown with."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.ids: set[str] = set()
        self.links: list[str] = []
        self.shown_with: list[str] = []
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Take what a tag names and where it leads."""
        for name, value in attrs:
            if name == "id" and value:
                self.ids.add(value)
            elif name in ADDRESSES and value:
                (self.links if tag == "a" else self.shown_with).append(value)


def broken_site_links(site: Path) -> list[str]:
    """List what leads nowhere on a site, and what its pages are shown with that is not on it."""
    # Beside the pages lie templates of the theme, which are none.
    paths = [path for path in sorted(site.rglob("*.html")) if "_static" not in path.relative_to(site).parts]
    read = {path.resolve(): SitePage(path) for path in paths}
    faults = []
    for path, page in read.items():
        for address in [*page.links, *page.shown_with]:
            parts = urlsplit(address)
            if parts.scheme or parts.netloc:
                if address in page.shown_with and parts.scheme != "data":
                    faults.append(f"{path.relative_to(site)}: {address}: not on the site")
                continue
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            anchor = unquote(parts.fragment)
            if not target.is_file():
                faults.append(f"{path.relative_to(site)}: {address}: no such file")
            elif anchor and target in read and anchor not in read[target].ids:
                faults.append(f"{path.relative_to(site)}: {address}: no such part")
    return faults
