"""What pages are made of."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Material:
    """Where a page is written, and what it is written of."""

    # Empty, for the files of a page.
    folder: Path
    # Gives what the tests share, by its name: it is made when the first page needs it.
    share: Callable[[str], Any]
