"""Show something in a notebook as HTML, and change it while it is shown. Knows nothing of what is shown.

A notebook brings IPython with it; nothing else is needed, no widgets either.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from typing import Any

# The longest text of a cell that stays on one line.
SHORT = 40


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
    lines = "".join(f"<tr>{_cell('th', name)}{_cell('td', text)}</tr>" for name, text in rows)
    caption = f'<caption style="text-align: left"><b>{escape(title)}</b></caption>' if title else ""
    return f"<table>{caption}<tbody>{lines}</tbody></table>"


def listing(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Give a table with a head as HTML."""
    head = "".join(_cell("th", name) for name in columns)
    lines = "".join(f"<tr>{''.join(_cell('td', text) for text in row)}</tr>" for row in rows)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{lines}</tbody></table>"


def _cell(kind: str, text: str) -> str:
    """Give a cell of a table, in whose short text no line ends: an interval stays on one."""
    ends = "; white-space: nowrap" if len(text) <= SHORT else ""
    return f'<{kind} style="text-align: left{ends}">{escape(text)}</{kind}>'
