"""Words that a user gives and that reach tables, pages and terminals: labels, styles, classes. Imports nothing of ours."""

from __future__ import annotations

import re

NUMBER = re.compile(r"[+-]?[0-9.,]*")


def broken_word(text: str) -> str | None:
    """Give the rule that a label or another word of a table breaks; None for a good one.

    A spreadsheet that opens a table takes a cell that begins with such a mark for a formula, and computes it.
    """
    if not text.isprintable():
        return "of printable characters, on one line"
    if text[:1] in ("=", "@") or (text[:1] in ("+", "-") and not NUMBER.fullmatch(text)):
        return "no formula of a spreadsheet (no =, @, + or - at its start)"
    return None
