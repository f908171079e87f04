"""The one exception that `foils` raises for bad input.

A `DataError` carries every fault found, one line each: where it is, the rule, the value received, the remedy.
"""

from __future__ import annotations

from collections.abc import Iterable

from pitsearch.errors import PitsearchError


class DataError(PitsearchError):
    """Refuse a data set, with all its faults at once.

    `faults`: one line each, with file and line where there is one.
    """

    def __init__(self, faults: str | Iterable[str]) -> None:
        self.faults: tuple[str, ...] = (faults,) if isinstance(faults, str) else tuple(faults)
        super().__init__("\n".join(self.faults))

    def __reduce__(self) -> tuple[type[DataError], tuple[tuple[str, ...]]]:
        # The default would hand the joined text back to __init__ and lose the list across processes.
        return type(self), (self.faults,)
