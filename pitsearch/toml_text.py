"""Parse the text of a TOML file that a person or another program wrote: bounded in size, in depth and in its numbers.

Knows nothing of what the file means. Imports nothing of ours but the reading of bytes.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pitsearch.regular_file import read_regular

# A description of a data set has some 60 lines.
MOST_BYTES = 2**20
# Tables within tables and arrays within arrays. What lies deeper cannot be shown or compared without deep recursion.
MOST_DEPTH = 20
# TOML's own bound: what a signed number of 64 bits holds.
LARGEST = 2**63 - 1
# The parser's time grows with the square of the names that dots join, and a key with its dots stands on one line.
LONGEST_LINE = 4000
SHOWN_CHARACTERS = 80


@dataclass(frozen=True)
class TomlText:
    """A TOML file that was read."""

    # The values of the file, by table.
    table: dict[str, Any]
    # The text, without a byte-order mark.
    text: str


def read_toml_text(path: Path) -> TomlText:
    """Read a TOML file. Raises OSError or ValueError, with a clause that says why, where it cannot be used."""
    text = read_regular(path, MOST_BYTES).decode("utf-8-sig")
    if any(len(line) > LONGEST_LINE for line in text.split("\n")):
        raise ValueError(f"a line may have {LONGEST_LINE} characters at the most")
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        raise
    except RecursionError:
        raise ValueError(f"tables and arrays may lie {MOST_DEPTH} deep at the most") from None
    except ValueError:  # more digits than Python converts
        raise ValueError("whole numbers must fit into 64 bits") from None
    _check(table)
    return TomlText(table, text)


def _check(table: dict[str, Any]) -> None:
    """Raise ValueError for values that are nested too deep, or whole numbers beyond 64 bits."""
    level: list[Any] = [table]
    for _ in range(MOST_DEPTH):
        inner: list[Any] = []
        for value in level:
            if isinstance(value, dict):
                inner += value.values()
            elif isinstance(value, list):
                inner += value
            elif isinstance(value, int) and abs(value) > LARGEST:
                raise ValueError("whole numbers must fit into 64 bits")
        level = inner
    if level:
        raise ValueError(f"tables and arrays may lie {MOST_DEPTH} deep at the most")


def shown(value: object) -> str:
    """Show a value in an error: as Python writes it, and no longer than a line can carry."""
    text = repr(value)
    return text if len(text) <= SHOWN_CHARACTERS else f"{text[: SHOWN_CHARACTERS - 4]} ..."
