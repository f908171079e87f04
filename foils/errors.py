"""The one exception that `foils` raises for bad input.

A `DataError` carries every fault found, one line each: where it is, the rule, the value received, the remedy. Many faults of
one kind are one line.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable

from pitsearch.errors import PitsearchError, on_one_line

# More faults than these that break one rule are joined; so many of their places are named.
SHOWN = 5


class DataError(PitsearchError):
    """Refuse a data set, with all its faults at once.

    `faults`: one line each, with file and line where there is one.
    """

    def __init__(self, faults: str | Iterable[str]) -> None:
        lines = [faults] if isinstance(faults, str) else join_alike(faults)
        self.faults: tuple[str, ...] = tuple(map(on_one_line, lines))
        super().__init__(*self.faults)

    def __reduce__(self) -> tuple[type[DataError], tuple[tuple[str, ...]]]:
        # The default would hand the joined text back to __init__ and lose the list across processes.
        return type(self), (self.faults,)


def join_alike(faults: Iterable[str]) -> list[str]:
    """Join faults that break one rule, where they are many: the first of them, how many there are, and the first places."""
    of_kind: dict[str, list[str]] = defaultdict(list)
    for fault in faults:
        of_kind[_kind(fault)].append(fault)
    lines: list[str] = []
    for alike in of_kind.values():
        if len(alike) <= SHOWN:
            lines += alike
            continue
        places = ", ".join(fault.split(": ", 1)[0] for fault in alike[:SHOWN])
        lines.append(f"{alike[0].removesuffix('.')} ({len(alike)} such faults: {places}, ...).")
    return lines


def _kind(fault: str) -> str:
    """Give the rule of a fault: without its place, the value received, what stands in brackets, and numbers."""
    rule = fault.split(": ", 1)[-1].split(", but got ", 1)[0]
    return re.sub(r"\([^()]*\)|\d+", "", rule)
