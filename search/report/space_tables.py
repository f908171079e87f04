"""Lay out what may be searched: every choice of every axis, and what one space varies.

Knows nothing of data sets or studies.
"""

from __future__ import annotations

from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from spaces import Range, Space
from spaces.axes import AXES, Axis, Domain
from spaces.config import TABLES
from spaces.named_spaces import READY, is_file, purpose


def choices_table() -> RenderableType:
    """Show the ready-made spaces, then every choice of every axis, a line each, with those that are searched by default."""
    spaces = _table("ready-made spaces", "name", "for what")
    for name in READY:
        spaces.add_row(name, purpose(name))
    choices = _table("choices", "axis", "choice", "default", "meaning")
    for key, axis in AXES.items():
        table = TABLES.get(axis.target or key)
        if table is None:
            choices.add_row(key, _bounds(axis), _offers(axis.domain) or "all", axis.meaning)
        for name, entry in (table or {}).items():
            choices.add_row(key, name, "yes" if name in _names(axis.domain) else "", _meaning(entry))
    lines = (
        "",
        "An axis appears only where it applies. Show one space: pitsearch spaces NAME; pin an axis: launch --fix KEY=VALUE",
    )
    return Group(spaces, Text(""), choices, *(Text(line) for line in lines))


def space_table(name: str, space: Space) -> RenderableType:
    """Show the axes that a space varies, over what, and what it holds."""
    table = _table(f"space {name}" if is_file(name) else f"space {name}: {purpose(name)}", "axis", "over", "meaning")
    held = []
    for key, axis in AXES.items():
        domain = space.domain(key)
        if isinstance(domain, Range) or len(domain) != 1:
            table.add_row(key, _offers(domain) or "every light of the data set", axis.meaning)
        elif key in space.chosen:
            held.append(f"{key} = {domain[0]}")
    return Group(table, Text(f"held: {', '.join(held) or 'nothing'}; what is not named stays at its default"))


def _table(title: str, *columns: str) -> Table:
    table = Table(title=title, title_justify="left", box=None, padding=(0, 2, 0, 0))
    for column in columns:
        table.add_column(column)
    return table


def _meaning(entry: Any) -> str:
    """Give the meaning of a table's entry: the entry itself, its first part, or what it says."""
    if isinstance(entry, str):
        return entry
    return str(entry[0] if isinstance(entry, tuple) else entry.meaning)


def _bounds(axis: Axis) -> str:
    return "a light of the data set" if axis.least is None else f"{axis.least:g} to {axis.most:g}"


def _names(domain: Domain) -> tuple[object, ...]:
    return () if isinstance(domain, Range) else domain


def _offers(domain: Domain) -> str:
    if isinstance(domain, Range):
        own = ", of it each optimiser's own part" if domain.per_optimiser else ""
        return f"{domain.low:g} to {domain.high:g}{', logarithmic' if domain.log else ''}{own}"
    return ", ".join(map(str, domain))
