"""Words in tables, messages, notes and model cards: durations, counted things, and text that Markdown shows as it is."""

from __future__ import annotations

import re

# What Markdown would take for something else.
SPECIAL = re.compile(r"([\\`*_{}\[\]<>#|~!])")


def duration(seconds: float | None) -> str:
    """Say a time in hours, minutes and seconds, as coarse as it is long."""
    if seconds is None:
        return "unknown"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02d} min" if hours else f"{minutes} min {rest:02d} s" if minutes else f"{rest} s"


def counted(number: int, thing: str) -> str:
    """Say so many things."""
    return f"{number} {thing}" if number == 1 else f"{number} {thing}s"


def sentence(text: str) -> str:
    """Give a line of a table or a message as a sentence."""
    return text[:1].upper() + text[1:].rstrip(".") + "."


def as_markdown(text: str) -> str:
    """Give text, such as a name of a user's, as Markdown that shows it as it is, on one line."""
    return SPECIAL.sub(r"\\\1", " ".join(text.split()))
