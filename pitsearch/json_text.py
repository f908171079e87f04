"""Parse JSON that another person or program wrote: finite numbers, no key twice, no deep nesting. Imports nothing of ours."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

# The largest file of JSON that is read: bytes. A bundle with hashes of 100,000 pits has 10 MB.
MOST_BYTES = 64 * 2**20
# Lists and tables within each other; ours lie eight deep.
MOST_DEPTH = 64


def parse_json(text: str | bytes) -> Any:
    """Parse JSON: finite numbers, no key twice, no deep nesting. Raises ValueError."""
    try:
        value = json.loads(text, parse_constant=_refuse_constant, object_pairs_hook=_distinct)
    except RecursionError:
        raise ValueError("it nests too deep") from None
    _check_depth(value)
    return value


def _check_depth(value: object, most: int = MOST_DEPTH) -> None:
    """Raise ValueError where lists and tables nest deeper than what recursive readers can follow."""
    level = [value]
    for _ in range(most):
        level = [
            item
            for group in level
            if isinstance(group, dict | list)
            for item in (group.values() if isinstance(group, dict) else group)
        ]
        if not level:
            return
    raise ValueError(f"it nests more than {most} deep")


def _refuse_constant(text: str) -> None:
    raise ValueError(f"numbers must be finite, and {text} is not")


def _distinct(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    table = dict(pairs)
    if len(table) < len(pairs):
        counts = Counter(key for key, _ in pairs)
        twice = max(counts, key=counts.__getitem__)
        raise ValueError(f"keys must differ, and {twice[:40]!r} stands twice")
    return table
