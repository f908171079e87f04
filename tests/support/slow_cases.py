"""Cases of a contract of which each takes some seconds: `make test` tries the first, `make test-all` every one."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest


def slow_after_first(cases: Iterable[Any], first: int = 1) -> list[Any]:
    """Mark the cases behind the `first` ones as slow."""
    marked = []
    for number, case in enumerate(cases):
        values = case if isinstance(case, tuple) else (case,)
        marked.append(pytest.param(*values, marks=pytest.mark.slow if number >= first else ()))
    return marked
