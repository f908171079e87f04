"""Read a TOML file, and find the line of a key in it. Knows nothing of axes.

`foils` has a line finder of its own, for the entries of an array of tables: the two packages import nothing of each other.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pitsearch.toml_text import read_toml_text
from spaces.errors import SpaceError

HEADER = re.compile(r"\s*\[\s*([A-Za-z0-9_.-]+)\s*\]")
KEY = re.compile(r"\s*([A-Za-z0-9_.-]+)\s*=")


@dataclass(frozen=True)
class TomlFile:
    """A TOML file that was read."""

    # The values of the file, by table.
    table: dict[str, Any]
    # The lines of the file, the first at index 0.
    lines: tuple[str, ...]

    def line(self, key: str) -> int:
        """Find the line of a dotted key, counted from 1: in its table's section, or the table's own line."""
        *tables, name = key.split(".")
        section, fallback = "", 1
        for number, line in enumerate(self.lines, start=1):
            header = HEADER.match(line)
            if header:
                section = header.group(1)
                if section == key:
                    return number
                fallback = number if tables == [section] else fallback
            entry = KEY.match(line)
            places = ((".".join(tables), name), ("", key), ("", tables[0] if tables else name))
            if entry and (section, entry.group(1)) in places:
                return number
        return fallback


def read_toml(path: Path, kind: str) -> TomlFile:
    """Read a TOML file. `kind`: what it is, for the error. Raises SpaceError, naming the file, where it is not readable."""
    try:
        file = read_toml_text(path)
        return TomlFile(file.table, tuple(file.text.splitlines()))
    except (OSError, ValueError) as error:
        raise SpaceError(f"{path}: {kind} must be readable TOML, but: {error}; correct it.") from None
