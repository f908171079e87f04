"""Show something in a notebook as HTML, and change it while it is shown. Knows nothing of what is shown.

A notebook brings IPython with it; nothing else is needed, no widgets either.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from typing import Any

from rich.console import Console


def in_notebook() -> bool:
    """Tell whether this process is the kernel of a notebook."""
    return Console().is_jupyter


class NotebookOutput:
    """A place in the output of a cell, whose content is replaced."""

    def __init__(self) -> None:
        self._handle: Any = None

    def show(self, html: str, text: str) -> None:
        """Show HTML in the place of what was shown before; `text`: the same for a viewer that shows none."""
        content = {"text/html": html, "text/plain": text}
        if self._handle is None:
            from IPython.display import display

            self._handle = display(content, raw=True, display_id=True)
        else:
            self._handle.update(content, raw=True)


def bar(what: str, finished: int, of: int | None, words: str) -> str:
    """Give a progress bar as HTML, one that only says that something goes on where nobody knows of how much."""
    known = "" if of is None else f' value="{finished}" max="{max(of, finished, 1)}"'
    return f'<div>{escape(what)} <progress{known} aria-label="{escape(what)}"></progress> {escape(words)}</div>'


def facts(title: str, rows: Iterable[tuple[str, str]]) -> str:
    """Give a title and named facts as HTML."""
    lines = "".join(f'<tr><th style="text-align: left">{escape(name)}</th>{cell(text)}</tr>' for name, text in rows)
    return f"<table><caption>{escape(title)}</caption><tbody>{lines}</tbody></table>"


def listing(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Give a table with a head as HTML."""
    head = "".join(f'<th style="text-align: left">{escape(name)}</th>' for name in columns)
    lines = "".join(f"<tr>{''.join(map(cell, row))}</tr>" for row in rows)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{lines}</tbody></table>"


def cell(text: str) -> str:
    """Give a cell of a table."""
    return f'<td style="text-align: left">{escape(text)}</td>'
